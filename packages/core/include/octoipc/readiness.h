// Readiness of any number of descriptors, told to JavaScript on the environment's thread.
//
// On libuv's loop a descriptor that is in non-blocking mode already is polled by a handle of its
// own, level-triggered, which JavaScript leaves armed between waits. All others of an environment
// are in one epoll set, edge-triggered, and the set's own descriptor is what a Pump watches; one
// that goes on being waited for is polled by libuv all the same, by a number that it does not
// share. Either way a wait costs no epoll_ctl after the first few.
#pragma once

#include <fcntl.h>
#include <napi.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <unordered_map>

#include "octoipc/environment.h"
#include "octoipc/pump.h"
#include "octoipc/retry.h"
#include "octoipc/unique_fd.h"
#include "octoipc/uv_poll.h"

namespace octoipc {

/// Lifetime:
/// 1. Kept by its Environment and destroyed with it; the pump goes before the epoll set. A worker
///    that is terminated has its polls closed here, while the loop can still close them.
/// 2. A descriptor is taken out of the set before it is closed (`Remove`): epoll knows open file
///    descriptions, and one that another process still holds would go on reporting.
/// 3. The JavaScript callback must not throw; what it throws all the same is an uncaught exception.
class Readiness : public Resource {
 public:
  enum Mode : int32_t { kAutomatic = 0, kLoop = 1, kThread = 2 };
  /// Added to a mode: JavaScript is called as from JavaScript. Deno ends the process in
  /// napi_make_callback, and runs what is due after a thread-safe function's call by itself.
  static constexpr int32_t kPlainCall = 4;

  /// `events` is filled with pairs of slot and epoll mask, then `ready(count)` is called. Behind
  /// them there may be two words of JavaScript's and ours: whether somebody keeps the loop alive,
  /// which is looked at after each call, and whether a call is under way, so that this will be.
  static int64_t Open(Environment& environment, Napi::Function ready, Napi::Object events,
                      int32_t mode) {
    std::unique_ptr<Readiness> readiness(new Readiness(environment.env(), ready, events));
    if (!readiness->epoll_) return -errno;
    if (!readiness->Share(events)) return -EFAULT;
    readiness->plain_call_ = (mode & kPlainCall) != 0;
    const int64_t started = readiness->Start(mode & ~kPlainCall);
    if (started < 0) return started;
    return environment.Keep(std::move(readiness));
  }

  int64_t Add(int fd, uint32_t slot) {
    return ValueOrError([&] { return Arm(EPOLL_CTL_ADD, fd, slot) ? 0 : -1; });
  }

  int64_t Remove(int fd) {
    return ValueOrError([&] { return ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); });
  }

  /// Polls for these events of poll(2), none: not at all for now, by a handle of the descriptor's
  /// own. -ENOTSUP where it has to go into the set: without libuv, in blocking mode, which
  /// uv_poll_init would end for all who share the open file description, or already in the loop.
  int64_t Watch(int fd, uint32_t slot, int events) {
    auto found = polls_.find(slot);
    // Who had the slot before is gone, and so may be what has its number now.
    if (found != polls_.end() && found->second->fd() != fd) {
      polls_.erase(found);
      found = polls_.end();
    }
    if (found == polls_.end()) {
      auto watched = Watched::Open(*this, fd, slot);
      if (watched == nullptr) return -ENOTSUP;
      found = polls_.emplace(slot, std::move(watched)).first;
    }
    return found->second->Poll(events) ? 0 : -ENOTSUP;
  }

