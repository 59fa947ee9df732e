/* What broadcasts and values have in common: a header, words that race, and readers who sleep. */
#ifndef OCTOIPC_RACING_H
#define OCTOIPC_RACING_H

#include "peers.h"

enum { OIPC_BELLS = 256 };

typedef struct {
  _Atomic uint32_t magic;
  uint32_t version, order, flags;
  uint32_t size; /* the capacity of a broadcast, a value's bytes of a slot */
  uint32_t longest, data_offset, bells;
  uint8_t id[16];
  uint64_t ns;
  _Alignas(64) _Atomic uint64_t begun;
  _Alignas(32) _Atomic uint64_t marks[4]; /* of a broadcast */
  _Alignas(64) _Atomic uint64_t newest;   /* last of a broadcast, version of a value */
  _Alignas(64) _Atomic uint32_t readers_sleep;
  _Alignas(64) _Atomic uint32_t wants[OIPC_BELLS / 32];
  _Alignas(512) oipc_seat seat;
} oipc_racing_header;

_Static_assert(offsetof(oipc_racing_header, begun) == 64, "layout");
_Static_assert(offsetof(oipc_racing_header, marks) == 96, "layout");
_Static_assert(offsetof(oipc_racing_header, newest) == 128, "layout");
_Static_assert(offsetof(oipc_racing_header, readers_sleep) == 192, "layout");
_Static_assert(offsetof(oipc_racing_header, wants) == 256, "layout");
_Static_assert(offsetof(oipc_racing_header, seat) == 512, "layout");

/* Copies to memory that others read meanwhile: 8-aligned, with room up to a multiple of 8. */
static inline void oipc_copy_in(void* to, const void* from, size_t length) {
  for (size_t at = 0; at < length; at += 8) {
    uint64_t word = 0;
    memcpy(&word, (const char*)from + at, length - at < 8 ? length - at : 8);
    atomic_store_explicit((_Atomic uint64_t*)((char*)to + at), word, memory_order_relaxed);
    OIPC_STEP();
  }
}

/* Copies from memory that others write meanwhile. */
static inline void oipc_copy_out(void* to, const void* from, size_t length) {
  for (size_t at = 0; at < length; at += 8) {
    const uint64_t word =
        atomic_load_explicit((_Atomic uint64_t*)((const char*)from + at), memory_order_relaxed);
    memcpy((char*)to + at, &word, length - at < 8 ? length - at : 8);
  }
}

/* What is begun, after everything that was loaded before. */
static inline uint64_t oipc_begun(oipc_racing_header* shared) {
  atomic_thread_fence(memory_order_acquire);
  return atomic_load_explicit(&shared->begun, memory_order_acquire);
}

/* id: 16 bytes, or NULL for random ones. */
static inline int oipc_racing_format(oipc_racing_header* shared, uint32_t magic, uint32_t size,
                                     uint32_t longest, const uint8_t* id) {
  shared->version = 1;
  shared->order = 0x01020304;
  shared->size = size;
  shared->longest = longest;
  shared->data_offset = OIPC_DATA;
  shared->bells = OIPC_BELLS;
  if (id != NULL)
    memcpy(shared->id, id, 16);
  else if (getrandom(shared->id, 16, 0) != 16)
    return -errno;
  shared->ns = oipc_pid_namespace();
  atomic_store_explicit(&shared->magic, magic, memory_order_release);
  return 0;
}

/* -EAGAIN while it is being made, -EBADMSG if it is none of this version. */
static inline int oipc_racing_check(oipc_racing_header* shared, uint32_t expected) {
  const uint32_t magic = atomic_load_explicit(&shared->magic, memory_order_acquire);
  if (magic == 0) return -EAGAIN;
  const bool good = magic == expected && shared->version == 1 && shared->order == 0x01020304 &&
                    shared->flags == 0 && shared->data_offset == OIPC_DATA &&
                    shared->bells == OIPC_BELLS;
  return good ? 0 : -EBADMSG;
}

/* After something was published. */
static inline void oipc_wake_readers(oipc_racing_header* shared, int* caller, const char* bell) {
  atomic_thread_fence(memory_order_seq_cst);
  if (atomic_load_explicit(&shared->readers_sleep, memory_order_relaxed) == 0) return;
  const uint32_t bits = atomic_exchange(&shared->readers_sleep, 0);
  OIPC_STEP();
  if (bits & OIPC_SLEEP_FUTEX) oipc_futex_wake_all(&shared->readers_sleep);
  for (int i = 0; bits & OIPC_SLEEP_BELL && i < OIPC_BELLS / 32; ++i) {
    uint32_t wanted = atomic_exchange(&shared->wants[i], 0);
    OIPC_STEP();
    for (; wanted != 0; wanted &= wanted - 1) {
      char which[12];
      snprintf(which, sizeof which, "%d", 32 * i + __builtin_ctz(wanted));
      oipc_ring_bell(caller, bell, which);
    }
  }
}

/* Sleeps, unless `newest` is not `seen` any more. */
static inline void oipc_sleep_reader(oipc_racing_header* shared, uint64_t seen, int64_t ms) {
  _Atomic uint32_t* word = &shared->readers_sleep;
  const uint32_t bits = atomic_fetch_or(word, OIPC_SLEEP_FUTEX) | OIPC_SLEEP_FUTEX;
  OIPC_STEP();
  if (atomic_load(&shared->newest) == seen) oipc_futex_wait(word, bits, ms);
}

#endif
