// What a binding keeps for one JavaScript environment (the main thread, or one worker).
#pragma once

#include <fcntl.h>
#include <napi.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <unordered_set>
#include <vector>

#include "octoipc/args.h"
#include "octoipc/retry.h"

namespace octoipc {

/// Something that must stop before its environment ends: a poller, a waiting thread.
class Resource {
 public:
  virtual ~Resource() = default;
};

/// Lifetime:
/// 1. One per environment and addon, kept as instance data; nothing of it is shared between
/// threads.
/// 2. A cleanup hook runs Shutdown while the environment can still close handles of its event loop;
///    the destructor runs it where the hook did not.
/// 3. Shutdown destroys the resources first (threads are joined), then closes every descriptor that
///    JavaScript still owned.
class Environment {
 public:
  explicit Environment(napi_env env) : env_(env) {
    napi_add_env_cleanup_hook(env_, OnCleanup, this);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  virtual ~Environment() {
    // Deno panics when a hook is removed that has run.
    if (hooked_) napi_remove_env_cleanup_hook(env_, OnCleanup, this);
    Shutdown();
  }

  napi_env env() const { return env_; }

  void Own(int fd) {
    if (fds_.insert(fd).second) Weigh(kWeight);
  }
  void Disown(int fd) {
    if (fds_.erase(fd) > 0) Weigh(-kWeight);
  }
  bool Owns(int fd) const { return fds_.contains(fd); }

  /// Keeps a resource until the environment ends; its index is the handle that JavaScript uses.
  int64_t Keep(std::unique_ptr<Resource> resource) {
    const auto vacant = std::find(resources_.begin(), resources_.end(), nullptr);
    const auto index = vacant - resources_.begin();
    if (vacant == resources_.end()) {
      resources_.push_back(std::move(resource));
    } else {
      *vacant = std::move(resource);
    }
    return index;
  }

  Resource* Kept(int64_t index) const {
    if (index < 0 || static_cast<size_t>(index) >= resources_.size()) return nullptr;
    return resources_[static_cast<size_t>(index)].get();
  }

  void Drop(int64_t index) {
    if (Kept(index) != nullptr) resources_[static_cast<size_t>(index)].reset();
  }

  void Shutdown() {
    resources_.clear();
    for (const int fd : fds_) ::close(fd);
    fds_.clear();
  }

 private:
  static void OnCleanup(void* data) {
    auto* self = static_cast<Environment*>(data);
    self->hooked_ = false;
    self->Shutdown();
  }

  /// What a descriptor weighs for the garbage collector, about what the kernel holds behind one. A
  /// handle is small to JavaScript: without this, dropped ones would use up the limit on
  /// descriptors before a collection found them.
  static constexpr int64_t kWeight = 16 * 1024;

  void Weigh(int64_t change) {
    int64_t total = 0;
    napi_adjust_external_memory(env_, change, &total);
  }

  napi_env env_;
  bool hooked_ = true;
  std::unordered_set<int> fds_;
  std::vector<std::unique_ptr<Resource>> resources_;
};

/// close(2) of a descriptor that JavaScript owns. Never repeated on EINTR: the descriptor is gone.
inline int64_t CloseOwned(Environment& environment, int fd) {
  if (!environment.Owns(fd)) return -EBADF;
  environment.Disown(fd);
  const int64_t result = ValueOrError([&] { return ::close(fd); });
  return result == -EINTR ? 0 : result;
}

/// Takes over a descriptor that came from outside; it is close-on-exec from now on.
inline int64_t AdoptOwned(Environment& environment, int fd) {
  if (environment.Owns(fd)) return -EEXIST;
  const int64_t flags = Retry([&] { return ::fcntl(fd, F_GETFD); });
  if (flags == -EBADF) return flags;
  // There is no other flag. What else keeps it from being told says nothing against the descriptor,
  // which nobody else may own by now.
  if (flags < 0 || (flags & FD_CLOEXEC) == 0) {
    Retry([&] { return ::fcntl(fd, F_SETFD, FD_CLOEXEC); });
  }
  environment.Own(fd);
  return 0;
}

/// Takes over a close-on-exec duplicate of a descriptor that came from outside, which stays open.
inline int64_t AdoptCopyOwned(Environment& environment, int fd) {
  if (environment.Owns(fd)) return -EEXIST;
  const int64_t copy = Retry([&] { return ::fcntl(fd, F_DUPFD_CLOEXEC, 0); });
  if (copy >= 0) environment.Own(static_cast<int>(copy));
  return copy;
}

/// Gives a descriptor away without closing it.
inline int64_t ReleaseOwned(Environment& environment, int fd) {
  if (!environment.Owns(fd)) return -EBADF;
  environment.Disown(fd);
  return 0;
}

/// Names the functions that a binding exports.
class Exports {
 public:
  Exports(Environment& environment, Napi::Object object)
      : environment_(environment), object_(object) {}

  template <auto kFunction>
  Exports& Function(const char* name) {
    napi_value function = nullptr;
    napi_create_function(object_.Env(), name, NAPI_AUTO_LENGTH, Call<kFunction>::Invoke,
                         &environment_, &function);
    napi_set_named_property(object_.Env(), object_, name, function);
    return *this;
  }

  /// A function whose result is no number; its data is the environment.
  Exports& Callback(const char* name, napi_callback callback) {
    napi_value function = nullptr;
    napi_create_function(object_.Env(), name, NAPI_AUTO_LENGTH, callback, &environment_, &function);
    napi_set_named_property(object_.Env(), object_, name, function);
    return *this;
  }

  /// Not by Napi::Object: its failure is fatal where a worker is terminated while it loads this.
  Exports& Number(const char* name, int64_t value) {
    napi_set_named_property(object_.Env(), object_, name, ToValue(object_.Env(), value));
    return *this;
  }

 private:
  Environment& environment_;
  Napi::Object object_;
};

/// The functions that every binding with descriptors exports.
inline void ExportDescriptors(Exports& exports) {
  exports.Function<CloseOwned>("close")
      .Function<AdoptOwned>("adopt")
      .Function<AdoptCopyOwned>("adoptCopy")
      .Function<ReleaseOwned>("release");
}

template <typename State, void (*kRegister)(Exports&)>
Napi::Object Load(Napi::Env env, Napi::Object object) {
  auto* state = new State(env);
  env.SetInstanceData<State>(state);
  Exports exports(*state, object);
  kRegister(exports);
  return object;
}

}  // namespace octoipc

/// The addon's entry: its name, the state of one environment, and what names its functions.
#define OCTOIPC_ADDON(name, State, kRegister)                          \
  static Napi::Object LoadAddon(Napi::Env env, Napi::Object exports) { \
    return octoipc::Load<State, kRegister>(env, exports);              \
  }                                                                    \
  NODE_API_MODULE(name, LoadAddon)
