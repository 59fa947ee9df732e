// Where the system is not Linux: the calls that a binding makes, as far as the system has something
// like them; what it has not fails as kNotOnThisSystem, which TypeScript tells as ERR_UNSUPPORTED.
//
// Forced in before every source of a binding (addon.gypi). With OCTOIPC_ELSEWHERE defined on Linux
// the same calls are taken away there, so that what a binding does without them can be tested.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "octoipc/platform.h"

#ifdef __linux__
#include <linux/futex.h>
#include <sys/syscall.h>
#else
#include "octoipc/darwin.h"
#endif

namespace octoipc::elsewhere {

inline long Missing() {
  errno = kNotOnThisSystem;
  return -1;
}

/// For calls that are named, whatever they are given.
template <typename... Arguments>
int Lacks(Arguments&&...) {
  return static_cast<int>(Missing());
}

template <typename... Arguments>
void* LacksMemory(Arguments&&...) {
  Missing();
  return MAP_FAILED;
}

/// Stands in for futex(2) between threads of one process, on words that come and go: one condition
/// for all of them, so that whoever sleeps looks again more often than he must.
class Sleepers {
 public:
  static long Wait(const uint32_t* word, uint32_t value, const timespec* time) {
    Sleepers& all = Get();
    timespec until{};
    ::clock_gettime(CLOCK_REALTIME, &until);
    if (time != nullptr) {
      until.tv_sec += time->tv_sec + (until.tv_nsec + time->tv_nsec) / 1'000'000'000;
      until.tv_nsec = (until.tv_nsec + time->tv_nsec) % 1'000'000'000;
    }
    ::pthread_mutex_lock(&all.mutex_);
    int error = EAGAIN;
    if (__atomic_load_n(word, __ATOMIC_SEQ_CST) == value) {
      error = time == nullptr ? ::pthread_cond_wait(&all.woken_, &all.mutex_)
                              : ::pthread_cond_timedwait(&all.woken_, &all.mutex_, &until);
    }
    ::pthread_mutex_unlock(&all.mutex_);
    if (error == 0) return 0;
    errno = error;
    return -1;
  }

  static long Wake() {
    Sleepers& all = Get();
    ::pthread_mutex_lock(&all.mutex_);
    ::pthread_cond_broadcast(&all.woken_);
    ::pthread_mutex_unlock(&all.mutex_);
    return 1;
  }

 private:
  /// Never destroyed: threads may be at it while the process ends.
  static Sleepers& Get() {
    static auto* const all = new Sleepers;
    return *all;
  }

  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t woken_ = PTHREAD_COND_INITIALIZER;
};

/// The number of the calling thread; that of the main thread is the process's, as on Linux.
inline long ThreadNumber() {
#ifdef __linux__
  return ::gettid();
#else
  if (::pthread_main_np() != 0) return ::getpid();
  uint64_t number = 0;
  ::pthread_threadid_np(nullptr, &number);
  return static_cast<long>(number);
#endif
}

/// Sets of signals as words, as the kernel of Linux has them.
inline uint64_t WordOf(const sigset_t& set) {
  uint64_t word = 0;
  for (int number = 1; number < NSIG && number <= 64; ++number) {
    if (sigismember(&set, number) == 1) word |= uint64_t{1} << (number - 1);
  }
  return word;
}

inline sigset_t SetOf(uint64_t word) {
  sigset_t set;
  sigemptyset(&set);
  for (int number = 1; number < NSIG && number <= 64; ++number) {
    if ((word >> (number - 1) & 1) != 0) sigaddset(&set, number);
  }
  return set;
}

inline long ChangeMask(int how, const uint64_t* word, uint64_t* before) {
  const sigset_t set = SetOf(word == nullptr ? 0 : *word);
  sigset_t was;
  const int error = ::pthread_sigmask(how, word == nullptr ? nullptr : &set, &was);
  if (before != nullptr) *before = WordOf(was);
  errno = error;
  return error == 0 ? 0 : -1;
}

inline long PendingSignals(uint64_t* word) {
  sigset_t set;
  if (::sigpending(&set) != 0) return -1;
  *word = WordOf(set);
  return 0;
}

/// syscall(2): the few that mean the same elsewhere.
inline long Call(long number, ...) {
  va_list arguments;
  va_start(arguments, number);
  long result = -1;
  if (number == SYS_gettid) {
    result = ThreadNumber();
  } else if (number == SYS_rt_sigprocmask) {
    const int how = va_arg(arguments, int);
    const auto* set = va_arg(arguments, const uint64_t*);
    result = ChangeMask(how, set, va_arg(arguments, uint64_t*));
  } else if (number == SYS_rt_sigpending) {
    result = PendingSignals(va_arg(arguments, uint64_t*));
  } else if (number == SYS_sendmsg) {
    const int fd = va_arg(arguments, int);
    const auto* message = va_arg(arguments, const msghdr*);
    result = ::sendmsg(fd, message, va_arg(arguments, int));
  } else if (number == SYS_futex) {
    const auto* word = va_arg(arguments, const uint32_t*);
    const int operation = va_arg(arguments, int);
    const auto value = static_cast<uint32_t>(va_arg(arguments, int));
    if (operation == FUTEX_WAIT_PRIVATE) {
      result = Sleepers::Wait(word, value, va_arg(arguments, const timespec*));
    } else {
      result = operation == FUTEX_WAKE_PRIVATE ? Sleepers::Wake() : Missing();
    }
  } else {
    result = Missing();
  }
  va_end(arguments);
  return result;
}

inline int CloseOnExec(int fd) {
  if (fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
}

/// pipe(2), and what pipe2(2) would do at once: a child that starts between may inherit the ends.
inline int Pipe(int* ends, int flags) {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK)) != 0) return Lacks();
  if (::pipe(ends) != 0) return -1;
  for (int i = 0; i < 2; ++i) {
    if ((flags & O_CLOEXEC) != 0) CloseOnExec(ends[i]);
    if ((flags & O_NONBLOCK) != 0) ::fcntl(ends[i], F_SETFL, O_NONBLOCK);
  }
  return 0;
}