  /// Watch for what is in the set and in blocking mode: libuv is given an eventfd, of which it sets
  /// O_NONBLOCK, and then that number is made one more of the descriptor's open file description.
  /// -ENOTSUP where there are enough of these, or none can be had.
  int64_t StandIn(int fd, uint32_t slot, int events) {
    // Armed anew the set tells once more what is there: not where nothing can come of it.
    if (!on_loop_ || stand_ins_ >= kStandIns || polls_.count(slot) > 0) return -ENOTSUP;
    if (!Arm(EPOLL_CTL_MOD, fd, slot)) return -ENOTSUP;
    auto watched = Watched::StandIn(*this, fd, slot);
    if (watched == nullptr) return -ENOTSUP;
    const bool polls = watched->Poll(events);
    if (polls) polls_.emplace(slot, std::move(watched));
    return polls ? 0 : -ENOTSUP;
  }

  /// Ends what these began, before the descriptor is closed.
  int64_t Unwatch(uint32_t slot) { return polls_.erase(slot) > 0 ? 0 : -ENOENT; }

  void Keep(bool alive) {
    if (alive == kept_) return;
    kept_ = alive;
    pump_->Keep(alive);
  }
  bool on_loop() const { return on_loop_; }

 private:
  static constexpr int kBatch = 64;
  /// Where the two words are.
  static constexpr int kAlive = 2 * kBatch;
  static constexpr int kCalling = kAlive + 1;

  /// Descriptors that have a second number at most.
  static constexpr int kStandIns = 64;

