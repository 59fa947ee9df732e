// Mappings, and what JavaScript sees of them: mmap(2), msync(2), madvise(2), mlock(2).
#include <dlfcn.h>
#include <sys/mman.h>

#include <cstring>
#include <memory>
#include <utility>

#include "octoipc/readiness.h"
#include "octoipc/retry.h"
#include "region.h"
#include "shm.h"

namespace octoipc {
namespace {

/// Lifetime: one for each handle, until its close or the end of its environment. The region lives
/// on for as long as JavaScript has a buffer of it that could not be detached.
struct Mapping : Resource {
  explicit Mapping(std::shared_ptr<Region> of) : region(std::move(of)) {}
  /// The descriptor is closed next, by the handle or with the environment: its number is nobody's.
  ~Mapping() override { region->slot()->fd.store(Slot::kClosed); }
  std::shared_ptr<Region> region;
  bool has_buffer = false;
};

Mapping* At(Environment& environment, int index) {
  return static_cast<Mapping*>(environment.Kept(index));
}

int64_t MapOpen(Environment& environment, int fd, int64_t length, bool writable, int64_t page) {
  const int64_t guarded = GuardFaults();
  if (guarded < 0) return guarded;
  std::shared_ptr<Region> region;
  const Region::Kind kind = {writable, static_cast<size_t>(page)};
  const int64_t mapped = Region::Map(fd, static_cast<size_t>(length), kind, &region);
  return mapped < 0 ? mapped : environment.Keep(std::make_unique<Mapping>(std::move(region)));
}

int64_t MapAttach(Environment& environment, int id, int64_t length, bool writable) {
  const int64_t guarded = GuardFaults();
  if (guarded < 0) return guarded;
  std::shared_ptr<Region> region;
  const int64_t attached = Region::Attach(id, static_cast<size_t>(length), writable, &region);
  return attached < 0 ? attached : environment.Keep(std::make_unique<Mapping>(std::move(region)));
}

/// What a buffer weighs for the garbage collector beside its memory: about what a mapping and its
/// slot cost. Without it, dropped SharedArrayBuffers, which weigh nothing to V8, would use up the
/// mappings that a process may have before a collection found them.
constexpr int64_t kBufferWeight = 32 * 1024;

/// Goes with a buffer, and is freed a turn after that was collected.
struct Pin {
  /// Empty for shared memory, which cannot be detached: the buffer has it as long as it is there.
  std::shared_ptr<Region> region;
  int64_t weight;
};

/// On whatever thread the memory of a SharedArrayBuffer is let go.
void ReleaseShared(void*, void* hint) { delete static_cast<std::shared_ptr<Region>*>(hint); }

void ReleaseBuffer(napi_env, void*, void* hint) { ReleaseShared(nullptr, hint); }

void ReleasePin(napi_env env, void* data, void*) {
  const std::unique_ptr<Pin> pin(static_cast<Pin*>(data));
  int64_t total = 0;
  napi_adjust_external_memory(env, -pin->weight, &total);
}

using CreateShared = napi_status (*)(napi_env, void*, size_t, void (*)(void*, void*), void*,
                                     napi_value*);

/// node_api_create_external_sharedarraybuffer, where the runtime has it.
CreateShared FindCreateShared() {
  static const auto found = reinterpret_cast<CreateShared>(
      dlsym(RTLD_DEFAULT, "node_api_create_external_sharedarraybuffer"));
  return found;
}

/// The memory as a SharedArrayBuffer or an ArrayBuffer, once for each mapping: V8 refuses a second
/// one at the same address. Undefined where the runtime has neither over foreign memory.
napi_value MapBuffer(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument = nullptr;
  void* data = nullptr;
  int32_t index = -1;
  if (napi_get_cb_info(env, info, &count, &argument, nullptr, &data) != napi_ok || count < 1 ||
      !Argument<int32_t>::Read(env, argument, &index)) {
    return nullptr;
  }
  Mapping* mapping = At(*static_cast<Environment*>(data), index);
  if (mapping == nullptr || mapping->has_buffer) return nullptr;
  auto hint = std::make_unique<std::shared_ptr<Region>>(mapping->region);
  Region& region = *mapping->region;
  napi_value result = nullptr;
  const CreateShared shared = FindCreateShared();
  const napi_status status =
      shared != nullptr
          ? shared(env, region.data(), region.length(), ReleaseShared, hint.get(), &result)
          : napi_create_external_arraybuffer(env, region.data(), region.length(), ReleaseBuffer,
                                             hint.get(), &result);
  if (status != napi_ok) {
    bool pending = false;
    napi_is_exception_pending(env, &pending);
    if (pending) napi_get_and_clear_last_exception(env, &result);
    return nullptr;
  }
  hint.release();
  // A job of the thread pool (crypto, zlib) has a bare address, and keeps only the JavaScript
  // object from being collected; a detached buffer's memory is let go before that.
  auto pin = std::make_unique<Pin>();
  pin->weight = kBufferWeight;
  if (shared == nullptr) {
    pin->region = mapping->region;
  } else {
    pin->weight += static_cast<int64_t>(region.length());
  }
  int64_t total = 0;
  if (napi_add_finalizer(env, result, pin.get(), ReleasePin, nullptr, nullptr) == napi_ok) {
    napi_adjust_external_memory(env, pin.release()->weight, &total);
  }
  mapping->has_buffer = true;
  return result;
}

/// Detaches a buffer, so that all its views have length 0; whether that could be done.
bool Detach(napi_env env, napi_value buffer) {
  bool is_buffer = false;
  return napi_is_arraybuffer(env, buffer, &is_buffer) == napi_ok && is_buffer &&
         napi_detach_arraybuffer(env, buffer) == napi_ok;
}

/// Lets the object go, of which no buffer was made.
int64_t MapClose(Environment& environment, int index) {
  if (At(environment, index) == nullptr) return -EBADF;
  environment.Drop(index);
  return 0;
}

/// Detaches the buffer and gives the object back at once; what cannot be detached keeps it mapped
/// until the last view is collected, unless it is to be neutral: then its views see zeroes that are
/// nobody else's. 1 if detached.
int64_t MapCloseBuffer(Environment& environment, int index, Napi::Object buffer, bool neutral) {
  Mapping* mapping = At(environment, index);
  if (mapping == nullptr) return -EBADF;
  mapping->region->slot()->fd.store(Slot::kClosed);
  const bool detached = Detach(environment.env(), buffer);
  // Some job of the thread pool may still have the address: it stays reserved until the buffer is
  // collected.
  if (detached || neutral) mapping->region->Retire();
  environment.Drop(index);
  return detached ? 1 : 0;
}

/// The process's count of faults, where JavaScript reads it without a call; undefined where the
/// runtime has no buffers over foreign memory. Never freed.
napi_value FaultCount(napi_env env, napi_callback_info) {
  static_assert(sizeof fault_count == sizeof(uint32_t));
  napi_value result = nullptr;
  const napi_status status = napi_create_external_arraybuffer(
      env, &fault_count, sizeof fault_count, [](napi_env, void*, void*) {}, nullptr, &result);
  if (status == napi_ok) return result;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (pending) napi_get_and_clear_last_exception(env, &result);
  return nullptr;
}

/// Bits of Fault, and where the first was. They are forgotten if the cause is (`MapMend`).
int64_t MapFaults(Environment& environment, int index, Numbers out) {
  Mapping* mapping = At(environment, index);
  if (mapping == nullptr) return -EBADF;
  const Slot* slot = mapping->region->slot();
  const uint32_t faults = slot->faults.load();
  if (faults != 0 && !out.empty()) out[0] = static_cast<double>(slot->first.load());
  return faults;
}

/// After stores through a read-only mapping: the object's own pages are back, nothing is noted.
int64_t MapMend(Environment& environment, int index, int source, bool attached) {
  Mapping* mapping = At(environment, index);
  if (mapping == nullptr) return -EBADF;
  Slot* slot = mapping->region->slot();
  slot->faults.store(0);
  slot->repeats.store(0);
  const int64_t result =
      attached ? mapping->region->Reattach(source) : mapping->region->Restore(source);
  slot->mends.store(0);
  return result;
}

/// Seals the object against writing, and whatever else, and what may be done with this mapping.
int64_t MapSeal(Environment& environment, int index, int fd, int seals) {
  Mapping* mapping = At(environment, index);
  return mapping == nullptr ? -EBADF : mapping->region->SealAgainstWriting(fd, seals);
}

/// Where a number of bytes begins that are all within the mapping; nullptr if they are not.
uint8_t* RangeAt(Environment& environment, int index, int64_t offset, size_t length) {
  Mapping* mapping = At(environment, index);
  if (mapping == nullptr || offset < 0) return nullptr;
  const size_t size = mapping->region->length();
  const auto from = static_cast<size_t>(offset);
  return from > size || length > size - from ? nullptr : mapping->region->data() + from;
}

/// Copies out of a mapping, which needs no buffer over it. What faults is answered for as ever.
int64_t MapRead(Environment& environment, int index, int64_t offset, Bytes into) {
  const uint8_t* from = RangeAt(environment, index, offset, into.size());
  if (from == nullptr) return -EFAULT;
  if (into.empty()) return 0;
  uint32_t first = 0;
  const bool has_word = into.size() >= sizeof(first) && offset % sizeof(first) == 0;
  // Who writes the first word last has the rest read as it was then.
  if (has_word) first = __atomic_load_n(reinterpret_cast<const uint32_t*>(from), __ATOMIC_ACQUIRE);
  std::memmove(into.data(), from, into.size());
  if (has_word) std::memcpy(into.data(), &first, sizeof(first));
  return 0;
}

int64_t MapWrite(Environment& environment, int index, int64_t offset, Bytes bytes) {
  uint8_t* to = RangeAt(environment, index, offset, bytes.size());
  if (to == nullptr) return -EFAULT;
  if (!bytes.empty()) std::memmove(to, bytes.data(), bytes.size());
  return 0;
}

/// Calls for a range of a mapping, which TypeScript has checked; once more here, since it is
/// memory.
template <typename Body>
int64_t WithRange(Environment& environment, int index, int64_t offset, int64_t length, Body body) {
  Mapping* mapping = At(environment, index);
  if (mapping == nullptr) return -EBADF;
  const auto size = static_cast<int64_t>(mapping->region->length());
  if (offset < 0 || length < 0 || offset > size || length > size - offset) return -EFAULT;
  // From the beginning of its page: all of these calls want that.
  const auto page = static_cast<int64_t>(SystemPage());
  const int64_t start = offset / page * page;
  return Retry([&] {
    return body(mapping->region->data() + start, static_cast<size_t>(length + offset - start));
  });
}

int64_t MapSync(Environment& environment, int index, int64_t offset, int64_t length, bool wait) {
  return WithRange(environment, index, offset, length, [&](void* data, size_t size) {
    return ::msync(data, size, wait ? MS_SYNC : MS_ASYNC);
  });
}

int64_t MapAdvise(Environment& environment, int index, int64_t offset, int64_t length, int advice) {
  return WithRange(environment, index, offset, length,
                   [&](void* data, size_t size) { return ::madvise(data, size, advice); });
}

int64_t MapLock(Environment& environment, int index, int64_t offset, int64_t length, bool lock) {
  return WithRange(environment, index, offset, length, [&](void* data, size_t size) {
    return lock ? ::mlock(data, size) : ::munlock(data, size);
  });
}

}  // namespace

std::shared_ptr<Region> RegionAt(Environment& environment, int index) {
  const Mapping* mapping = At(environment, index);
  return mapping == nullptr ? nullptr : mapping->region;
}

void ExportMappings(Exports& exports) {
  exports.Function<MapOpen>("mapOpen")
      .Function<MapAttach>("mapAttach")
      .Callback("mapBuffer", MapBuffer)
      .Function<MapClose>("mapClose")
      .Function<MapCloseBuffer>("mapCloseBuffer")
      .Callback("faultCount", FaultCount)
      .Function<MapFaults>("mapFaults")
      .Function<MapMend>("mapMend")
      .Function<MapSeal>("mapSeal")
      .Function<MapRead>("mapRead")
      .Function<MapWrite>("mapWrite")
      .Function<MapSync>("mapSync")
      .Function<MapAdvise>("mapAdvise")
      .Function<MapLock>("mapLock")
      .Number("adviseNormal", MADV_NORMAL)
      .Number("adviseRandom", MADV_RANDOM)
      .Number("adviseSequential", MADV_SEQUENTIAL)
      .Number("adviseWillNeed", MADV_WILLNEED)
      .Number("adviseDontNeed", MADV_DONTNEED)
      .Number("adviseHugePage", MADV_HUGEPAGE)
      .Number("adviseNoHugePage", MADV_NOHUGEPAGE)
      .Number("adviseDontFork", MADV_DONTFORK)
      .Number("adviseDoFork", MADV_DOFORK)
      .Number("adviseDontDump", MADV_DONTDUMP)
      .Number("adviseDoDump", MADV_DODUMP);
}

}  // namespace octoipc
