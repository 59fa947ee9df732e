/* Values of @octoipc/shm for C11: docs/layout.md, header-only. Functions answer 0 or more, or
 * -errno.
 *
 * A handle belongs to one thread. Map the object (shm_open, mmap), oipc_value_attach. */
#ifndef OCTOIPC_VALUE_H
#define OCTOIPC_VALUE_H

#include <sched.h>

#include "racing.h"

enum {
  OIPC_VALUE_MAGIC = 0x4c41564f,
  OIPC_VALUE_KIND = 1,
  OIPC_VALUE_TRIES = 100,
  OIPC_VALUE_PATIENCE_MS = 100
};

typedef struct {
  oipc_racing_header* shared;
  uint8_t* data;
  /* Copies: what others write there later must not matter. */
  uint64_t slot, longest;
  char bell[52];
  uint64_t identity;
  int socket;
} oipc_value;

static inline uint64_t oipc_value_slot(uint64_t longest) { return (8 + longest + 63) & ~63ull; }

/* Makes a value in zeroed memory. id: 16 bytes, or NULL for random ones. */
static inline int oipc_value_format(void* memory, size_t size, uint32_t longest,
                                    const uint8_t* id) {
  const uint64_t slot = oipc_value_slot(longest);
  if (longest > (1u << 30) - 64 || size < OIPC_DATA + 2 * slot) return -EINVAL;
  return oipc_racing_format(memory, OIPC_VALUE_MAGIC, (uint32_t)slot, longest, id);
}

/* -EAGAIN while it is being made, -EBADMSG if it is no value of this version. */
static inline int oipc_value_attach(oipc_value* value, void* memory, size_t size) {
  memset(value, 0, sizeof *value);
  value->socket = -1;
  if (size < OIPC_DATA) return -EBADMSG;
  value->shared = memory;
  value->data = (uint8_t*)memory + OIPC_DATA;
  const int result = oipc_racing_check(value->shared, OIPC_VALUE_MAGIC);
  if (result < 0) return result;
  value->slot = value->shared->size;
  value->longest = value->shared->longest;
  if (value->longest > (1u << 30) - 64 || value->slot != oipc_value_slot(value->longest) ||
      size < OIPC_DATA + 2 * value->slot) {
    return -EBADMSG;
  }
  oipc_bell_prefix(value->bell, sizeof value->bell, "bell", value->shared->id);
  const int64_t identity = oipc_own_identity(value->shared->ns);
  value->identity = (uint64_t)identity;
  return identity < 0 ? (int)identity : 0;
}

static inline void oipc_value_detach(oipc_value* value) {
  if (value->socket >= 0) close(value->socket);
  value->socket = -1;
}

/* -EBUSY if somebody who lives has his turn for too long. */
static inline int oipc_value_lock(oipc_value* value, uint64_t* mine) {
  const int64_t until = oipc_now_ms() + OIPC_VALUE_PATIENCE_MS;
  for (;;) {
    const int result = oipc_take_seat(&value->shared->seat, value->identity, mine);
    if (result == 0 || oipc_now_ms() > until) return result;
    sched_yield();
  }
}

static inline int oipc_value_set(oipc_value* value, const void* bytes, size_t length) {
  oipc_racing_header* shared = value->shared;
  uint64_t mine;
  if (length > value->longest) return -EMSGSIZE;
  const int locked = oipc_value_lock(value, &mine);
  if (locked < 0) return locked;
  const uint64_t version = atomic_load_explicit(&shared->newest, memory_order_acquire) + 1;
  atomic_store_explicit(&shared->begun, version, memory_order_release);
  OIPC_STEP();
  atomic_thread_fence(memory_order_release);
  uint8_t* slot = value->data + (version & 1) * value->slot;
  const uint64_t header = length | (uint64_t)OIPC_VALUE_KIND << 32;
  oipc_copy_in(slot, &header, 8);
  oipc_copy_in(slot + 8, bytes, length);
  atomic_store_explicit(&shared->newest, version, memory_order_release);
  OIPC_STEP();
  oipc_leave_seat(&shared->seat, mine);
  oipc_wake_readers(shared, &value->socket, value->bell);
  return 0;
}

/* Copies a version; its length, -EBADMSG if it cannot be, -EMSGSIZE. */
static inline int64_t oipc_value_copy(oipc_value* value, uint64_t version, void* into,
                                      size_t room) {
  const uint8_t* slot = value->data + (version & 1) * value->slot;
  uint64_t header;
  oipc_copy_out(&header, slot, 8);
  const uint64_t length = header & 0xffffffff;
  if (header >> 32 != OIPC_VALUE_KIND || length > value->longest) return -EBADMSG;
  if (length > room) return -EMSGSIZE;
  oipc_copy_out(into, slot + 8, length);
  return (int64_t)length;
}

/* Its length; -ENODATA if it was never set, -EMSGSIZE if it is longer than room. */
static inline int64_t oipc_value_get(oipc_value* value, void* into, size_t room) {
  oipc_racing_header* shared = value->shared;
  uint64_t overtaken = 0;
  for (int i = 0; i < OIPC_VALUE_TRIES; ++i) {
    const uint64_t version = atomic_load_explicit(&shared->newest, memory_order_acquire);
    if (version == 0) return -ENODATA;
    if (version == overtaken) return -EBADMSG;
    const int64_t length = oipc_value_copy(value, version, into, room);
    if (oipc_begun(shared) - version <= 1) return length;
    /* Another version must be there by now. */
    overtaken = version;
  }
  uint64_t mine;
  const int locked = oipc_value_lock(value, &mine);
  if (locked < 0) return locked;
  const uint64_t version = atomic_load_explicit(&shared->newest, memory_order_acquire);
  const int64_t length = oipc_value_copy(value, version, into, room);
  oipc_leave_seat(&shared->seat, mine);
  return length;
}

/* How often it was set. */
static inline uint64_t oipc_value_version(oipc_value* value) {
  return atomic_load_explicit(&value->shared->newest, memory_order_acquire);
}

/* Waits for another version, *since becomes it. timeout_ms < 0: for ever; -ETIMEDOUT. */
static inline int oipc_value_changed(oipc_value* value, uint64_t* since, int64_t timeout_ms) {
  const int64_t until = oipc_now_ms() + timeout_ms;
  for (;;) {
    const uint64_t version = oipc_value_version(value);
    if (version != *since) {
      *since = version;
      return 0;
    }
    const int64_t left = oipc_slice(timeout_ms, until);
    if (left == 0) return -ETIMEDOUT;
    oipc_sleep_reader(value->shared, version, left);
  }
}

#endif
