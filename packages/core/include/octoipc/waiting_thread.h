// A thread of ours for a wait that the kernel offers no descriptor for. It can be cancelled.
#pragma once

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <mutex>
#include <utility>

#include "octoipc/environment.h"
#include "octoipc/retry.h"
#include "octoipc/unique_fd.h"

namespace octoipc {

/// Whether this thread can be sent a signal, which has a handler that does nothing. qemu-user takes
/// a handler for each, and sends none of the highest few.
inline bool CanBeSent(int number) {
  sigset_t alone;
  sigset_t before;
  sigemptyset(&alone);
  sigaddset(&alone, number);
  // So that it is not left pending.
  if (pthread_sigmask(SIG_UNBLOCK, &alone, &before) != 0) return false;
  const bool sent = pthread_kill(pthread_self(), number) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return sent;
}

/// The signal that gets a waiting thread out of a system call: the highest real-time signal that is
/// at its default when first asked for, and can be sent. Process-wide: its handler does nothing,
/// and stays.
inline int WakeSignal() {
  static std::once_flag once;
  static int number = -1;
  std::call_once(once, [] {
#ifdef SIGRTMAX
    const int last = SIGRTMIN;
    const int first = SIGRTMAX - 1;
#else
    // No real-time signals: one that nothing sends any more.
    const int last = SIGEMT - 1;
    const int first = SIGEMT;
#endif
    for (int candidate = first; candidate > last; --candidate) {
      struct sigaction now{};
      if (sigaction(candidate, nullptr, &now) != 0 || now.sa_handler != SIG_DFL) continue;
      struct sigaction ours{};
      ours.sa_handler = [](int) {};
      sigfillset(&ours.sa_mask);
      // No SA_RESTART: the call is to fail with EINTR.
      if (sigaction(candidate, &ours, nullptr) != 0) continue;
      if (CanBeSent(candidate)) {
        number = candidate;
        return;
      }
      sigaction(candidate, &now, nullptr);
    }
  });
  return number;
}

/// Lifetime:
/// 1. Runs one job, which gives a result; the job must return soon after `cancelled()` is true, and
///    treats EINTR as a reason to look.
/// 2. `done` becomes readable when the job has returned; its result is there from then on.
/// 3. Cancel, and the destructor, set the flag, wake the thread out of poll by an eventfd and out
/// of any
///    other call by a signal, again and again until it has ended, and join it. It is never
///    detached.
class WaitingThread : public Resource {
 public:
  using Job = std::function<int64_t(const WaitingThread&)>;

  WaitingThread() : done_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), wake_(eventfd(0, EFD_CLOEXEC)) {}
  ~WaitingThread() override { Cancel(); }

  /// 0, or -errno when the thread cannot be started.
  int64_t Start(Job job) {
    if (!done_ || !wake_) return -error_;
    job_ = std::move(job);
    signal_ = WakeSignal();
    sigset_t mask;
    sigset_t before;
    sigfillset(&mask);
    if (signal_ > 0) sigdelset(&mask, signal_);
    pthread_sigmask(SIG_SETMASK, &mask, &before);
    const int error = pthread_create(&thread_, nullptr, Run, this);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    started_ = error == 0;
    return -error;
  }

  void Cancel() {
    if (!started_) return;
    cancelled_.store(true, std::memory_order_release);
    Write(wake_.get());
    // The thread may be between its look at the flag and its call: the signal is repeated.
    while (!ended_.load(std::memory_order_acquire)) {
      if (signal_ > 0) pthread_kill(thread_, signal_);
      const timespec pause = {0, 200'000};
      nanosleep(&pause, nullptr);
    }
    pthread_join(thread_, nullptr);
    started_ = false;
  }

  bool cancelled() const { return cancelled_.load(std::memory_order_acquire); }
  bool ended() const { return ended_.load(std::memory_order_acquire); }
  /// Readable once cancelled: for jobs that sleep in poll(2).
  int wake_fd() const { return wake_.get(); }
  /// Readable once the job has returned.
  int done_fd() const { return done_.get(); }
  int64_t result() const { return result_; }

 private:
  static void Write(int fd) {
    const uint64_t one = 1;
    Retry([&] { return ::write(fd, &one, sizeof one); });
  }

  static void* Run(void* data) {
    auto* self = static_cast<WaitingThread*>(data);
    self->result_ = self->job_(*self);
    // In this order: whoever is told by `done` finds the thread ended.
    self->ended_.store(true, std::memory_order_release);
    Write(self->done_.get());
    return nullptr;
  }

  UniqueFd done_;
  UniqueFd wake_;
  /// Why one of them is missing: errno as the constructor found it.
  int error_ = done_ && wake_ ? 0 : errno;
  Job job_;
  pthread_t thread_{};
  int signal_ = -1;
  bool started_ = false;
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> ended_{false};
  int64_t result_ = 0;
};

}  // namespace octoipc
