// Memory that a semaphore or a lock lives in.
#pragma once

#include <napi.h>
#include <sys/mman.h>

#include <cstdint>
#include <memory>

#include "futex.h"
#include "octoipc/environment.h"

namespace octoipc {

/// Memory of ours, mapped shared, and behind it as many private pages: what the kernel's list of
/// held locks (set_robust_list(2)) needs for a word is at a fixed distance from the word, and
/// belongs to this thread alone.
///
/// Lifetime: shared by the region and by a keeper, whichever lets go last; then it is unmapped.
/// Some private pages are kept for the next one: a new page is most of what an open lock costs.
class Mapping {
 public:
  /// From a word to its node in a keeper's list; more than any lock has bytes.
  static int64_t Distance();

  /// Maps the file's first bytes; -errno in `error` where that fails.
  static std::shared_ptr<Mapping> OfFile(int fd, size_t bytes, bool tracked, int64_t* error);
  /// Maps the same pages again that a shared mapping has; -EINVAL where the memory is private.
  static std::shared_ptr<Mapping> OfMemory(uint8_t* memory, size_t bytes, int64_t* error);
  /// Memory of JavaScript's, which is not ours to unmap, and has no nodes.
  static std::shared_ptr<Mapping> Borrowed(uint8_t* memory, size_t bytes);

  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  uint8_t* start() const { return start_; }
  size_t bytes() const { return bytes_; }
  /// From its start to where its first page ends.
  size_t to_page_end() const;
  /// Whether words in it can be on a keeper's list.
  bool tracked() const { return tracked_; }
  /// The word at an offset; nullptr where there is none.
  Word* At(int64_t offset) const {
    const bool fits =
        offset >= 0 && offset % 4 == 0 && static_cast<size_t>(offset) + sizeof(Word) <= bytes_;
    return fits ? reinterpret_cast<Word*>(start_ + offset) : nullptr;
  }

 private:
  Mapping() = default;
  bool Reserve(size_t bytes);

  uint8_t* reserved_ = nullptr;
  size_t length_ = 0;
  size_t pages_ = 0;
  uint8_t* start_ = nullptr;
  size_t bytes_ = 0;
  bool tracked_ = false;
};

/// Lifetime: kept by its Environment. `RegionClose` detaches the ArrayBuffer first, so that no view
/// of it reaches memory that is unmapped.
struct Region : Resource {
  explicit Region(std::shared_ptr<Mapping> of) : memory(std::move(of)) {}
  std::shared_ptr<Mapping> memory;
  /// The ArrayBuffer over it; of borrowed memory what keeps that.
  Napi::ObjectReference view;
};

/// The region of this index; nullptr if there is none.
inline Region* RegionAt(Environment& environment, int index) {
  return static_cast<Region*>(environment.Kept(index));
}

/// The word at an offset of a region; nullptr if there is none.
inline Word* WordAt(Environment& environment, int region, int64_t offset) {
  Region* at = RegionAt(environment, region);
  return at == nullptr ? nullptr : at->memory->At(offset);
}

}  // namespace octoipc
