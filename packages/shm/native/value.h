// The latest of a value's states, never torn: docs/layout.md, Values.
#pragma once

#include <sched.h>
#include <time.h>

#include <span>

#include "process_start.h"
#include "racing.h"

namespace octoipc::value {

using namespace racing;

/// For so many nanoseconds somebody who lives may be in the middle of setting it.
constexpr int64_t kPatience = 100'000'000;
/// Between two looks whether he lives.
constexpr int64_t kLook = 1'000'000;
/// Of a slot that was written to.
constexpr uint64_t kKind = uint64_t{1} << 32;

inline int64_t Nanoseconds() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// Takes the turn; `mine` is what is in the memory then.
inline int64_t Lock(uint8_t* memory, uint64_t own, uint64_t* mine) {
  Word& writer = At(memory, kSeat);
  uint64_t old = writer.load();
  int64_t begin = 0;
  int64_t look = 0;
  for (;;) {
    const uint64_t deaths = old & uint64_t{0xff} << 56;
    uint64_t next = own | deaths;
    if ((old & 0x3fffff) != 0) {
      const int64_t now = Nanoseconds();
      if (begin == 0) begin = now;
      if (now - begin > kPatience) return -EBUSY;
      const bool dead = now >= look && IsDead(old, own);
      if (!dead) {
        if (now >= look) look = now + kLook;
        ::sched_yield();
        old = writer.load();
        continue;
      }
      next = own | (deaths + (uint64_t{1} << 56));
    }
    if (!writer.compare_exchange_strong(old, next)) continue;
    OCTOIPC_STEP();
    *mine = next;
    return 0;
  }
}

/// What is somebody else's by now stays his.
inline void Unlock(uint8_t* memory, uint64_t mine) {
  At(memory, kSeat).compare_exchange_strong(mine, mine & uint64_t{0xff} << 56);
  OCTOIPC_STEP();
}

inline uint8_t* Slot(uint8_t* memory, uint64_t size, uint64_t version) {
  return memory + kData + (version & 1) * size;
}

/// The bits of who slept; -EBUSY. `size`: of a slot.
inline int64_t Set(uint8_t* memory, uint64_t own, uint64_t size, std::span<const uint8_t> bytes) {
  uint64_t mine = 0;
  const int64_t locked = Lock(memory, own, &mine);
  if (locked < 0) return locked;
  const uint64_t version = At(memory, kNewest).load(std::memory_order_acquire) + 1;
  Store(memory, kBegun, version, std::memory_order_release);
  std::atomic_thread_fence(std::memory_order_release);
  uint8_t* slot = Slot(memory, size, version);
  Store(slot, 0, bytes.size() | kKind, std::memory_order_relaxed);
  CopyIn(slot + 8, bytes.data(), bytes.size());
  Store(memory, kNewest, version, std::memory_order_release);
  Unlock(memory, mine);
  return WakeReaders(memory);
}

/// The newest version, read in a turn of the reader's own; its length, -EBADMSG.
inline int64_t GetLocked(uint8_t* memory, uint64_t own, uint64_t size, std::span<uint8_t> into) {
  uint64_t mine = 0;
  const int64_t locked = Lock(memory, own, &mine);
  if (locked < 0) return locked;
  const uint64_t version = At(memory, kNewest).load(std::memory_order_acquire);
  uint8_t* slot = Slot(memory, size, version);
  // Less than kKind wraps, and is too long.
  const uint64_t length = At(slot, 0).load(std::memory_order_relaxed) - kKind;
  if (length <= into.size()) CopyOut(into.data(), slot + 8, length);
  Unlock(memory, mine);
  return length <= into.size() ? static_cast<int64_t>(length) : -EBADMSG;
}

}  // namespace octoipc::value
