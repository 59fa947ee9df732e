// The thread that waits for words which JavaScript waits for.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "octoipc/bell.h"
#include "octoipc/environment.h"
#include "region.h"

namespace octoipc {

/// Waits for any number of words at once.
///
/// Lifetime:
/// 1. One for each environment, begun at the first wait, and never detached: the destructor wakes
///    and joins it.
/// 2. An armed word rings the bell once, when it may differ from what was expected, and is
///    disarmed. The thread never reads memory itself: the kernel does, to which a hole is EFAULT.
/// 3. What is armed keeps its mapping.
class WordWatch : public Resource {
 public:
  explicit WordWatch(std::shared_ptr<Bell> bell) : bell_(std::move(bell)) {}
  ~WordWatch() override;

  /// 0, or -errno.
  int64_t Start();

  void Arm(std::shared_ptr<Mapping> memory, Word* word, uint32_t expected, int32_t who);
  /// Whether it was still armed; if not, it has rung.
  bool Disarm(int32_t who);

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
