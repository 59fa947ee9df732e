// Broadcasts and values in shared memory, for JavaScript. What is done here is done whole, also
// where a worker is terminated meanwhile.
#include "broadcast.h"
#include "shm.h"
#include "value.h"

namespace octoipc {
namespace {

/// An end, in the memory that JavaScript keeps for it, of a broadcast that is all there.
BroadcastEnd* EndIn(Bytes memory, Bytes state) {
  if (state.size() < sizeof(BroadcastEnd)) return nullptr;
  auto* end = reinterpret_cast<BroadcastEnd*>(state.data());
  const uint64_t capacity = end->capacity;
  const bool power = capacity >= 64 && (capacity & (capacity - 1)) == 0;
  const bool fits = power && memory.size() >= racing::kData + capacity;
  return fits && end->longest <= capacity / 4 - 16 ? end : nullptr;
}

int64_t BroadcastJoin(Bytes memory, Bytes state, int role) {
  BroadcastEnd* end = EndIn(memory, state);
  if (end == nullptr) return -EFAULT;
  return broadcast::Join(memory.data(), end, static_cast<broadcast::Role>(role));
}

int64_t BroadcastSend(Bytes memory, Bytes state, Bytes message) {
  BroadcastEnd* end = EndIn(memory, state);
  if (end == nullptr) return -EFAULT;
  if (message.size() > end->longest) return -EMSGSIZE;
  return broadcast::Send(memory.data(), end, message);
}

int64_t BroadcastTake(Bytes memory, Bytes state, Bytes room, uint32_t used, Integers found) {
  BroadcastEnd* end = EndIn(memory, state);
  if (end == nullptr) return -EFAULT;
  return broadcast::Take(memory.data(), end, room, used, found);
}

/// Whether there are two slots of this size, and `identity` is one.
bool AreSlots(Bytes memory, Bytes identity, int64_t size) {
  const uint64_t room = memory.size() < racing::kData ? 0 : memory.size() - racing::kData;
  return size >= 64 && size % 64 == 0 && static_cast<uint64_t>(size) <= room / 2 &&
         identity.size() >= 8;
}

uint64_t IdentityIn(Bytes identity) {
  uint64_t own = 0;
  std::memcpy(&own, identity.data(), sizeof own);
  return own;
}

int64_t ValueSet(Bytes memory, Bytes identity, int64_t size, Bytes bytes) {
  if (!AreSlots(memory, identity, size)) return -EFAULT;
  if (bytes.size() > static_cast<uint64_t>(size) - 8) return -EMSGSIZE;
  return value::Set(memory.data(), IdentityIn(identity), static_cast<uint64_t>(size), bytes);
}

int64_t ValueGet(Bytes memory, Bytes identity, int64_t size, Bytes into) {
  if (!AreSlots(memory, identity, size)) return -EFAULT;
  const size_t most = std::min<size_t>(into.size(), static_cast<size_t>(size) - 8);
  return value::GetLocked(memory.data(), IdentityIn(identity), static_cast<uint64_t>(size),
                          into.first(most));
}

/// Between loads that must stay before it, and loads that must stay behind it.
int64_t AcquireFence() {
  std::atomic_thread_fence(std::memory_order_acquire);
  return 0;
}

}  // namespace

void ExportRacing(Exports& exports) {
  exports.Function<BroadcastJoin>("broadcastJoin")
      .Function<BroadcastSend>("broadcastSend")
      .Function<BroadcastTake>("broadcastTake")
      .Function<ValueSet>("valueSet")
      .Function<ValueGet>("valueGet")
      .Function<AcquireFence>("acquireFence");
}

}  // namespace octoipc
