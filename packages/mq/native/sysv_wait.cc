#include "sysv_wait.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <climits>
#include <utility>

#include "mq.h"
#include "octoipc/retry.h"
#include "octoipc/waiting_thread.h"

namespace octoipc {
namespace {

/// A thread that has nothing to do for so long ends.
constexpr timespec kLinger = {0, 100'000'000};

/// So often is a signal repeated.
constexpr timespec kRepeat = {0, 200'000};

constexpr size_t kStack = 128 * 1024;

/// Sleeps while the word has this value, and no longer than this, on the monotonic clock.
int64_t FutexWait(std::atomic<uint32_t>& word, uint32_t value, const timespec& time) {
  return ValueOrError(
      [&] { return ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, &time, nullptr, 0); });
}

void FutexWake(std::atomic<uint32_t>& word) {
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace

QueueWait::QueueWait(std::shared_ptr<Bell> bell, int32_t who)
    : bell_(std::move(bell)), who_(who), signal_(WakeSignal()) {}

QueueWait::~QueueWait() {
  const int64_t result = Stop();
  if (result > 0) {
    const OutgoingMessage empty({}, result);
    ::msgsnd(id_, empty.message(), 0, IPC_NOWAIT);
  }
  if (!started_) return;
  state_.store(kEnded);
  FutexWake(state_);
  pthread_join(thread_, nullptr);
}

int64_t QueueWait::Receive(int id, long type, int flags) {
  id_ = id;
  type_ = type;
  flags_ = flags;
  message_.reset();
  return Begin();
}

int64_t QueueWait::Send(int id, Bytes data, long type) {
  id_ = id;
  message_ = std::make_unique<OutgoingMessage>(data, type);
  return Begin();
}

int64_t QueueWait::Begin() {
  // Nothing can get the call out of the kernel again: then it must not begin.
  if (signal_ < 0) return -EAGAIN;
  uint32_t state = kIdle;
  if (started_ && state_.compare_exchange_strong(state, kCalling)) {
    FutexWake(state_);
    return 0;
  }
  if (started_ && state != kEnded) return -EBUSY;
  if (started_) pthread_join(thread_, nullptr);
  started_ = false;
  state_.store(kCalling);
  const int64_t error = StartThread();
  if (error < 0) state_.store(kIdle);
  return error;
}

int64_t QueueWait::Result() {
  const uint32_t state = state_.load(std::memory_order_acquire);
  if (state == kCalling) return -EAGAIN;
  if (state != kDone) return -ESRCH;
  const int64_t result = result_;
  message_.reset();
  state_.store(kIdle);
  return result;
}

int64_t QueueWait::Stop() {
  stopping_.store(true);
  while (state_.load(std::memory_order_acquire) == kCalling) {
    pthread_kill(thread_, signal_);
    FutexWait(state_, kCalling, kRepeat);
  }
  stopping_.store(false);
  return Result();
}

/// Signals are for the threads of the runtime: ours blocks all of them but the one that wakes it.
int64_t QueueWait::StartThread() {
  sigset_t mask;
  sigset_t before;
  sigfillset(&mask);
  sigdelset(&mask, signal_);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStack);
  pthread_sigmask(SIG_SETMASK, &mask, &before);
  const int error = pthread_create(&thread_, &attributes, Run, this);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  started_ = error == 0;
  return -error;
}

void* QueueWait::Run(void* self) {
  static_cast<QueueWait*>(self)->Loop();
  return nullptr;
}

void QueueWait::Loop() {
  for (;;) {
    if (state_.load(std::memory_order_acquire) != kCalling) {
      if (!Idle()) return;
      continue;
    }
    result_ = Make();
    state_.store(kDone);
    if (stopping_.load()) {
      FutexWake(state_);
    } else {
      bell_->Ring(who_);
    }
  }
}

/// The call itself, until it has an answer or is stopped.
int64_t QueueWait::Make() {
  while (!stopping_.load(std::memory_order_acquire)) {
    if (message_ != nullptr) {
      const int64_t sent =
          ValueOrError([&] { return ::msgsnd(id_, message_->message(), message_->size(), 0); });
      if (sent != -EINTR) return sent;
      continue;
    }
    long taken = 0;
    const int64_t got = ValueOrError([&] { return ::msgrcv(id_, &taken, 0, type_, flags_); });
    if (got >= 0) return taken;
    if (got != -EINTR) return got;
  }
  return -EINTR;
}

/// Sleeps until there may be something to do; false if the thread is to end.
bool QueueWait::Idle() {
  uint32_t state = state_.load(std::memory_order_acquire);
  if (state == kCalling) return true;
  if (state == kEnded) return false;
  const int64_t slept = FutexWait(state_, state, kLinger);
  // A result that is still to be asked for keeps the thread.
  if (slept != -ETIMEDOUT || state != kIdle) return true;
  return !state_.compare_exchange_strong(state, kEnded);
}

namespace {

QueueWait* WaitAt(Environment& environment, int index) {
  return static_cast<QueueWait*>(environment.Kept(index));
}

int64_t WaitOpen(Environment& environment, int index, int32_t who) {
  std::shared_ptr<Bell> bell = BellAt(environment, index);
  if (bell == nullptr) return -EBADF;
  return environment.Keep(std::make_unique<QueueWait>(std::move(bell), who));
}

int64_t WaitReceive(Environment& environment, int index, int id, int64_t type, int flags) {
  QueueWait* wait = WaitAt(environment, index);
  return wait == nullptr ? -EBADF : wait->Receive(id, static_cast<long>(type), flags);
}

int64_t WaitSend(Environment& environment, int index, int id, Bytes data, int64_t type) {
  QueueWait* wait = WaitAt(environment, index);
  return wait == nullptr ? -EBADF : wait->Send(id, data, static_cast<long>(type));
}

int64_t WaitResult(Environment& environment, int index) {
  QueueWait* wait = WaitAt(environment, index);
  return wait == nullptr ? -EBADF : wait->Result();
}

int64_t WaitStop(Environment& environment, int index) {
  QueueWait* wait = WaitAt(environment, index);
  return wait == nullptr ? -EBADF : wait->Stop();
}

}  // namespace

void ExportSysvWait(Exports& exports) {
  ExportBell(exports);
  exports.Function<WaitOpen>("waitOpen")
      .Function<WaitReceive>("waitReceive")
      .Function<WaitSend>("waitSend")
      .Function<WaitResult>("waitResult")
      .Function<WaitStop>("waitStop");
}

}  // namespace octoipc
