#include "spawn.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <memory>

#include "octoipc/retry.h"
#include "octoipc/unique_fd.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

namespace octoipc {
namespace {

/// waitid(2) by pidfd; older headers lack its name.
constexpr int kByPidfd = 3;

/// rt_sigaction(2) as the kernel has it is at most this long everywhere; all zero is SIG_DFL.
constexpr size_t kActionSize = 64;

/// The kernel's sigset_t.
constexpr size_t kMaskSize = 8;

constexpr size_t kStackSize = 32 * 1024;

/// Lifetime:
/// 1. The child runs on a stack of its own, in the parent's memory, with a copy of the parent's
///    descriptors and signal dispositions; the parent's thread sleeps until it has called execve or
///    has ended (vfork(2)), while the parent's other threads run on.
/// 2. So it allocates nothing, takes no lock, and makes raw system calls only: libc's own may keep
///    state for the thread that it seems to be.
/// 3. A failure is written to memory that the parent sees; by an emulator, whose vfork(2) is
///    fork(2), to a pipe that execve closes.
class Child {
 public:
  explicit Child(Plan& plan) : plan_(plan), parent_(static_cast<pid_t>(syscall(SYS_getpid))) {
    for (const Placed& placed : plan.descriptors) {
      highest_ = std::max(highest_, placed.target);
    }
    for (const Alias& alias : plan.aliases) highest_ = std::max(highest_, alias.target);
  }

  /// Before a start without the parent's memory: whether there is a pipe for what comes of it.
  bool OpenReport() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    read_ = UniqueFd(ends[0]);
    const UniqueFd low(ends[1]);
    write_ = UniqueFd(::fcntl(low.get(), F_DUPFD_CLOEXEC, highest_ + 1));
    return static_cast<bool>(write_);
  }

  /// Waits until the program is executed, or has failed before.
  void ReadReport() {
    write_ = UniqueFd();
    int said[3] = {};
    const int64_t size = Retry([&] { return ::read(read_.get(), said, sizeof said); });
    if (size != sizeof said) return;
    stage_ = static_cast<Stage>(said[0]);
    error_ = said[1];
    detail_ = said[2];
  }

  static int Run(void* self) {
    auto* child = static_cast<Child*>(self);
    if (child->Prepare()) child->Execute();
    syscall(SYS_exit_group, 127);
    return 127;
  }

  Stage stage() const { return stage_; }
  int error() const { return error_; }
  int detail() const { return detail_; }

 private:
  bool Fail(Stage stage, int detail = 0) {
    error_ = errno;
    stage_ = stage;
    detail_ = detail;
    if (write_) {
      const int said[3] = {static_cast<int>(stage), error_, detail};
      syscall(SYS_write, write_.get(), said, sizeof said);
    }
    return false;
  }

  /// All signals to their default actions: Node ignores SIGPIPE and SIGXFSZ, and a handler must not
  /// run here once the mask is empty.
  static void ResetSignals() {
    alignas(8) char action[kActionSize] = {};
    for (int number = 1; number < NSIG; ++number) {
      if (number == SIGKILL || number == SIGSTOP) continue;
      syscall(SYS_rt_sigaction, number, action, nullptr, kMaskSize);
    }
  }

  bool Prepare() {
    ResetSignals();
    if (plan_.die_with_thread) {
      syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
      // The parent may have ended before the kernel knew that this matters.
      if (syscall(SYS_getppid) != parent_) syscall(SYS_exit_group, 127);
    }
    if (plan_.group && syscall(SYS_setpgid, 0, 0) != 0) return Fail(Stage::kGroup);
    if (plan_.nice != Plan::kKeepNice &&
        syscall(SYS_setpriority, PRIO_PROCESS, 0, plan_.nice) != 0) {
      return Fail(Stage::kNice);
    }
    // Before chdir: the errors of a directory that is gone must not hide that a descriptor is.
    if (!PlaceDescriptors()) return false;
    if (plan_.directory != nullptr && syscall(SYS_chdir, plan_.directory) != 0) {
      return Fail(Stage::kDirectory);
    }
    // Last, for what comes before needs descriptors; execve itself is meant to feel them.
    for (size_t i = 0; i < plan_.limits.size(); ++i) {
      const uint64_t pair[2] = {plan_.limits[i].soft, plan_.limits[i].hard};
      if (syscall(SYS_prlimit64, 0, plan_.limits[i].resource, pair, nullptr) != 0) {
        return Fail(Stage::kLimit, static_cast<int>(i));
      }
    }
    const uint64_t none = 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, kMaskSize);
    return true;
  }

  /// Everything that was not asked for becomes close-on-exec, whoever opened it and however; what
  /// was asked for gets its number by dup3(2), which clears that flag.
  bool PlaceDescriptors() {
    for (Placed& placed : plan_.descriptors) {
      // A source that another target would overwrite moves out of the way first.
      if (placed.source == placed.target || !IsTarget(placed.source)) continue;
      const auto moved = syscall(SYS_fcntl, placed.source, F_DUPFD_CLOEXEC, highest_ + 1);
      if (moved < 0) return Fail(Stage::kDescriptor, placed.target);
      placed.source = static_cast<int>(moved);
    }
    if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
      // Before Linux 5.11. Ours are close-on-exec from birth; this reaches strangers.
      for (int fd = 3; fd < 1024; ++fd) syscall(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
    }
    for (const Placed& placed : plan_.descriptors) {
      if (!(placed.source < 0 ? PlaceNull(placed.target) : Place(placed.source, placed.target))) {
        return false;
      }
    }
    for (const Alias& alias : plan_.aliases) {
      if (!Place(alias.other, alias.target)) return false;
    }
    return true;
  }

