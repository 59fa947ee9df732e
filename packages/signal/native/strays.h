// Signals that came by a handler: what it may do is little, so it leaves them here.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "record.h"

namespace octoipc {

/// A bounded queue without locks; any thread puts, one at a time takes. Each thread puts at most
/// one of a kind before its mask is what it should be, so it does not fill.
///
/// Lifetime: a static object; nothing is allocated.
class Strays {
 public:
  /// Async-signal-safe. False when there is no room.
  bool Put(const Record& record) {
    uint64_t at = tail_.load(std::memory_order_relaxed);
    for (;;) {
      Slot& slot = slots_[at % kSize];
      const uint64_t turn = slot.turn.load(std::memory_order_acquire);
      if (turn == at) {
        if (tail_.compare_exchange_weak(at, at + 1, std::memory_order_relaxed)) {
          slot.record = record;
          slot.turn.store(at + 1, std::memory_order_release);
          return true;
        }
      } else if (turn < at) {
        return false;
      } else {
        at = tail_.load(std::memory_order_relaxed);
      }
    }
  }

  std::optional<Record> Take() {
    Slot& slot = slots_[head_ % kSize];
    if (slot.turn.load(std::memory_order_acquire) != head_ + 1) return std::nullopt;
    const Record record = slot.record;
    slot.turn.store(head_ + kSize, std::memory_order_release);
    ++head_;
    return record;
  }

  Strays() {
    for (uint64_t i = 0; i < kSize; ++i) slots_[i].turn.store(i, std::memory_order_relaxed);
  }

 private:
  static constexpr uint64_t kSize = 1024;

  struct Slot {
    std::atomic<uint64_t> turn;
    Record record;
  };

  std::array<Slot, kSize> slots_{};
  std::atomic<uint64_t> tail_{0};
  uint64_t head_ = 0;
};

}  // namespace octoipc
