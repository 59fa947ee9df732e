// What broadcasts and values share: words that race, sleepers, proved deaths. docs/layout.md. Knows
// nothing of Node, so that tests run it in programs of their own.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>

/// Called after every store to the memory: tests kill the process here.
#ifndef OCTOIPC_STEP
#define OCTOIPC_STEP() ((void)0)
#endif

namespace octoipc::racing {

enum Offset : size_t {
  kBegun = 64,
  kMarks = 96,
  kNewest = 128,  // last of a broadcast, version of a value
  kReadersSleep = 192,
  kSeat = 512,
  kData = 4096,
};

inline uint64_t Padded(uint64_t length) { return (length + 7) & ~uint64_t{7}; }

using Word = std::atomic<uint64_t>;
static_assert(sizeof(Word) == 8 && Word::is_always_lock_free);

inline Word& At(uint8_t* memory, size_t offset) {
  return *reinterpret_cast<Word*>(memory + offset);
}

inline void Store(uint8_t* memory, size_t offset, uint64_t value, std::memory_order order) {
  At(memory, offset).store(value, order);
  OCTOIPC_STEP();
}

/// Into memory that others read meanwhile: 8-aligned, and with room up to a multiple of 8.
inline void CopyIn(uint8_t* to, const uint8_t* from, size_t length) {
  for (size_t at = 0; at < length; at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, from + at, std::min<size_t>(8, length - at));
    Store(to, at, word, std::memory_order_relaxed);
  }
}

/// Out of memory that others write meanwhile.
inline void CopyOut(uint8_t* to, uint8_t* from, size_t length) {
  for (size_t at = 0; at < length; at += 8) {
    const uint64_t word = At(from, at).load(std::memory_order_relaxed);
    std::memcpy(to + at, &word, std::min<size_t>(8, length - at));
  }
}

/// Wakes who sleeps on the word; the bits that were set, of which the bell's is the caller's.
inline uint32_t WakeReaders(uint8_t* memory) {
  auto* sleep = reinterpret_cast<std::atomic<uint32_t>*>(memory + kReadersSleep);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (sleep->load(std::memory_order_relaxed) == 0) return 0;
  const uint32_t bits = sleep->exchange(0);
  OCTOIPC_STEP();
  if ((bits & 1) != 0) ::syscall(SYS_futex, sleep, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
  return bits;
}

}  // namespace octoipc::racing