/// dup2(2), and what dup3(2) would do at once.
inline int Duplicate(int from, int to, int flags) {
  if ((flags & ~O_CLOEXEC) != 0) return Lacks();
  const int made = ::dup2(from, to);
  return (flags & O_CLOEXEC) != 0 ? CloseOnExec(made) : made;
}

inline int Accept(int fd, sockaddr* address, socklen_t* length, int flags) {
  const int made = ::accept(fd, address, length);
  if (made < 0) return made;
  if ((flags & SOCK_CLOEXEC) != 0) CloseOnExec(made);
  const int now = ::fcntl(made, F_GETFL);
  ::fcntl(made, F_SETFL, (flags & SOCK_NONBLOCK) != 0 ? now | O_NONBLOCK : now & ~O_NONBLOCK);
  return made;
}

/// fcntl(2) of commands that Linux alone has. F_OFD_SETLK and F_OFD_GETLK are there on macOS, too.
template <typename... Argument>
int Fcntl(int fd, int command, Argument... argument) {
  if (command >= F_SETPIPE_SZ && command <= F_GET_SEALS) return Lacks();
  return ::fcntl(fd, command, argument...);
}

/// recvmmsg(2) gives one message at a time.
inline int ReceiveMessages(int fd, mmsghdr* messages, unsigned int, int flags, timespec*) {
  const ssize_t length = ::recvmsg(fd, &messages[0].msg_hdr, flags);
  if (length < 0) return -1;
  messages[0].msg_len = static_cast<unsigned int>(length);
  return 1;
}

/// semop(2) knows no deadline: until then it is tried, every millisecond.
inline int OperateFor(int id, sembuf* operations, size_t count, const timespec* time) {
  if (time == nullptr) return ::semop(id, operations, count);
  for (size_t i = 0; i < count; ++i) operations[i].sem_flg |= IPC_NOWAIT;
  const int64_t milliseconds =
      static_cast<int64_t>(time->tv_sec) * 1000 + time->tv_nsec / 1'000'000;
  for (int64_t tried = 0;; ++tried) {
    const int result = ::semop(id, operations, count);
    if (result == 0 || errno != EAGAIN || tried >= milliseconds) return result;
    const timespec pause = {0, 1'000'000};
    ::nanosleep(&pause, nullptr);
  }
}

}  // namespace octoipc::elsewhere

#define syscall octoipc_call
#define fcntl octoipc_fcntl
#define pipe2 octoipc_pipe2
#define accept4 octoipc_accept4
#define dup3 octoipc_dup3
#define recvmmsg octoipc_recvmmsg
#define semtimedop octoipc_semtimedop
#define splice octoipc_splice
#define tee octoipc_tee
#define clone octoipc_clone
#define fallocate octoipc_fallocate
#define mremap octoipc_mremap
#define posix_fallocate octoipc_posix_fallocate

inline constexpr auto octoipc_call = octoipc::elsewhere::Call;
inline constexpr auto octoipc_pipe2 = octoipc::elsewhere::Pipe;
inline constexpr auto octoipc_dup3 = octoipc::elsewhere::Duplicate;
inline constexpr auto octoipc_accept4 = octoipc::elsewhere::Accept;
inline constexpr auto octoipc_recvmmsg = octoipc::elsewhere::ReceiveMessages;
inline constexpr auto octoipc_semtimedop = octoipc::elsewhere::OperateFor;
inline constexpr auto octoipc_splice = [](auto... arguments) {
  return static_cast<ssize_t>(octoipc::elsewhere::Lacks(arguments...));
};
inline constexpr auto octoipc_tee = octoipc_splice;
inline constexpr auto octoipc_clone = octoipc_splice;
inline constexpr auto octoipc_fallocate = octoipc_splice;
/// Gives its error, and leaves errno alone.
inline constexpr auto octoipc_posix_fallocate = [](auto...) { return octoipc::kNotOnThisSystem; };
inline constexpr auto octoipc_mremap = [](auto... arguments) {
  return octoipc::elsewhere::LacksMemory(arguments...);
};
inline constexpr auto octoipc_fcntl = [](int fd, int command, auto... argument) {
  return octoipc::elsewhere::Fcntl(fd, command, argument...);
};
