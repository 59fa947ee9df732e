// Processes by a descriptor: pidfd_open(2), pidfd_send_signal(2), waitid(2).
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "octoipc/retry.h"
#include "octoipc/unique_fd.h"
#include "queued.h"
#include "send.h"

namespace octoipc {
namespace {

constexpr int kByPidfd = 3;
/// pidfd_send_signal(2): to the group that the process leads, since Linux 6.9.
constexpr unsigned kProcessGroup = 1 << 2;

/// As <linux/pidfd.h> has it since Linux 6.13; headers may be older.
struct PidfdInfo {
  uint64_t mask;
  uint64_t cgroup;
  uint32_t pid, tgid, ppid;
  uint32_t ids[8];
  int32_t exit_code;
};
constexpr uint64_t kInfoExit = 1 << 3;
constexpr unsigned long kGetInfo = _IOWR(0xFF, 11, PidfdInfo);

int64_t OpenProcess(Environment& environment, int pid) {
  const int64_t fd = ValueOrError([&] { return ::syscall(SYS_pidfd_open, pid, 0); });
  if (fd >= 0) environment.Own(static_cast<int>(fd));
  return fd;
}

int64_t Send(int pidfd, int number, bool with_value, int32_t low, int32_t high, bool group) {
  const siginfo_t info = Queued(number, low, high);
  return ValueOrError([&] {
    return ::syscall(SYS_pidfd_send_signal, pidfd, number, with_value ? &info : nullptr,
                     group ? kProcessGroup : 0);
  });
}

/// Whether the process lives: 1; 0 for one that has ended, whoever is to reap it.
int64_t Alive(int pidfd) {
  pollfd one = {pidfd, POLLIN, 0};
  const int64_t ready = Retry([&] { return ::poll(&one, 1, 0); });
  return ready < 0 ? ready : ready == 0;
}

int Told(Integers ending, int code, int signal) {
  if (ending.size() < 2) return -EINVAL;
  ending[0] = code;
  ending[1] = signal;
  return 1;
}

/// How a child has ended, of which nothing is taken away: 1 and its code and signal (0: none), 0
/// while it lives, -ECHILD where it is no child, or was reaped by somebody and the kernel has
/// forgotten.
int64_t Ending(int pidfd, Integers ending) {
  siginfo_t info{};
  const int64_t waited = Retry([&] {
    return ::syscall(SYS_waitid, kByPidfd, pidfd, &info, WEXITED | WNOHANG | WNOWAIT, nullptr);
  });
  if (waited < 0) return waited;
  if (info.si_pid == 0) return 0;
  const bool exited = info.si_code == CLD_EXITED;
  return Told(ending, exited ? info.si_status : 0, exited ? 0 : info.si_status);
}

/// The same of a process that somebody has reaped, since Linux 6.15: 1, or -errno.
int64_t EndingOfReaped(int pidfd, Integers ending) {
  PidfdInfo info{};
  info.mask = kInfoExit;
  const int64_t asked = ValueOrError([&] { return ::ioctl(pidfd, kGetInfo, &info); });
  if (asked < 0) return asked;
  if ((info.mask & kInfoExit) == 0) return -ECHILD;
  const int status = info.exit_code;
  if (WIFEXITED(status)) return Told(ending, WEXITSTATUS(status), 0);
  return Told(ending, 0, WTERMSIG(status));
}

}  // namespace

void ExportProcesses(Exports& exports) {
  exports.Function<OpenProcess>("openProcess")
      .Function<Send>("sendByDescriptor")
      .Function<Alive>("alive")
      .Function<Ending>("ending")
      .Function<EndingOfReaped>("endingOfReaped");
}

}  // namespace octoipc
