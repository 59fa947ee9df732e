#include "guard.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <vector>

#include "child.h"
#include "octoipc/retry.h"

namespace octoipc {
namespace {

/// How long a guard that was killed may take to be gone, in milliseconds.
constexpr int kDying = 1000;

/// The groups from the start are its arguments; `+` and a number adds one, `-` and a number takes
/// it away; the end of file is the parent's.
constexpr char kScript[] = R"(trap '' HUP INT QUIT TERM
groups=" $* "
while read -r what group; do
  case $what in
    +) groups="$groups$group " ;;
    -) groups="${groups%% $group *} ${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
)";

}  // namespace

Started Guard::Start(int socket) const {
  std::vector<std::string> groups;
  for (const pid_t group : groups_) groups.push_back(std::to_string(group));
  Plan plan;
  plan.candidates = {"/bin/sh"};
  plan.arguments = {"sh", "-c", kScript, "sh"};
  for (const std::string& group : groups) plan.arguments.push_back(group.c_str());
  plan.arguments.push_back(nullptr);
  plan.script = {"/bin/sh", nullptr, nullptr};
  static const char* const kNoEnvironment[] = {nullptr};
  plan.environment = kNoEnvironment;
  plan.directory = "/";
  plan.descriptors = {{0, socket}, {1, -1}, {2, -1}};
  return Spawn(plan);
}

int Guard::Begin() {
  if (socket_ && knows_all_ && !IsGone()) return 0;
  return Replace();
}

void Guard::Watch(pid_t group) {
  groups_.insert(group);
  Tell('+', group);
}

bool Guard::Forget(pid_t group) {
  if (groups_.erase(group) == 0) return false;
  if (socket_) Tell('-', group);
  return true;
}

UniqueFd Guard::End() {
  // One that knows too much would kill it.
  if (!knows_all_) Kill();
  knows_all_ = true;
  socket_.reset();
  return std::move(pidfd_);
}

/// Another guard, which knows all groups from its start; the one before it is killed first, so that
/// it cannot kill what it knows. 0, or an errno: then all is as it was.
int Guard::Replace() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return errno;
  UniqueFd ours(ends[0]);
  const UniqueFd theirs(ends[1]);
  const Started started = Start(theirs.get());
  if (started.error != 0) return started.error;
  Kill();
  socket_ = std::move(ours);
  pidfd_ = UniqueFd(started.pidfd);
  knows_all_ = true;
  return 0;
}

void Guard::Kill() {
  if (!pidfd_) return;
  Retry([&] { return syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0); });
  pollfd ended = {pidfd_.get(), POLLIN, 0};
  Retry([&] { return ::poll(&ended, 1, kDying); });
  WaitByPidfd(pidfd_.get(), Numbers{}, false);
}

/// Whether somebody has killed it.
bool Guard::IsGone() const {
  pollfd ended = {pidfd_.get(), POLLIN, 0};
  return Retry([&] { return ::poll(&ended, 1, 0); }) > 0;
}

/// Never waits for a guard that does not read: some hundred lines fit into the socket. Where no
/// more do, or it is gone, another takes its place; where none can be started, the next call tries
/// again.
void Guard::Tell(char what, pid_t group) {
  char line[32];
  const int length = std::snprintf(line, sizeof line, "%c %d\n", what, group);
  const int64_t sent = Retry([&] {
    return ::send(socket_.get(), line, static_cast<size_t>(length), MSG_NOSIGNAL | MSG_DONTWAIT);
  });
  if (sent == length && knows_all_) return;
  knows_all_ = false;
  if (!idle()) Replace();
}

}  // namespace octoipc
