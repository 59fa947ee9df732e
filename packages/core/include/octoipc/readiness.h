// Readiness of any number of descriptors, told to JavaScript on the environment's thread.
//
// All descriptors of one environment are in one epoll set, edge-triggered, and the set's own
// descriptor is what a Pump watches. So a wait costs no epoll_ctl after the first, libuv never sees
// a descriptor that it might also know from elsewhere, and both pumps share everything but the
// waiting.
#pragma once

#include <napi.h>
#include <poll.h>
#include <sys/epoll.h>
#include <time.h>

#include <algorithm>
#include <memory>

#include "octoipc/environment.h"
#include "octoipc/pump.h"
#include "octoipc/retry.h"
#include "octoipc/unique_fd.h"

namespace octoipc {

/// Lifetime:
/// 1. Kept by its Environment and destroyed with it; the pump goes before the epoll set.
/// 2. A descriptor is taken out of the set before it is closed (`Remove`): epoll knows open file
///    descriptions, and one that another process still holds would go on reporting.
/// 3. The JavaScript callback must not throw; what it throws all the same is an uncaught exception.
class Readiness : public Resource {
 public:
  enum Mode : int32_t { kAutomatic = 0, kLoop = 1, kThread = 2 };
  /// Added to a mode: JavaScript is called as from JavaScript. Deno ends the process in
  /// napi_make_callback, and runs what is due after a thread-safe function's call by itself.
  static constexpr int32_t kPlainCall = 4;

  /// `events` is filled with pairs of slot and epoll mask, then `ready(count)` is called.
  static int64_t Open(Environment& environment, Napi::Function ready, Napi::Object events,
                      int32_t mode) {
    std::unique_ptr<Readiness> readiness(new Readiness(environment.env(), ready, events));
    if (!readiness->epoll_) return -errno;
    readiness->plain_call_ = (mode & kPlainCall) != 0;
    const int64_t started = readiness->Start(mode & ~kPlainCall);
    if (started < 0) return started;
    return environment.Keep(std::move(readiness));
  }

  int64_t Add(int fd, uint32_t slot) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;
    event.data.u32 = slot;
    return ValueOrError([&] { return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event); });
  }

  int64_t Remove(int fd) {
    return ValueOrError([&] { return ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); });
  }

  void Keep(bool alive) { pump_->Keep(alive); }
  bool on_loop() const { return on_loop_; }

 private:
  static constexpr int kBatch = 64;

  Readiness(napi_env env, Napi::Function ready, Napi::Object events)
      : env_(env),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        ready_(Napi::Persistent(ready)),
        events_(Napi::Persistent(events)) {}

  int64_t Start(int32_t mode) {
    if (mode != kThread) {
      pump_ = UvPump::Create(env_, epoll_.get(), OnReady, this);
      on_loop_ = pump_ != nullptr;
    }
    if (pump_ == nullptr && mode != kLoop) {
      pump_ = ThreadPump::Create(env_, epoll_.get(), OnReady, this);
    }
    return pump_ == nullptr ? -EAGAIN : 0;
  }

  static void OnReady(void* data) { static_cast<Readiness*>(data)->Deliver(); }

  void Deliver() {
    Napi::HandleScope scope(env_);
    // One batch a turn of the event loop: what is left keeps the set readable, and timers come
    // first.
    epoll_event ready[kBatch];
    const int64_t count = Retry([&] { return ::epoll_wait(epoll_.get(), ready, kBatch, 0); });
    if (count > 0) Tell(ready, static_cast<int>(count));
  }

  void Tell(const epoll_event* ready, int count) {
    int32_t* pairs = nullptr;
    size_t length = 0;
    napi_value events = events_.Value();
    if (napi_get_typedarray_info(env_, events, nullptr, &length, reinterpret_cast<void**>(&pairs),
                                 nullptr, nullptr) != napi_ok ||
        length < 2 * kBatch) {
      return;
    }
    for (int i = 0; i < count; ++i) {
      pairs[2 * i] = static_cast<int32_t>(ready[i].data.u32);
      pairs[2 * i + 1] = static_cast<int32_t>(ready[i].events);
    }
    napi_value argument = ToValue(env_, count);
    const napi_status status =
        plain_call_
            ? napi_call_function(env_, events, ready_.Value(), 1, &argument, nullptr)
            : napi_make_callback(env_, nullptr, events, ready_.Value(), 1, &argument, nullptr);
    if (status == napi_pending_exception) {
      napi_value error = nullptr;
      if (napi_get_and_clear_last_exception(env_, &error) == napi_ok) {
        napi_fatal_exception(env_, error);
      }
    }
  }

  napi_env env_;
  UniqueFd epoll_;
  std::unique_ptr<Pump> pump_;
  bool on_loop_ = false;
  bool plain_call_ = false;
  Napi::FunctionReference ready_;
  Napi::ObjectReference events_;
};

template <>
struct Argument<Napi::Object> {
  static bool Read(napi_env env, napi_value value, Napi::Object* out) {
    napi_valuetype type;
    if (napi_typeof(env, value, &type) != napi_ok || type != napi_object) return false;
    *out = Napi::Object(env, value);
    return true;
  }
};

inline int64_t ReadinessAdd(Environment& environment, int index, int fd, uint32_t slot) {
  auto* readiness = static_cast<Readiness*>(environment.Kept(index));
  return readiness == nullptr ? -EBADF : readiness->Add(fd, slot);
}

inline int64_t ReadinessRemove(Environment& environment, int index, int fd) {
  auto* readiness = static_cast<Readiness*>(environment.Kept(index));
  return readiness == nullptr ? -EBADF : readiness->Remove(fd);
}

inline int64_t ReadinessKeep(Environment& environment, int index, bool alive) {
  auto* readiness = static_cast<Readiness*>(environment.Kept(index));
  if (readiness == nullptr) return -EBADF;
  readiness->Keep(alive);
  return 0;
}

/// 1: libuv's poll on the loop; 2: the poller thread.
inline int64_t ReadinessMode(Environment& environment, int index) {
  auto* readiness = static_cast<Readiness*>(environment.Kept(index));
  if (readiness == nullptr) return -EBADF;
  return readiness->on_loop() ? Readiness::kLoop : Readiness::kThread;
}

/// poll(2) of one descriptor on the calling thread: its events, 0 after the timeout, or -EINTR,
/// after which the caller, who knows the deadline, calls again. One that does not wait is never
/// interrupted.
inline int64_t Poll(int fd, int events, int milliseconds) {
  pollfd one = {fd, static_cast<int16_t>(events), 0};
  const auto call = [&] { return ::poll(&one, 1, milliseconds); };
  const int64_t count = milliseconds == 0 ? Retry(call) : ValueOrError(call);
  return count <= 0 ? count : one.revents;
}

inline void ExportReadiness(Exports& exports) {
  exports.Function<Readiness::Open>("readinessOpen")
      .Function<ReadinessAdd>("readinessAdd")
      .Function<ReadinessRemove>("readinessRemove")
      .Function<ReadinessKeep>("readinessKeep")
      .Function<ReadinessMode>("readinessMode")
      .Function<Poll>("poll");
}

}  // namespace octoipc
