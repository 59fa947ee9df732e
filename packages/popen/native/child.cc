#include "child.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "keeper.h"
#include "octoipc/retry.h"

namespace octoipc {
namespace {

constexpr int kByPidfd = 3;

double Microseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
}

void Tell(const siginfo_t& info, const rusage& usage, Numbers ending) {
  const double told[] = {
      static_cast<double>(info.si_code),     static_cast<double>(info.si_status),
      Microseconds(usage.ru_utime),          Microseconds(usage.ru_stime),
      static_cast<double>(usage.ru_maxrss),  static_cast<double>(usage.ru_minflt),
      static_cast<double>(usage.ru_majflt),  static_cast<double>(usage.ru_inblock),
      static_cast<double>(usage.ru_oublock), static_cast<double>(usage.ru_nvcsw),
      static_cast<double>(usage.ru_nivcsw)};
  for (size_t i = 0; i < std::size(told) && i < ending.size(); ++i) ending[i] = told[i];
}

PopenEnvironment& Ours(Environment& environment) {
  return static_cast<PopenEnvironment&>(environment);
}

/// The end of a child of ours, once: 1, or 0 while it runs.
int64_t Wait(Environment& environment, int pidfd, Numbers ending, bool keep) {
  Children& children = Ours(environment).children();
  const pid_t pid = children.Find(pidfd);
  if (pid < 0) return -ECHILD;
  if (!keep && Keeper::Guards()) {
    // The guard has to forget the group's number while it still is this one's.
    const int64_t ended = WaitByPidfd(pidfd, ending, true);
    if (ended <= 0 && ended != -ECHILD) return ended;
    Keeper::Forget(pid);
  }
  const int64_t result = WaitByPidfd(pidfd, ending, keep);
  if (!keep && (result > 0 || result == -ECHILD)) children.Forget(pidfd);
  return result;
}

/// pidfd_send_signal(2): never to a process that got the number later.
int64_t Signal(Environment& environment, int pidfd, int number) {
  if (Ours(environment).children().Find(pidfd) < 0) return -ESRCH;
  return Retry([&] { return syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0); });
}

/// kill(2) of the child's group, whose number is not given to others before the child's end is
/// taken; and of the child, should it have left its group (setpgid(2)).
int64_t SignalGroup(Environment& environment, int pidfd, int number) {
  const pid_t pid = Ours(environment).children().Find(pidfd);
  if (pid < 0) return -ESRCH;
  const int64_t sent = Retry([&] { return ::kill(-pid, number); });
  if (::getpgid(pid) == pid) return sent;
  const int64_t alone = Signal(environment, pidfd, number);
  return alone == -ESRCH ? sent : alone;
}

int64_t Abandon(Environment& environment, int pidfd) {
  if (Ours(environment).children().Find(pidfd) < 0) return -ECHILD;
  Ours(environment).children().Abandon(pidfd);
  return 0;
}

/// The child is its new owner's from now on: nothing here waits for it or signals it.
int64_t Disinherit(Environment& environment, int pidfd) {
  const pid_t pid = Ours(environment).children().Find(pidfd);
  if (pid >= 0) Keeper::Forget(pid);
  Ours(environment).children().Forget(pidfd);
  return 0;
}

/// A pidfd of some process, owned by JavaScript.
int64_t OpenProcess(Environment& environment, int pid) {
  const int64_t fd = ValueOrError([&] { return syscall(SYS_pidfd_open, pid, 0); });
  if (fd >= 0) environment.Own(static_cast<int>(fd));
  return fd;
}

/// poll(2) of several descriptors on the calling thread. `fds` has three numbers for each: the
/// descriptor, what it waits for, and the answer.
int64_t PollAll(Integers fds, int milliseconds) {
  std::vector<pollfd> polled(fds.size() / 3);
  for (size_t i = 0; i < polled.size(); ++i) {
    polled[i] = {fds[3 * i], static_cast<int16_t>(fds[3 * i + 1]), 0};
  }
  const int64_t count =
      ValueOrError([&] { return ::poll(polled.data(), polled.size(), milliseconds); });
  for (size_t i = 0; i < polled.size(); ++i) fds[3 * i + 2] = count > 0 ? polled[i].revents : 0;
  return count;
}

}  // namespace

int64_t WaitByPidfd(int pidfd, Numbers ending, bool keep) {
  siginfo_t info{};
  rusage usage{};
  const int options = WEXITED | WNOHANG | (keep ? WNOWAIT : 0);
  const int64_t result =
      Retry([&] { return syscall(SYS_waitid, kByPidfd, pidfd, &info, options, &usage); });
  if (result < 0 || info.si_pid == 0) return result;
  Tell(info, usage, ending);
  return 1;
}

Children::~Children() {
  // The main thread's environment ends with the process: init takes what is left.
  if (syscall(SYS_gettid) == getpid()) return;
  while (!children_.empty()) Abandon(children_.begin()->first);
}

void Children::Abandon(int pidfd) {
  const pid_t pid = Find(pidfd);
  children_.erase(pidfd);
  environment_.Disown(pidfd);
  Keeper::Adopt(UniqueFd(pidfd), pid);
}

void ExportChildren(Exports& exports) {
  exports.Function<Wait>("wait")
      .Function<Signal>("signal")
      .Function<SignalGroup>("signalGroup")
      .Function<Abandon>("abandon")
      .Function<Disinherit>("disinherit")
      .Function<OpenProcess>("openProcess")
      .Function<PollAll>("pollAll");
}

}  // namespace octoipc
