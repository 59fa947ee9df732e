// msgsnd(2) and msgrcv(2), which may block the calling thread, for a time.
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

#include <algorithm>

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
    // Somebody may have blocked it in the meantime.
    pthread_sigmask(SIG_UNBLOCK, &ours_, nullptr);
    Set({milliseconds / 1000, milliseconds % 1000 * 1'000'000}, {0, 1'000'000});
  }

  void Disarm() { Set({0, 0}, {0, 0}); }

 private:
  Interrupter() {
    sigemptyset(&ours_);
    const int number = WakeSignal();
    if (number < 0) return;
    sigaddset(&ours_, number);
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

  sigset_t ours_{};
  __kernel_timer_t id_ = -1;
};

/// Calls once, for at least so many milliseconds; -EAGAIN when they are over, or earlier, if a
/// signal came. 0: until it has an answer, which costs no timer; less: without waiting.
template <typename Call>
int64_t For(int64_t milliseconds, Call&& call) {
  if (milliseconds < 0) return Retry([&] { return call(IPC_NOWAIT); });
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

/// msgsnd(2) of the message that was sent last. Told of: the queue, the type, the milliseconds.
int64_t SysvSendAgain(Environment& environment) {
  const MqEnvironment& state = MqEnvironment::Of(environment);
  const Told told(state.receiving.found);
  if (!told.usable()) return -EFAULT;
  const int id = told.Id();
  const OutgoingMessage message(state.sent, told[1]);
  return For(told[2],
             [&](int flags) { return ::msgsnd(id, message.message(), message.size(), flags); });
}

/// msgsnd(2).
int64_t SysvSend(Environment& environment, Bytes data) {
  MqEnvironment::Of(environment).sent = data;
  return SysvSendAgain(environment);
}

/// Which message, and how long it is waited for: `type` and `flags` select, as in msgop(2).
struct Wanted {
  int id;
  size_t room;
  long type;
  int flags;
  int64_t milliseconds;
};

int64_t ReceiveOne(const Wanted& wanted, uint8_t* into) {
  return For(wanted.milliseconds, [&](int more) {
    return ::msgrcv(wanted.id, into, wanted.room, wanted.type, wanted.flags | more);
  });
}

/// msgrcv(2), again and again, for up to so many messages of up to `room` bytes, into the memory
/// from an offset on, each after its type. Only the first is waited for. How many came, or -errno
/// if none did. Told of: the queue, the offset, the room, how many, the type, the flags, the
/// milliseconds.
int64_t SysvReceive(Environment& environment) {
  const auto& [memory, found] = MqEnvironment::Of(environment).receiving;
  const Told told(found);
  if (!told.usable() || told[1] < 0 || told[2] < 0) return -EFAULT;
  Wanted wanted = {told.Id(), static_cast<size_t>(told[2]), static_cast<long>(told[4]),
                   static_cast<int>(told[5]), told[6]};
  const int64_t max = told[3];
  const int64_t step = static_cast<int64_t>(sizeof(long)) + told[2];
  size_t at = AlignedForMessage(static_cast<size_t>(told[1]));
  int64_t count = 0;
  if (!Fits(memory, static_cast<int64_t>(at), step)) return -EFAULT;
  while (count < max && Fits(memory, static_cast<int64_t>(at), step) && HasPlace(found, count)) {
    uint8_t* into = memory.data() + at;
    const int64_t length = ReceiveOne(wanted, into);
    if (length < 0) return count > 0 ? count : length;
    at += TellReceived(found, count, at, into, length);
    ++count;
    wanted.milliseconds = -1;
  }
  return count;
}

/// msgrcv(2) of one message, whose bytes go to the beginning of the memory, without the type: 1, or
/// -errno. Told of as SysvReceive is.
int64_t SysvReceiveBare(Environment& environment) {
  MqEnvironment& state = MqEnvironment::Of(environment);
  const auto& [memory, found] = state.receiving;
  const Told told(found);
  if (!told.usable() || !Fits(memory, 0, told[2])) return -EFAULT;
  const Wanted wanted = {told.Id(), static_cast<size_t>(told[2]), static_cast<long>(told[4]),
                         static_cast<int>(told[5]), told[6]};
  const size_t needed = sizeof(long) + wanted.room;
  if (state.beside.size() < needed) state.beside.resize(needed);
  const int64_t length = ReceiveOne(wanted, state.beside.data());
  if (length < 0) return length;
  long type = 0;
  std::memcpy(&type, state.beside.data(), sizeof type);
  std::copy_n(state.beside.data() + sizeof type, static_cast<size_t>(length), memory.data());
  Tell(found, 0, 0, length, type);
  return 1;
}

}  // namespace

void ExportSysvTransfer(Exports& exports) {
  exports.Function<SysvSend>("sysvSend")
      .Function<SysvSendAgain>("sysvSendAgain")
      .Function<SysvReceive>("sysvReceive")
      .Function<SysvReceiveBare>("sysvReceiveBare");
}

}  // namespace octoipc
