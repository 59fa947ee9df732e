// How an environment learns that one descriptor of ours became readable: libuv's poll on its own
// loop, or a thread that polls and hands over by a thread-safe function.
#pragma once

#include <napi.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>

#include <atomic>
#include <memory>

#include "octoipc/retry.h"
#include "octoipc/unique_fd.h"
#include "octoipc/uv_poll.h"

namespace octoipc {

/// Calls `ready(data)` on the environment's thread whenever the descriptor is readable.
class Pump {
 public:
  using Ready = void (*)(void* data);

  virtual ~Pump() = default;
  /// Whether the event loop stays alive for this pump's sake.
  virtual void Keep(bool alive) = 0;
};

/// libuv's poll of one descriptor.
class UvPump : public Pump {
 public:
  /// nullptr where the runtime has no loop to poll on.
  static std::unique_ptr<Pump> Create(napi_env env, int fd, Ready ready, void* data) {
    std::unique_ptr<UvPump> pump(new UvPump(ready, data));
    pump->poll_ = UvPoll::Open(env, fd, OnPoll, pump.get());
    if (pump->poll_ == nullptr || !pump->poll_->Start(UV_READABLE)) return nullptr;
    return pump;
  }

  void Keep(bool alive) override { poll_->Keep(alive); }

 private:
  UvPump(Ready ready, void* data) : ready_(ready), data_(data) {}

  static void OnPoll(void* self, int, int) {
    auto* pump = static_cast<UvPump*>(self);
    pump->ready_(pump->data_);
  }

  Ready ready_;
  void* data_;
  std::unique_ptr<UvPoll> poll_;
};

/// Lifetime:
/// 1. The thread sees nothing but the descriptor, an eventfd and the thread-safe function.
/// 2. After each hand-over it sleeps until the environment's thread has called `ready`, so a level
///    that stays high does not make it spin.
/// 3. The thread ends before the thread-safe function does, whichever of this object's destructor
/// and
///    the function's finalizer comes first: either sets stop, wakes the thread and joins it. No
///    thread is ever detached.
/// 4. The function outlives this object until the loop has closed it, so it refers to a Link.
class ThreadPump : public Pump {
 public:
  /// nullptr where the thread cannot be started.
  static std::unique_ptr<Pump> Create(napi_env env, int fd, Ready ready, void* data) {
    std::unique_ptr<ThreadPump> pump(new ThreadPump(env, fd, ready, data));
    if (!pump->wake_) return nullptr;
    auto link = std::make_unique<Link>(Link{pump.get()});
    napi_value name = nullptr;
    napi_create_string_utf8(env, "octoipc:readiness", NAPI_AUTO_LENGTH, &name);
    if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, link.get(), OnFinalize,
                                        link.get(), OnCall, &pump->function_) != napi_ok) {
      return nullptr;
    }
    pump->link_ = link.release();
    napi_unref_threadsafe_function(env, pump->function_);
    if (!pump->StartThread()) return nullptr;
    return pump;
  }

  ~ThreadPump() override {
    StopThread();
    if (function_ == nullptr) return;
    link_->pump = nullptr;
    napi_release_threadsafe_function(function_, napi_tsfn_abort);
  }

  void Keep(bool alive) override {
    if (function_ == nullptr) return;
    if (alive) {
      napi_ref_threadsafe_function(env_, function_);
    } else {
      napi_unref_threadsafe_function(env_, function_);
    }
  }

 private:
  struct Link {
    ThreadPump* pump;
  };

  ThreadPump(napi_env env, int fd, Ready ready, void* data)
      : env_(env), fd_(fd), ready_(ready), data_(data), wake_(eventfd(0, EFD_CLOEXEC)) {}

  /// Signals are for the threads of the runtime: ours blocks all of them.
  bool StartThread() {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    started_ = pthread_create(&thread_, nullptr, Run, this) == 0;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return started_;
  }

  void StopThread() {
    if (!started_) return;
    started_ = false;
    stop_.store(true, std::memory_order_release);
    Wake();
    pthread_join(thread_, nullptr);
  }

  void Wake() {
    const uint64_t one = 1;
    Retry([&] { return ::write(wake_.get(), &one, sizeof one); });
  }

  /// Returns once the environment's thread has woken us, with nothing left to do or with stop set.
  void SleepUntilWoken() {
    uint64_t count = 0;
    Retry([&] { return ::read(wake_.get(), &count, sizeof count); });
  }

  static void* Run(void* self) {
    static_cast<ThreadPump*>(self)->Loop();
    return nullptr;
  }

  void Loop() {
    while (!stop_.load(std::memory_order_acquire)) {
      pollfd fds[2] = {{fd_, POLLIN, 0}, {wake_.get(), POLLIN, 0}};
      Retry([&] { return ::poll(fds, 2, -1); });
      if (stop_.load(std::memory_order_acquire)) return;
      if ((fds[0].revents & POLLIN) != 0) {
        // While the environment closes nobody will take this over: then only stop wakes us.
        napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking);
      }
      SleepUntilWoken();
    }
  }

  static void OnCall(napi_env env, napi_value, void* context, void*) {
    ThreadPump* pump = static_cast<Link*>(context)->pump;
    // env is null while the environment is being torn down.
    if (env == nullptr || pump == nullptr) return;
    pump->ready_(pump->data_);
    pump->Wake();
  }

  static void OnFinalize(napi_env, void* data, void*) {
    std::unique_ptr<Link> link(static_cast<Link*>(data));
    if (link->pump == nullptr) return;
    link->pump->StopThread();
    link->pump->function_ = nullptr;
  }

  napi_env env_;
  int fd_;
  Ready ready_;
  void* data_;
  UniqueFd wake_;
  Link* link_ = nullptr;
  napi_threadsafe_function function_ = nullptr;
  pthread_t thread_{};
  bool started_ = false;
  std::atomic<bool> stop_{false};
};

}  // namespace octoipc
