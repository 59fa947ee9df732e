// Messages out of a ring, many at a time: docs/layout.md, Rings. Knows nothing of Node, so that
// tests run it in programs of their own.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace octoipc::ring {

struct Header {
  uint32_t length;
  uint32_t kind;
};

inline uint32_t Padded(uint32_t length) { return (length + 7) & ~7U; }

/// Copies messages out of a ring.
///
/// `data` are the ring's bytes, from `head` to `tail`; `room` is where messages go, each 8-aligned.
/// `found` gets offset and length of each, and after them the new head. How many, which is 0 if the
/// first has no room; -EBADMSG if the first is damaged (a later one ends what is copied before it).
inline int64_t Drain(std::span<uint8_t> data, uint32_t head, uint32_t tail, uint32_t longest,
                     std::span<uint8_t> room, uint32_t used, std::span<int32_t> found) {
  const auto capacity = static_cast<uint32_t>(data.size());
  const bool power = capacity >= 64 && (capacity & (capacity - 1)) == 0;
  if (!power || tail - head > capacity || ((head | tail) & 7) != 0) return -EBADMSG;
  size_t count = 0;
  bool damaged = false;
  while (head != tail && 2 * count + 3 <= found.size()) {
    const uint32_t at = head & (capacity - 1);
    const uint32_t rest = capacity - at;
    // Once: another process may change it while it is looked at.
    const auto* words = reinterpret_cast<const volatile uint32_t*>(data.data() + at);
    const Header header = {words[0], words[1]};
    const uint32_t most = std::min(tail - head, rest) - 8;
    if (header.kind == 2 && header.length == rest - 8 && header.length <= most) {
      head += rest;
      continue;
    }
    damaged = header.kind != 1 || header.length > longest || Padded(header.length) > most;
    if (damaged || used > room.size() || room.size() - used < header.length) break;
    if (header.length > 0) std::memcpy(room.data() + used, data.data() + at + 8, header.length);
    found[2 * count] = static_cast<int32_t>(used);
    found[2 * count + 1] = static_cast<int32_t>(header.length);
    used += Padded(header.length);
    head += 8 + Padded(header.length);
    ++count;
  }
  if (2 * count < found.size()) found[2 * count] = static_cast<int32_t>(head);
  return damaged && count == 0 ? -EBADMSG : static_cast<int64_t>(count);
}

}  // namespace octoipc::ring