  /// In the set all edges are told.
  bool Arm(int operation, int fd, uint32_t slot) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;
    event.data.u32 = slot;
    return ::epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
  }

  /// One descriptor's own poll.
  class Watched {
   public:
    ~Watched() {
      if (stand_in_) readiness_.stand_ins_ -= 1;
    }

    static std::unique_ptr<Watched> StandIn(Readiness& readiness, int fd, uint32_t slot) {
      UniqueFd number(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
      if (!number) return nullptr;
      std::unique_ptr<Watched> watched(new Watched(readiness, fd, slot));
      watched->poll_ = UvPoll::Open(readiness.env_, number.get(), OnPoll, watched.get());
      if (watched->poll_ == nullptr) return nullptr;
      if (Retry([&] { return ::dup3(fd, number.get(), O_CLOEXEC); }) < 0) {
        // The loop forgets the number before it is closed.
        watched->poll_.reset();
        return nullptr;
      }
      watched->stand_in_ = std::move(number);
      readiness.stand_ins_ += 1;
      return watched;
    }

    static std::unique_ptr<Watched> Open(Readiness& readiness, int fd, uint32_t slot) {
      // Node opens streams over 0 to 2 when a program first asks for them.
      if (!readiness.on_loop_ || fd <= STDERR_FILENO) return nullptr;
      const int64_t flags = Retry([&] { return ::fcntl(fd, F_GETFL); });
      if (flags < 0 || (flags & O_NONBLOCK) == 0) return nullptr;
      std::unique_ptr<Watched> watched(new Watched(readiness, fd, slot));
      watched->poll_ = UvPoll::Open(readiness.env_, fd, OnPoll, watched.get());
      return watched->poll_ == nullptr ? nullptr : std::move(watched);
    }

    int fd() const { return fd_; }

    bool Poll(int events) {
      const int wanted =
          ((events & POLLIN) != 0 ? UV_READABLE : 0) | ((events & POLLOUT) != 0 ? UV_WRITABLE : 0);
      if (wanted != 0) return poll_->Start(wanted);
      poll_->Stop();
      return true;
    }

   private:
    Watched(Readiness& readiness, int fd, uint32_t slot)
        : readiness_(readiness), fd_(fd), slot_(slot) {}

    /// libuv tells of POLLERR by a status, and has stopped: that is for everyone who waits.
    static void OnPoll(void* self, int status, int events) {
      auto* watched = static_cast<Watched*>(self);
      const int mask = status < 0 ? POLLERR
                                  : ((events & UV_READABLE) != 0 ? POLLIN : 0) |
                                        ((events & UV_WRITABLE) != 0 ? POLLOUT : 0);
      // What is called may end this object.
      watched->readiness_.Tell(watched->slot_, mask);
    }

    Readiness& readiness_;
    /// Whose poll it is, also where another number stands in.
    int fd_;
    uint32_t slot_;
    /// Before the poll, which goes first.
    UniqueFd stand_in_;
    std::unique_ptr<UvPoll> poll_;
  };

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

  /// The memory of a typed array that JavaScript never resizes or gives away: its address stays.
  bool Share(napi_value events) {
    size_t length = 0;
    napi_typedarray_type type;
    void* memory = nullptr;
    if (napi_get_typedarray_info(env_, events, &type, &length, &memory, nullptr, nullptr) !=
            napi_ok ||
        type != napi_int32_array || length < 2 * kBatch) {
      return false;
    }
    words_ = static_cast<int32_t*>(memory);
    tells_alive_ = length > kCalling;
    return true;
  }

  void Deliver() {
    // One batch a turn of the event loop: what is left keeps the set readable, and timers come
    // first.
    epoll_event ready[kBatch];
    const int64_t count = Retry([&] { return ::epoll_wait(epoll_.get(), ready, kBatch, 0); });
    for (int64_t i = 0; i < count; ++i) {
      words_[2 * i] = static_cast<int32_t>(ready[i].data.u32);
      words_[2 * i + 1] = static_cast<int32_t>(ready[i].events);
    }
    if (count > 0) Call(count);
  }

  void Tell(uint32_t slot, int mask) {
    words_[0] = static_cast<int32_t>(slot);
    words_[1] = mask;
    Call(1);
  }

  void Call(int64_t count) {
    Napi::HandleScope scope(env_);
    if (tells_alive_) words_[kCalling] = 1;
    napi_value argument = ToValue(env_, count);
    const napi_status status =
        plain_call_
            ? napi_call_function(env_, events_.Value(), ready_.Value(), 1, &argument, nullptr)
            : napi_make_callback(env_, nullptr, events_.Value(), ready_.Value(), 1, &argument,
                                 nullptr);
    if (tells_alive_) words_[kCalling] = 0;
    if (status == napi_pending_exception) {
      napi_value error = nullptr;
      if (napi_get_and_clear_last_exception(env_, &error) == napi_ok) {
        napi_fatal_exception(env_, error);
      }
    }
    if (tells_alive_) Keep(words_[kAlive] != 0);
  }

  napi_env env_;
  UniqueFd epoll_;
  std::unique_ptr<Pump> pump_;
  int stand_ins_ = 0;
  std::unordered_map<uint32_t, std::unique_ptr<Watched>> polls_;
  bool on_loop_ = false;
  bool kept_ = false;
  bool tells_alive_ = false;
  bool plain_call_ = false;
  int32_t* words_ = nullptr;
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

inline int64_t ReadinessWatch(Environment& environment, int index, int fd, uint32_t slot,
                              int events) {
  auto* readiness = static_cast<Readiness*>(environment.Kept(index));
  return readiness == nullptr ? -EBADF : readiness->Watch(fd, slot, events);
}

inline int64_t ReadinessStandIn(Environment& environment, int index, int fd, uint32_t slot,
                                int events) {
  auto* readiness = static_cast<Readiness*>(environment.Kept(index));
  return readiness == nullptr ? -EBADF : readiness->StandIn(fd, slot, events);
}

inline int64_t ReadinessUnwatch(Environment& environment, int index, uint32_t slot) {
  auto* readiness = static_cast<Readiness*>(environment.Kept(index));
  return readiness == nullptr ? -EBADF : readiness->Unwatch(slot);
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
      .Function<ReadinessWatch>("readinessWatch")
      .Function<ReadinessStandIn>("readinessStandIn")
      .Function<ReadinessUnwatch>("readinessUnwatch")
      .Function<ReadinessKeep>("readinessKeep")
      .Function<ReadinessMode>("readinessMode")
      .Function<Poll>("poll");
}

}  // namespace octoipc
