// How threads of ours tell JavaScript's thread that they are done: one descriptor for all of them.
#pragma once

#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "octoipc/environment.h"
#include "octoipc/retry.h"

namespace octoipc {

/// A descriptor that becomes readable, and who it was.
///
/// Lifetime: one for each environment, shared by its threads, which may end after it.
class Bell {
 public:
  /// The descriptor is JavaScript's; `Silence` before it is closed.
  explicit Bell(int fd) : fd_(fd) {}

  void Ring(int32_t who) {
    int fd = -1;
    {
      const std::lock_guard lock(mutex_);
      if (fd_ < 0) return;
      rung_.push_back(who);
      fd = fd_;
      ringing_.fetch_add(1);
    }
    // Without the lock, which the thread that is woken takes at once. Also if the last ring was not
    // answered: readiness is told of edges, and may have let that one go.
    const uint64_t one = 1;
    Retry([&] { return ::write(fd, &one, sizeof one); });
    ringing_.fetch_sub(1);
  }

  /// Who has rung since the last time, up to the size of `who`; how many. The descriptor is not
  /// read: readiness tells of each write as an edge, and a read would be one more, of EPOLLOUT, for
  /// which the event loop would turn once more.
  size_t Answer(Integers who) {
    std::vector<int32_t> more;
    if (source_) source_(more);
    const std::lock_guard lock(mutex_);
    rung_.insert(rung_.end(), more.begin(), more.end());
#ifndef __linux__
    // What stands in for an eventfd there would be full one day.
    char rings[256];
    while (fd_ >= 0 && ::read(fd_, rings, sizeof rings) > 0) {
    }
#endif
    const size_t count = std::min(who.size(), rung_.size());
    std::copy_n(rung_.begin(), count, who.begin());
    rung_.erase(rung_.begin(), rung_.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
  }

  /// What rings the descriptor without this bell is asked at each answer who that was, on the
  /// environment's thread.
  void Feed(std::function<void(std::vector<int32_t>&)> source) { source_ = std::move(source); }

  int fd() {
    const std::lock_guard lock(mutex_);
    return fd_;
  }

  /// From now on nobody is told.
  void Silence() {
    {
      const std::lock_guard lock(mutex_);
      fd_ = -1;
    }
    while (ringing_.load() != 0) ::sched_yield();
  }

 private:
  std::mutex mutex_;
  int fd_;
  std::vector<int32_t> rung_;
  std::function<void(std::vector<int32_t>&)> source_;
  /// How many are about to write.
  std::atomic<int> ringing_{0};
};

/// Keeps the bell of one environment, beside those who ring it.
struct BellHolder : Resource {
  explicit BellHolder(int fd) : bell(std::make_shared<Bell>(fd)) {}
  ~BellHolder() override { bell->Silence(); }
  const std::shared_ptr<Bell> bell;
};

/// The bell of this index; nullptr if there is none.
inline std::shared_ptr<Bell> BellAt(Environment& environment, int index) {
  auto* holder = static_cast<BellHolder*>(environment.Kept(index));
  return holder == nullptr ? nullptr : holder->bell;
}

/// A bell; `out` gets its descriptor, which JavaScript owns.
inline int64_t BellOpen(Environment& environment, Integers out) {
  if (out.empty()) return -EFAULT;
  // In blocking mode, since it is never read: the epoll set tells of each ring as an edge, where a
  // poll of its own would find it readable for ever.
  const int64_t fd = ValueOrError([] { return ::eventfd(0, EFD_CLOEXEC); });
  if (fd < 0) return fd;
  out[0] = static_cast<int32_t>(fd);
  environment.Own(out[0]);
  return environment.Keep(std::make_unique<BellHolder>(out[0]));
}

inline int64_t BellAnswer(Environment& environment, int index, Integers who) {
  const std::shared_ptr<Bell> bell = BellAt(environment, index);
  return bell == nullptr ? -EBADF : static_cast<int64_t>(bell->Answer(who));
}

inline void ExportBell(Exports& exports) {
  exports.Function<BellOpen>("bellOpen").Function<BellAnswer>("bellAnswer");
}

}  // namespace octoipc
