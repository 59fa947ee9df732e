// Children that run: waiting for them, reaping them, sending them signals.
#pragma once

#include <sys/types.h>

#include <span>
#include <unordered_map>

#include "octoipc/environment.h"
#include "octoipc/unique_fd.h"

namespace octoipc {

/// waitid(2) by pidfd: 1 when the child has ended, 0 when not, or -errno; `ending` is its code and
/// status, then what it used (getrusage(2)). With `keep` it stays a zombie, which keeps its number
/// from being given to others.
int64_t WaitByPidfd(int pidfd, Numbers ending, bool keep);

/// Lifetime:
/// 1. One per environment. It knows every child whose end was not taken yet, by pidfd, and the
///    number of such a child is nobody else's: signals go to numbers that it knows only.
/// 2. When the environment ends, children that still run are handed to the process's Keeper, which
///    takes their end: a worker that ends kills nothing and leaves no zombie.
class Children : public Resource {
 public:
  explicit Children(Environment& environment) : environment_(environment) {}
  ~Children() override;

  void Add(int pidfd, pid_t pid) {
    children_.emplace(pidfd, pid);
    environment_.Own(pidfd);
  }

  /// The child's pid, or -1.
  pid_t Find(int pidfd) const {
    const auto found = children_.find(pidfd);
    return found == children_.end() ? -1 : found->second;
  }

  void Forget(int pidfd) { children_.erase(pidfd); }

  /// Leaves a child to the Keeper; the descriptor goes with it.
  void Abandon(int pidfd);

 private:
  Environment& environment_;
  std::unordered_map<int, pid_t> children_;
};

/// What this binding keeps beside descriptors.
class PopenEnvironment : public Environment {
 public:
  explicit PopenEnvironment(napi_env env) : Environment(env) {
    auto children = std::make_unique<Children>(*this);
    children_ = children.get();
    Keep(std::move(children));
  }

  Children& children() { return *children_; }

 private:
  Children* children_;
};

void ExportChildren(Exports& exports);

}  // namespace octoipc
