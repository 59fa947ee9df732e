#include "guard.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "child.h"
#include "octoipc/retry.h"

namespace octoipc {
namespace {

/// `+` and a number adds a group, `-` and a number takes it away; the end of file is the parent's.
constexpr char kScript[] = R"(trap '' HUP INT QUIT TERM
groups=' '
while read -r what group; do
  case $what in
    +) groups="$groups$group " ;;
    -) groups="${groups%% $group *} ${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
)";

}  // namespace

Started Guard::Start(int socket) {
  Plan plan;
  plan.candidates = {"/bin/sh"};
  plan.arguments = {"sh", "-c", kScript, nullptr};
  plan.script = {"/bin/sh", nullptr, nullptr};
  static const char* const kNoEnvironment[] = {nullptr};
  plan.environment = kNoEnvironment;
  plan.directory = "/";
  plan.descriptors = {{0, socket}, {1, -1}, {2, -1}};
  return Spawn(plan);
}

int Guard::Begin() {
  if (socket_ && Say('=', 0)) return 0;
  // Somebody has killed it.
  if (pidfd_) WaitByPidfd(pidfd_.get(), Numbers{}, false);
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return errno;
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  const Started started = Start(theirs.get());
  if (started.error != 0) return started.error;
  socket_ = std::move(ours);
  pidfd_ = UniqueFd(started.pidfd);
  for (const pid_t group : groups_) Say('+', group);
  return 0;
}

void Guard::Watch(pid_t group) {
  groups_.insert(group);
  Say('+', group);
}

bool Guard::Forget(pid_t group) {
  if (groups_.erase(group) == 0) return false;
  Say('-', group);
  return true;
}

UniqueFd Guard::End() {
  socket_.reset();
  return std::move(pidfd_);
}

/// False when the guard is gone. Never waits: some thousand groups fit into the socket at once.
bool Guard::Say(char what, pid_t group) {
  char line[32];
  const int length = std::snprintf(line, sizeof line, "%c %d\n", what, group);
  const int64_t sent = Retry([&] {
    return ::send(socket_.get(), line, static_cast<size_t>(length), MSG_NOSIGNAL | MSG_DONTWAIT);
  });
  return sent == length || sent == -EAGAIN;
}

}  // namespace octoipc
