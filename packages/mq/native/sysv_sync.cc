// msgsnd(2) and msgrcv(2) that block the calling thread, for a time.
//
// The calls know no timeout and there is no descriptor to poll, so a timer of this thread
// interrupts them by the signal that also wakes waiting threads: they fail with EINTR then, and
// nothing was sent or taken.
#include <linux/posix_types.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "mq.h"
#include "numbers.h"
#include "octoipc/retry.h"
#include "octoipc/waiting_thread.h"
#include "sysv.h"

// As the kernel's own header has it; not every C library does.
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

namespace octoipc {
namespace {

/// Lifetime: one for each thread, made at its first blocking call, deleted when the thread ends.
/// The system calls, because libc's functions are in librt before glibc 2.34.
class Interrupter {
 public:
  static Interrupter& OfThread() {
    thread_local Interrupter interrupter;
    return interrupter;
  }

  bool usable() const { return id_ >= 0; }

  /// The signal may come before the call begins: from then on it comes every millisecond.
  void Arm(int64_t milliseconds) {
    Set({milliseconds / 1000, milliseconds % 1000 * 1'000'000}, {0, 1'000'000});
  }

  void Disarm() { Set({0, 0}, {0, 0}); }

 private:
  Interrupter() {
    const int number = WakeSignal();
    if (number < 0) return;
    sigset_t ours;
    sigemptyset(&ours);
    sigaddset(&ours, number);
    pthread_sigmask(SIG_UNBLOCK, &ours, nullptr);
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = number;
    event.sigev_notify_thread_id = static_cast<pid_t>(::syscall(SYS_gettid));
    __kernel_timer_t id = -1;
    if (::syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id) == 0) id_ = id;
  }

  ~Interrupter() {
    if (usable()) ::syscall(SYS_timer_delete, id_);
  }

  void Set(timespec first, timespec then) {
    const itimerspec times = {then, first};
    ::syscall(SYS_timer_settime, id_, 0, &times, nullptr);
  }

  __kernel_timer_t id_ = -1;
};

/// Calls once, for at least so many milliseconds; -EAGAIN when they are over, or earlier, if a
/// signal came. 0: until it has an answer, which costs no timer.
template <typename Call>
int64_t For(int64_t milliseconds, Call&& call) {
  if (milliseconds == 0) return Retry([&] { return call(0); });
  Interrupter& interrupter = Interrupter::OfThread();
  if (!interrupter.usable()) {
    // No signal or no timer is left (RLIMIT_SIGPENDING): then this is polling.
    const timespec pause = {0, 1'000'000};
    nanosleep(&pause, nullptr);
    const int64_t result = Retry([&] { return call(IPC_NOWAIT); });
    return result == -ENOMSG ? -EAGAIN : result;
  }
  interrupter.Arm(milliseconds);
  const int64_t result = ValueOrError([&] { return call(0); });
  interrupter.Disarm();
  return result == -EINTR ? -EAGAIN : result;
}

int64_t SysvSendForAgain(Environment& environment, int id, int64_t type, int64_t milliseconds) {
  const OutgoingMessage message(MqEnvironment::Of(environment).sent, type);
  return For(milliseconds,
             [&](int flags) { return ::msgsnd(id, message.message(), message.size(), flags); });
}

int64_t SysvSendFor(Environment& environment, int id, Bytes data, int64_t type,
                    int64_t milliseconds) {
  MqEnvironment::Of(environment).sent = data;
  return SysvSendForAgain(environment, id, type, milliseconds);
}

/// One message of up to `room` bytes, after its type, into the memory from `offset` on; 1, or
/// -errno.
int64_t SysvReceiveFor(Environment& environment, int id, int64_t offset, int64_t room, int64_t type,
                       int flags, int64_t milliseconds) {
  const auto& [memory, found] = MqEnvironment::Of(environment).receiving;
  if (offset < 0 || room < 0) return -EFAULT;
  const size_t at = AlignedForMessage(static_cast<size_t>(offset));
  const int64_t step = static_cast<int64_t>(sizeof(long)) + room;
  if (!Fits(memory, static_cast<int64_t>(at), step) || !HasPlace(found, 0)) return -EFAULT;
  uint8_t* into = memory.data() + at;
  const int64_t length = For(milliseconds, [&](int more) {
    return ::msgrcv(id, into, static_cast<size_t>(room), static_cast<long>(type), flags | more);
  });
  if (length < 0) return length;
  TellReceived(found, 0, at, into, length);
  return 1;
}

}  // namespace

void ExportSysvSync(Exports& exports) {
  exports.Function<SysvSendFor>("sysvSendFor")
      .Function<SysvSendForAgain>("sysvSendForAgain")
      .Function<SysvReceiveFor>("sysvReceiveFor");
}

}  // namespace octoipc
