// libuv's poll of one descriptor on an environment's own loop.
#pragma once

#include <dlfcn.h>
#include <napi.h>
#include <uv.h>

#include <cstdlib>
#include <memory>

namespace octoipc {

/// libuv's functions, looked up at run time: not every runtime with Node-API has them.
struct Uv {
  decltype(&uv_poll_init) poll_init;
  decltype(&uv_poll_start) poll_start;
  decltype(&uv_poll_stop) poll_stop;
  decltype(&uv_close) close;
  decltype(&uv_ref) ref;
  decltype(&uv_unref) unref;
  decltype(&uv_handle_size) handle_size;

  /// The table, or nullptr where a function is missing.
  static const Uv* Find() {
    static const Uv table = {
        Symbol<decltype(&uv_poll_init)>("uv_poll_init"),
        Symbol<decltype(&uv_poll_start)>("uv_poll_start"),
        Symbol<decltype(&uv_poll_stop)>("uv_poll_stop"),
        Symbol<decltype(&uv_close)>("uv_close"),
        Symbol<decltype(&uv_ref)>("uv_ref"),
        Symbol<decltype(&uv_unref)>("uv_unref"),
        Symbol<decltype(&uv_handle_size)>("uv_handle_size"),
    };
    const bool whole = table.poll_init && table.poll_start && table.poll_stop && table.close &&
                       table.ref && table.unref && table.handle_size;
    return whole ? &table : nullptr;
  }

 private:
  template <typename Pointer>
  static Pointer Symbol(const char* name) {
    return reinterpret_cast<Pointer>(dlsym(RTLD_DEFAULT, name));
  }
};

/// Lifetime:
/// 1. The handle's memory belongs to libuv until its close callback frees it, which may be after
///    this object, and after the addon's last environment: the addon is linked with -z nodelete.
/// 2. uv_poll_stop takes the descriptor out of the loop at once, so its owner may close it right
///    after this object.
/// 3. It never keeps the loop alive unless it is told to.
class UvPoll {
 public:
  /// `status` is negative where libuv has stopped polling by itself.
  using Ready = void (*)(void* data, int status, int events);

  /// nullptr where the runtime has no loop, or the loop does not take this descriptor: it is in it
  /// already, or is nothing that epoll knows. libuv sets O_NONBLOCK.
  static std::unique_ptr<UvPoll> Open(napi_env env, int fd, Ready ready, void* data) {
    const Uv* uv = Uv::Find();
    uv_loop_s* loop = nullptr;
    if (uv == nullptr || napi_get_uv_event_loop(env, &loop) != napi_ok || loop == nullptr) {
      return nullptr;
    }
    auto* handle = static_cast<uv_poll_t*>(calloc(1, uv->handle_size(UV_POLL)));
    if (handle == nullptr) return nullptr;
    if (uv->poll_init(loop, handle, fd) != 0) {
      free(handle);
      return nullptr;
    }
    std::unique_ptr<UvPoll> poll(new UvPoll(uv, handle, ready, data));
    poll->Keep(false);
    return poll;
  }

  UvPoll(const UvPoll&) = delete;
  UvPoll& operator=(const UvPoll&) = delete;
  ~UvPoll() {
    handle_->data = nullptr;
    uv_->poll_stop(handle_);
    uv_->close(reinterpret_cast<uv_handle_t*>(handle_), [](uv_handle_t* handle) { free(handle); });
  }

  /// Level-triggered, from the loop's next turn on, instead of what was polled for before.
  bool Start(int events) { return uv_->poll_start(handle_, events, OnPoll) == 0; }
  void Stop() { uv_->poll_stop(handle_); }

  void Keep(bool alive) {
    auto* handle = reinterpret_cast<uv_handle_t*>(handle_);
    alive ? uv_->ref(handle) : uv_->unref(handle);
  }

 private:
  UvPoll(const Uv* uv, uv_poll_t* handle, Ready ready, void* data)
      : uv_(uv), handle_(handle), ready_(ready), data_(data) {
    handle_->data = this;
  }

  static void OnPoll(uv_poll_t* handle, int status, int events) {
    auto* poll = static_cast<UvPoll*>(handle->data);
    if (poll != nullptr) poll->ready_(poll->data_, status, events);
  }

  const Uv* uv_;
  uv_poll_t* handle_;
  Ready ready_;
  void* data_;
};

}  // namespace octoipc
