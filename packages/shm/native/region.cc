#include "region.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include <mutex>
#include <new>

#include "octoipc/retry.h"

namespace octoipc {
namespace {

/// Slots in chunks that are only ever added: the handler walks them while others are added. Who
/// takes a slot or gives it back does so under the mutex, which no handler asks for.
struct Chunk {
  static constexpr size_t kSlots = 64;
  Slot slots[kSlots];
  std::atomic<Chunk*> next{nullptr};
};

std::mutex slots_mutex;
std::atomic<Chunk*> first_chunk{nullptr};
Slot* vacant_slots = nullptr;

Slot* TakeSlot() {
  const std::lock_guard lock(slots_mutex);
  if (vacant_slots == nullptr) {
    auto* chunk = new (std::nothrow) Chunk;
    if (chunk == nullptr) return nullptr;
    for (Slot& slot : chunk->slots) {
      slot.next_vacant = vacant_slots;
      vacant_slots = &slot;
    }
    chunk->next.store(first_chunk.load(), std::memory_order_relaxed);
    first_chunk.store(chunk, std::memory_order_release);
  }
  Slot* slot = vacant_slots;
  vacant_slots = slot->next_vacant;
  return slot;
}

void GiveBackSlot(Slot* slot) {
  const std::lock_guard lock(slots_mutex);
  slot->next_vacant = vacant_slots;
  vacant_slots = slot;
}

/// mmap(2), whose answer is no number.
int64_t MapAt(void* where, size_t length, int protection, int flags, int fd, uint8_t** out) {
  void* data = ::mmap(where, length, protection, flags, fd, 0);
  if (data == MAP_FAILED) return -errno;
  *out = static_cast<uint8_t*>(data);
  return 0;
}

/// A mapping that shares, or for a reader of what is sealed against writing, which older kernels do
/// not let share (before Linux 6.7), one that sees the same pages all the same.
int64_t MapObject(void* where, size_t length, bool writable, int fd, uint8_t** out) {
  const int fixed = where == nullptr ? 0 : MAP_FIXED;
  if (writable) return MapAt(where, length, PROT_READ | PROT_WRITE, MAP_SHARED | fixed, fd, out);
  const int64_t result = MapAt(where, length, PROT_READ, MAP_SHARED | fixed, fd, out);
  if (result != -EPERM) return result;
  return MapAt(where, length, PROT_READ, MAP_PRIVATE | fixed, fd, out);
}

}  // namespace

size_t SystemPage() {
  static const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return page;
}

Slot* FindSlot(uintptr_t address) {
  for (Chunk* chunk = first_chunk.load(std::memory_order_acquire); chunk != nullptr;
       chunk = chunk->next.load(std::memory_order_acquire)) {
    for (Slot& slot : chunk->slots) {
      const uintptr_t start = slot.start.load(std::memory_order_acquire);
      if (start == 0 || address < start) continue;
      const size_t length = slot.length.load(std::memory_order_acquire);
      if (address - start < length && slot.start.load(std::memory_order_acquire) == start) {
        return &slot;
      }
    }
  }
  return nullptr;
}

Region::Region(uint8_t* data, size_t length, Kind kind)
    : data_(data), length_(length), kind_(kind) {}

Region::~Region() {
  if (slot_ != nullptr) {
    slot_->start.store(0, std::memory_order_release);
    GiveBackSlot(slot_);
  }
  ::munmap(data_, mapped());
}

bool Region::Register(int fd) {
  Slot* slot = TakeSlot();
  if (slot == nullptr) return false;
  slot->length.store(mapped(), std::memory_order_relaxed);
  slot->page.store(kind_.page, std::memory_order_relaxed);
  slot->fd.store(fd, std::memory_order_relaxed);
  slot->writable.store(kind_.writable, std::memory_order_relaxed);
  slot->faults.store(0, std::memory_order_relaxed);
  slot->latest.store(0, std::memory_order_relaxed);
  slot->repeats.store(0, std::memory_order_relaxed);
  slot->mends.store(0, std::memory_order_relaxed);
  slot->changing.store(false, std::memory_order_relaxed);
  slot->start.store(reinterpret_cast<uintptr_t>(data_), std::memory_order_release);
  slot_ = slot;
  return true;
}

int64_t Region::Map(int fd, size_t length, Kind kind, std::shared_ptr<Region>* out) {
  uint8_t* data = nullptr;
  const int64_t mapped = MapObject(nullptr, length, kind.writable, fd, &data);
  if (mapped < 0) return mapped;
  std::shared_ptr<Region> region(new Region(data, length, kind));
  if (!region->Register(fd)) return -ENOMEM;
  *out = std::move(region);
  return 0;
}

int64_t Region::Attach(int id, size_t length, bool writable, std::shared_ptr<Region>* out) {
  void* data = ::shmat(id, nullptr, writable ? 0 : SHM_RDONLY);
  if (data == reinterpret_cast<void*>(-1)) return -errno;
  const Kind kind = {writable, SystemPage()};
  std::shared_ptr<Region> region(new Region(static_cast<uint8_t*>(data), length, kind));
  if (!region->Register(Slot::kNoDescriptor)) return -ENOMEM;
  *out = std::move(region);
  return 0;
}

void Region::Retire() {
  // The slot stays until the addresses are given back: another thread may be in the handler
  // already, for an access that this mapping has just been taken from under. Without the object
  // there is nothing to fail for; where it fails all the same the object stays mapped until the
  // region goes.
  uint8_t* data = nullptr;
  MapAt(data_, mapped(), PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, &data);
}

int64_t Region::Remap(int fd, As as) {
  const bool writable = as == As::kWritable;
  // A store that faults meanwhile is answered by what the slot says: read-only is said before it
  // is.
  if (!writable) slot_->writable.store(false);
  uint8_t* data = nullptr;
  const int64_t mapped = as == As::kBystander
                             ? MapAt(data_, length_, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, &data)
                             : MapObject(data_, length_, writable, fd, &data);
  if (mapped < 0) {
    slot_->writable.store(kind_.writable);
    return mapped;
  }
  kind_.writable = writable;
  slot_->writable.store(writable);
  return 0;
}

int64_t Region::Restore(int fd) {
  return Remap(fd, kind_.writable ? As::kWritable : As::kReadOnly);
}

int64_t Region::SealAgainstWriting(int fd, int seals) {
  slot_->changing.store(true);
  int64_t result = Remap(fd, As::kBystander);
  if (result == 0) {
    result = Retry([&] { return ::fcntl(fd, F_ADD_SEALS, seals); });
    if (result < 0) Remap(fd, As::kWritable);
  }
  slot_->changing.store(false);
  return result;
}

int64_t Region::Reattach(int id) {
  const int flags = SHM_REMAP | (kind_.writable ? 0 : SHM_RDONLY);
  void* data = ::shmat(id, data_, flags);
  return data == reinterpret_cast<void*>(-1) ? -errno : 0;
}

}  // namespace octoipc
