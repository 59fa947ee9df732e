// A thread of ours that makes one blocking call after the other, where the kernel offers no
// descriptor; each call can be stopped, and then it is known whether it has done anything.
#pragma once

#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <functional>
#include <memory>

#include "octoipc/bell.h"
#include "octoipc/environment.h"
#include "octoipc/retry.h"
#include "octoipc/waiting_thread.h"

namespace octoipc {

/// Lifetime:
/// 1. The thread starts with the first call, and ends by itself when none came for a while.
/// 2. `Stop` interrupts the call by a signal, again and again until it has returned, since the
///    signal may come before the call begins. What it answers is final: done, or -EINTR, nothing.
/// 3. The destructor stops the call and joins the thread.
class CallingThread : public Resource {
 public:
  /// Makes the call once; -EINTR when a signal came and nothing was done.
  using Job = std::function<int64_t()>;

  CallingThread(std::shared_ptr<Bell> bell, int32_t who)
      : bell_(std::move(bell)), who_(who), signal_(WakeSignal()) {}

  ~CallingThread() override {
    Stop();
    if (!started_) return;
    state_.store(kEnded);
    Wake();
    pthread_join(thread_, nullptr);
  }

  /// 0, or -errno when no thread can be started.
  int64_t Begin(Job job) {
    // Nothing can get the call out of the kernel again: then it must not begin.
    if (signal_ < 0) return -EAGAIN;
    const uint32_t now = state_.load(std::memory_order_acquire);
    if (started_ && (now == kCalling || now == kDone)) return -EBUSY;
    job_ = std::move(job);
    uint32_t state = kIdle;
    if (started_ && state_.compare_exchange_strong(state, kCalling)) {
      Wake();
      return 0;
    }
    if (started_) pthread_join(thread_, nullptr);
    started_ = false;
    state_.store(kCalling);
    const int64_t error = StartThread();
    if (error < 0) state_.store(kIdle);
    return error;
  }

  /// -EINPROGRESS while the call runs, which no call answers that waits; then what it answered.
  /// Asking again gives -ESRCH.
  int64_t Result() {
    const uint32_t state = state_.load(std::memory_order_acquire);
    if (state == kCalling) return -EINPROGRESS;
    if (state != kDone) return -ESRCH;
    const int64_t result = result_;
    state_.store(kIdle);
    return result;
  }

  /// Ends the call; its result, which is -EINTR if it did nothing, or -ESRCH if there was none.
  int64_t Stop() {
    stopping_.store(true);
    while (state_.load(std::memory_order_acquire) == kCalling) {
      pthread_kill(thread_, signal_);
      Wait(kCalling, {0, 200'000});
    }
    stopping_.store(false);
    return Result();
  }

 private:
  enum State : uint32_t { kIdle, kCalling, kDone, kEnded };

  int64_t Wait(uint32_t value, const timespec& time) {
    return ValueOrError([&] {
      return ::syscall(SYS_futex, &state_, FUTEX_WAIT_PRIVATE, value, &time, nullptr, 0);
    });
  }

  void Wake() { ::syscall(SYS_futex, &state_, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0); }

  /// Signals are for the threads of the runtime: ours blocks all of them but the one that wakes it.
  int64_t StartThread() {
    sigset_t mask;
    sigset_t before;
    sigfillset(&mask);
    sigdelset(&mask, signal_);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 * 1024);
    pthread_sigmask(SIG_SETMASK, &mask, &before);
    const int error = pthread_create(&thread_, &attributes, Run, this);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_attr_destroy(&attributes);
    started_ = error == 0;
    return -error;
  }

  static void* Run(void* self) {
    static_cast<CallingThread*>(self)->Loop();
    return nullptr;
  }

  void Loop() {
    for (;;) {
      if (state_.load(std::memory_order_acquire) != kCalling) {
        if (!Idle()) return;
        continue;
      }
      result_ = Make();
      state_.store(kDone);
      if (stopping_.load()) {
        Wake();
      } else {
        bell_->Ring(who_);
      }
    }
  }

  /// The call itself, until it has an answer or is stopped.
  int64_t Make() {
    while (!stopping_.load(std::memory_order_acquire)) {
      const int64_t result = job_();
      if (result != -EINTR) return result;
    }
    return -EINTR;
  }

  /// Sleeps until there may be something to do; false if the thread is to end.
  bool Idle() {
    uint32_t state = state_.load(std::memory_order_acquire);
    if (state == kCalling) return true;
    if (state == kEnded) return false;
    const int64_t slept = Wait(state, {0, 100'000'000});
    // A result that is still to be asked for keeps the thread.
    if (slept != -ETIMEDOUT || state != kIdle) return true;
    return !state_.compare_exchange_strong(state, kEnded);
  }

  const std::shared_ptr<Bell> bell_;
  const int32_t who_;
  const int signal_;
  pthread_t thread_{};
  bool started_ = false;
  std::atomic<uint32_t> state_{kIdle};
  std::atomic<bool> stopping_{false};
  /// Written before the call begins, and its result before it is done.
  Job job_;
  int64_t result_ = 0;
};

}  // namespace octoipc
