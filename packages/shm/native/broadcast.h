// One producer that never waits, any number of readers: docs/layout.md, Broadcasts.
#pragma once

#include <span>

#include "racing.h"

namespace octoipc {

/// One end of a broadcast, in memory of its own that JavaScript keeps.
struct BroadcastEnd {
  uint64_t capacity;
  uint64_t longest;
  uint64_t here;    // where the next record begins
  uint64_t number;  // of the next message
  uint64_t begun;   // of a producer
  uint64_t missed;  // by a reader
  uint64_t gap;     // before the next message: kNone, kMissed or kAny
};
static_assert(sizeof(BroadcastEnd) == 56);

namespace broadcast {

using namespace racing;

enum Gap : uint64_t { kNone, kMissed, kAny };
enum Role { kProducer, kNext, kOldest };

constexpr int kTries = 1000;
constexpr uint32_t kMessage = 1;
constexpr uint32_t kFiller = 2;

struct Header {
  uint64_t length;
  uint64_t kind;
  uint64_t number;
};

/// The header of a record, which may be anything. `rest`: bytes to the end of the data.
inline Header HeaderAt(uint8_t* data, uint64_t at, uint64_t rest) {
  const uint64_t first = At(data, at).load(std::memory_order_relaxed);
  const uint64_t number = rest < 16 ? 0 : At(data, at + 8).load(std::memory_order_relaxed);
  return {first & 0xffffffff, first >> 32, number};
}

inline bool IsMessage(const BroadcastEnd& end, const Header& header, uint64_t rest) {
  return header.kind == kMessage && header.length <= end.longest &&
         16 + Padded(header.length) <= rest;
}

inline bool IsFiller(const Header& header, uint64_t at, uint64_t rest) {
  return header.kind == kFiller && header.length == rest - 8 && at != 0;
}

inline uint64_t Begun(uint8_t* memory) {
  std::atomic_thread_fence(std::memory_order_acquire);
  return At(memory, kBegun).load(std::memory_order_relaxed);
}

/// Goes to the end of the newest message.
inline int64_t GoToEnd(uint8_t* memory, BroadcastEnd* end) {
  for (int i = 0; i < kTries; ++i) {
    const uint64_t last = At(memory, kNewest).load(std::memory_order_acquire);
    if (last == 0) {
      end->here = end->capacity;
      end->number = 0;
      end->begun = Begun(memory);
      return end->begun > 2 * end->capacity ? -EBADMSG : 0;
    }
    if ((last & 7) != 0 || last < end->capacity) return -EBADMSG;
    const uint64_t at = last & (end->capacity - 1);
    const uint64_t rest = end->capacity - at;
    const Header header = HeaderAt(memory + kData, at, rest);
    end->begun = Begun(memory);
    if (At(memory, kNewest).load(std::memory_order_acquire) != last) continue;
    end->here = last + 16 + Padded(header.length);
    end->number = header.number + 1;
    const bool whole = end->begun >= end->here && end->begun - last <= end->capacity;
    return whole && IsMessage(*end, header, rest) ? 0 : -EBADMSG;
  }
  return -EAGAIN;
}

/// Goes to the oldest message that will not be overwritten at once; -EAGAIN if that was just now.
inline int64_t GoToMark(uint8_t* memory, BroadcastEnd* end, bool forward) {
  const uint64_t last = At(memory, kNewest).load(std::memory_order_acquire);
  const uint64_t quarter = end->capacity / 4;
  if (last < end->capacity) return -EBADMSG;
  const uint64_t begun = Begun(memory);
  // Before the first quarter of all there is no other.
  for (uint64_t k = std::max<uint64_t>(last / quarter - 1, 4); k <= last / quarter; ++k) {
    const uint64_t mark = At(memory, kMarks + (k & 3) * 8).load(std::memory_order_acquire);
    if (mark / quarter > k) {
      const bool moved = At(memory, kNewest).load(std::memory_order_acquire) != last;
      return moved ? -EAGAIN : -EBADMSG;
    }
    if (mark / quarter < k || (mark & 7) != 0) return -EBADMSG;
    if (k < last / quarter && begun - mark > 3 * quarter) continue;
    if (forward && mark <= end->here) return -EBADMSG;
    end->here = mark;
    return 0;
  }
  return -EBADMSG;
}

inline int64_t Join(uint8_t* memory, BroadcastEnd* end, Role role) {
  const int64_t result = GoToEnd(memory, end);
  if (result < 0 || role != kOldest || end->number == 0) return result;
  for (int i = 0; i < kTries; ++i) {
    const int64_t gone = GoToMark(memory, end, false);
    end->gap = kAny;
    if (gone != -EAGAIN) return gone;
  }
  return -EAGAIN;
}

/// The first record that begins in a quarter leaves a mark.
inline void Mark(uint8_t* memory, const BroadcastEnd& end, uint64_t position) {
  const uint64_t quarter = position / (end.capacity / 4);
  const size_t mark = kMarks + (quarter & 3) * 8;
  if (At(memory, mark).load(std::memory_order_relaxed) / (end.capacity / 4) == quarter) return;
  Store(memory, mark, position, std::memory_order_release);
}

/// The bits of who slept.
inline int64_t Send(uint8_t* memory, BroadcastEnd* end, std::span<const uint8_t> message) {
  uint8_t* data = memory + kData;
  const uint64_t record = 16 + Padded(message.size());
  uint64_t at = end->here & (end->capacity - 1);
  const uint64_t rest = end->capacity - at;
  const uint64_t filler = record > rest ? rest : 0;
  const uint64_t start = end->here + filler;
  end->begun = std::max(end->begun, start + record);
  Store(memory, kBegun, end->begun, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  if (filler > 0) {
    Mark(memory, *end, end->here);
    Store(data, at, (rest - 8) | uint64_t{kFiller} << 32, std::memory_order_relaxed);
    at = 0;
  }
  Mark(memory, *end, start);
  Store(data, at, message.size() | uint64_t{kMessage} << 32, std::memory_order_relaxed);
  Store(data, at + 8, end->number, std::memory_order_relaxed);
  CopyIn(data + at + 16, message.data(), message.size());
  Store(memory, kNewest, start, std::memory_order_release);
  end->here = start + record;
  end->number += 1;
  return WakeReaders(memory);
}

/// Copies messages out: to `room` from `used` on, each 8-aligned, offset and length of each to
/// `found`. How many; -EBADMSG when the first cannot be, -ENOBUFS when it has no room, its length
/// then in `found[0]`. A gap, which is added to `missed`, is before the first message only.
inline int64_t Take(uint8_t* memory, BroadcastEnd* end, std::span<uint8_t> room, uint64_t used,
                    std::span<int32_t> found) {
  uint8_t* data = memory + kData;
  size_t count = 0;
  int overruns = 0;
  while (2 * count + 2 <= found.size()) {
    if (At(memory, kNewest).load(std::memory_order_acquire) < end->here) break;
    const uint64_t at = end->here & (end->capacity - 1);
    const uint64_t rest = end->capacity - at;
    const Header header = HeaderAt(data, at, rest);
    const bool message = IsMessage(*end, header, rest);
    const bool fits = used <= room.size() && room.size() - used >= header.length;
    if (message && fits) CopyOut(room.data() + used, data + at + 16, header.length);
    if (Begun(memory) - end->here > end->capacity) {
      if (count > 0) break;
      const int64_t gone = GoToMark(memory, end, true);
      if (gone == -EBADMSG) return gone;
      if (gone == 0 && end->gap == kNone) end->gap = kMissed;
      if (++overruns == kTries) break;
      continue;
    }
    if (IsFiller(header, at, rest)) {
      end->here += rest;
      continue;
    }
    const bool expected = header.number == end->number || end->gap == kAny ||
                          (end->gap == kMissed && header.number > end->number);
    if (!message || !expected) {
      if (count > 0) break;
      return -EBADMSG;
    }
    if (!fits) {
      if (count > 0) break;
      if (!found.empty()) found[0] = static_cast<int32_t>(header.length);
      return -ENOBUFS;
    }
    if (end->gap == kMissed) end->missed += header.number - end->number;
    end->gap = kNone;
    found[2 * count] = static_cast<int32_t>(used);
    found[2 * count + 1] = static_cast<int32_t>(header.length);
    used += Padded(header.length);
    end->number = header.number + 1;
    end->here += 16 + Padded(header.length);
    ++count;
  }
  return static_cast<int64_t>(count);
}

}  // namespace broadcast
}  // namespace octoipc
