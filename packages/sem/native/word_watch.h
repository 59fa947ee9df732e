// What waits for words which JavaScript waits for.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "octoipc/bell.h"
#include "octoipc/environment.h"
#include "octoipc/futex_ring.h"
#include "region.h"

namespace octoipc {

/// Waits for any number of words at once, and rings the bell once for each that may differ from
/// what was expected, which is disarmed then.
///
/// Lifetime: one for each environment; what is armed keeps its mapping.
class WordWatch : public Resource {
 public:
  virtual int64_t Arm(std::shared_ptr<Mapping> memory, Word* word, uint32_t expected,
                      int32_t who) = 0;
  /// Whether it was still armed; if not, it has rung, and nobody may have been told yet.
  virtual bool Disarm(int32_t who) = 0;
};

/// Waits on the environment's own thread, which io_uring(7) wakes.
class RingWatch : public WordWatch {
 public:
  RingWatch(std::shared_ptr<Bell> bell, std::unique_ptr<FutexRing> ring);
  ~RingWatch() override { bell_->Feed(nullptr); }

  int64_t Arm(std::shared_ptr<Mapping> memory, Word* word, uint32_t expected, int32_t who) override;
  bool Disarm(int32_t who) override;

 private:
  const std::shared_ptr<Bell> bell_;
  const std::unique_ptr<FutexRing> ring_;
};

/// Waits on a thread, in futex_waitv(2).
///
/// Lifetime:
/// 1. Begun at the first wait, and never detached: the destructor wakes and joins it.
/// 2. The thread never reads memory itself: the kernel does, to which a hole is EFAULT.
class ThreadWatch : public WordWatch {
 public:
  explicit ThreadWatch(std::shared_ptr<Bell> bell) : bell_(std::move(bell)) {}
  ~ThreadWatch() override;

  /// 0, or -errno.
  int64_t Start();

  int64_t Arm(std::shared_ptr<Mapping> memory, Word* word, uint32_t expected, int32_t who) override;
  bool Disarm(int32_t who) override;

 private:
  struct Armed {
    std::shared_ptr<Mapping> memory;
    Word* word;
    uint32_t expected;
    int32_t who;
    uint64_t id;
  };

  static void* Run(void* self);
  void Loop();
  int64_t Sleep(uint32_t control, const std::vector<Armed>& armed);
  void Settle(const std::vector<Armed>& armed, int64_t woken);
  bool Disarmed(uint64_t id);
  void Wake();

  const std::shared_ptr<Bell> bell_;
  pthread_t thread_{};
  bool started_ = false;
  /// Changes whenever the thread is to look at what is armed.
  std::atomic<uint32_t> control_{0};
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::vector<Armed> armed_;
  uint64_t next_id_ = 0;
  size_t first_ = 0;
};

}  // namespace octoipc
