/* What a ring is, and how it is made and attached to: docs/layout.md. For octoipc/ring.h. */
#ifndef OCTOIPC_RING_LAYOUT_H
#define OCTOIPC_RING_LAYOUT_H

#include "peers.h"

enum {
  OIPC_RING_MAGIC = 0x474e524f,
  OIPC_RING_TURNS = 1, /* flag: several producers */
  OIPC_RING_SEATS = 32,
  OIPC_RING_MESSAGE = 1,
  OIPC_RING_FILLER = 2
};

typedef struct {
  _Atomic uint32_t magic;
  uint32_t version, order, flags, capacity, max_message_size, data_offset, seats;
  uint8_t id[16];
  uint64_t ns;
  _Alignas(64) _Atomic uint32_t tail;
  _Alignas(64) _Atomic uint32_t head;
  _Alignas(64) _Atomic uint32_t consumer_sleep;
  _Alignas(64) _Atomic uint32_t producer_sleep;
  _Alignas(64) _Atomic uint32_t lock;
  _Alignas(512) oipc_seat seat[1 + OIPC_RING_SEATS]; /* the consumer's first */
} oipc_ring_header;

_Static_assert(offsetof(oipc_ring_header, lock) == 320, "layout");
_Static_assert(offsetof(oipc_ring_header, seat) == 512, "layout");
_Static_assert(sizeof(oipc_seat) == 64, "layout");

typedef struct {
  oipc_ring_header* shared;
  uint8_t* data;
  /* Copies: what the other side writes there later must not matter. */
  uint32_t capacity, max_message_size, seats, flags;
  char bell[48]; /* "octoipc-ring-ID-" */
  int seat;      /* -1, or the index in shared->seat */
  uint64_t identity;
  bool foreign;  /* this process has another pid namespace than the ring */
  uint32_t turn; /* what this producer puts into the lock */
  bool locked;
  uint32_t here; /* tail of a producer, head of a consumer, with what is not published yet */
  uint32_t published;
  uint32_t there;   /* the other side's, as it was */
  uint32_t claimed; /* length of the claim */
  uint8_t seen[1 + OIPC_RING_SEATS];
  int64_t looked; /* when the lock's holder was looked at */
  bool death;     /* of a producer, which is not reported yet */
  bool full;      /* there was no room when this producer last tried */
  int socket;
} oipc_ring;

/* ---- making and attaching ---- */

/* Makes a ring in zeroed memory. flags: OIPC_RING_TURNS or 0; id: 16 bytes, or NULL for random
 * ones. */
static inline int oipc_ring_format(void* memory, size_t size, uint32_t capacity, uint32_t max,
                                   uint32_t flags, const uint8_t* id) {
  oipc_ring_header* shared = memory;
  if (capacity < 64 || capacity > 1u << 30 || (capacity & (capacity - 1)) ||
      max > capacity / 2 - 8 || flags > 1 || size < (size_t)OIPC_DATA + capacity) {
    return -EINVAL;
  }
  shared->version = 1;
  shared->order = 0x01020304;
  shared->flags = flags;
  shared->capacity = capacity;
  shared->max_message_size = max;
  shared->data_offset = OIPC_DATA;
  shared->seats = flags & OIPC_RING_TURNS ? OIPC_RING_SEATS : 1;
  if (id != NULL)
    memcpy(shared->id, id, 16);
  else if (getrandom(shared->id, 16, 0) != 16)
    return -errno;
  shared->ns = oipc_pid_namespace();
  atomic_store_explicit(&shared->magic, OIPC_RING_MAGIC, memory_order_release);
  return 0;
}

/* -EAGAIN while it is being made, -EBADMSG if it is no ring of this version. */
static inline int oipc_ring_attach(oipc_ring* ring, void* memory, size_t size) {
  oipc_ring_header* shared = memory;
  memset(ring, 0, sizeof *ring);
  ring->socket = ring->seat = -1;
  if (size < OIPC_DATA) return -EBADMSG;
  const uint32_t magic = atomic_load_explicit(&shared->magic, memory_order_acquire);
  if (magic == 0) return -EAGAIN;
  ring->shared = shared;
  ring->data = (uint8_t*)memory + OIPC_DATA;
  ring->capacity = shared->capacity;
  ring->max_message_size = shared->max_message_size;
  ring->flags = shared->flags;
  ring->seats = shared->seats;
  ring->foreign = oipc_is_foreign(shared->ns);
  const uint32_t capacity = ring->capacity;
  if (magic != OIPC_RING_MAGIC || shared->version != 1 || shared->order != 0x01020304 ||
      ring->flags > 1 || capacity < 64 || capacity > 1u << 30 || (capacity & (capacity - 1)) ||
      size < (size_t)OIPC_DATA + capacity || ring->max_message_size > capacity / 2 - 8 ||
      shared->data_offset != OIPC_DATA ||
      ring->seats != (ring->flags & OIPC_RING_TURNS ? OIPC_RING_SEATS : 1)) {
    return -EBADMSG;
  }
  oipc_bell_prefix(ring->bell, sizeof ring->bell, "ring", shared->id);
  return 0;
}

#endif
