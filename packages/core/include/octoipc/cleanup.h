// Runs an action when a scope ends, unless it was dismissed.
#pragma once

#include <utility>

namespace octoipc {

template <typename Action>
class Cleanup {
 public:
  explicit Cleanup(Action action) : action_(std::move(action)) {}
  Cleanup(const Cleanup&) = delete;
  Cleanup& operator=(const Cleanup&) = delete;
  ~Cleanup() {
    if (armed_) action_();
  }
  void Dismiss() { armed_ = false; }

 private:
  Action action_;
  bool armed_ = true;
};

}  // namespace octoipc