  bool IsTarget(int fd) const {
    for (const Placed& placed : plan_.descriptors) {
      if (placed.target == fd) return true;
    }
    return false;
  }

  bool Place(int source, int target) {
    const auto result = source == target ? syscall(SYS_fcntl, target, F_SETFD, 0)
                                         : syscall(SYS_dup3, source, target, 0);
    return result >= 0 || Fail(Stage::kDescriptor, target);
  }

  bool PlaceNull(int target) {
    const auto fd = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);
    if (fd < 0) return Fail(Stage::kNull);
    if (!Place(static_cast<int>(fd), target)) return false;
    if (fd != target) syscall(SYS_close, fd);
    return true;
  }

  /// execvpe(3), with the candidates found beforehand: a path that is not there, or may not be
  /// executed, leads to the next one; a script without `#!` is the shell's.
  void Execute() {
    auto* const environment = const_cast<char* const*>(plan_.environment);
    bool denied = false;
    errno = ENOENT;
    for (const char* path : plan_.candidates) {
      syscall(SYS_execve, path, plan_.arguments.data(), environment);
      if (errno == ENOEXEC) {
        plan_.script[1] = path;
        syscall(SYS_execve, plan_.script[0], plan_.script.data(), environment);
      }
      if (errno == EACCES) {
        denied = true;
      } else if (errno != ENOENT && errno != ENOTDIR && errno != ESTALE && errno != ENODEV &&
                 errno != ETIMEDOUT) {
        break;
      }
    }
    if (denied && (errno == ENOENT || errno == ENOTDIR)) errno = EACCES;
    Fail(Stage::kProgram);
  }

  Plan& plan_;
  pid_t parent_;
  int highest_ = 2;
  volatile Stage stage_ = Stage::kNone;
  volatile int error_ = 0;
  volatile int detail_ = 0;
  UniqueFd read_;
  UniqueFd write_;
};

/// 0 when this kernel can wait for a child by pidfd (Linux 5.4), else an errno. An own process is
/// nobody's child of its own, which a kernel that understands the question says by ECHILD.
int KernelWaitsByPidfd() {
  static std::atomic<bool> known{false};
  if (known.load(std::memory_order_relaxed)) return 0;
  const UniqueFd self(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)));
  if (!self) return errno;
  siginfo_t info{};
  const auto waited = syscall(SYS_waitid, kByPidfd, self.get(), &info, WEXITED | WNOHANG, nullptr);
  if (waited == -1 && errno != ECHILD) return ENOSYS;
  known.store(true, std::memory_order_relaxed);
  return 0;
}

/// As Spawn starts a child, where clone(2) makes no pidfd (qemu-user): its pid, or -1.
pid_t StartWithout(Child& child, char* stack, int* pidfd) {
  if (!child.OpenReport()) return -1;
  const pid_t pid = ::clone(Child::Run, stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &child);
  if (pid < 0) return -1;
  child.ReadReport();
  // Nobody has taken its end yet, so that its number is nobody else's.
  *pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  if (*pidfd >= 0) return pid;
  const int error = errno;
  // Somebody has taken its end all the same: the number may be another's.
  if (error == ESRCH) return -1;
  ::kill(pid, SIGKILL);
  Retry([&] { return ::waitpid(pid, nullptr, 0); });
  errno = error;
  return -1;
}

}  // namespace

Started Spawn(Plan& plan) {
  Started started;
  const int missing = KernelWaitsByPidfd();
  if (missing != 0) {
    started.stage = missing == EMFILE || missing == ENFILE ? Stage::kClone : Stage::kKernel;
    started.error = missing;
    return started;
  }
  Child child(plan);
  // Not on this thread's own stack, whose later frames would find what the child has left there.
  const auto stack = std::make_unique_for_overwrite<char[]>(kStackSize);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  // A handler must not run in the child, which has the parent's memory.
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
  char* const top = stack.get() + kStackSize;
  started.pid = ::clone(Child::Run, top, flags, &child, &started.pidfd);
  if (started.pid < 0 && errno == EINVAL) {
    started.pid = StartWithout(child, top, &started.pidfd);
  }
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (started.pid < 0) {
    started.stage = Stage::kClone;
    started.error = error;
    started.pidfd = -1;
    return started;
  }
  if (child.stage() == Stage::kNone) return started;
  const UniqueFd failed(started.pidfd);
  siginfo_t info{};
  while (syscall(SYS_waitid, kByPidfd, failed.get(), &info, WEXITED, nullptr) == -1 &&
         errno == EINTR) {
  }
  started = {-1, -1, child.stage(), child.error(), child.detail()};
  return started;
}

}  // namespace octoipc
