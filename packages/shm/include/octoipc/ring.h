/* Rings of @octoipc/shm for C11: docs/layout.md, header-only. Functions answer 0 or more, or
 * -errno.
 *
 * A handle belongs to one thread. Map the object (shm_open, mmap), oipc_ring_attach, then join as
 * the producer or the consumer, and leave at the end. */
#ifndef OCTOIPC_RING_H
#define OCTOIPC_RING_H

#include "ring_layout.h"

/* ---- seats ---- */

/* Takes this seat; -EBUSY if somebody lives there. */
static inline int oipc_ring_sit(oipc_ring* ring, int index, uint64_t identity) {
  oipc_seat* seat = &ring->shared->seat[index];
  const int result = oipc_take_seat(seat, identity, &ring->identity);
  if (result < 0) return result;
  const uint32_t generation = atomic_fetch_add(&seat->generation, 1) + 1;
  OIPC_STEP();
  ring->seat = index;
  ring->turn = (uint32_t)index | generation << 8; /* index = seat + 1 */
  return 0;
}

static inline void oipc_ring_leave(oipc_ring* ring) {
  if (ring->seat >= 0) {
    if (ring->locked) atomic_store(&ring->shared->lock, 0);
    oipc_leave_seat(&ring->shared->seat[ring->seat], ring->identity);
  }
  if (ring->socket >= 0) close(ring->socket);
  ring->seat = ring->socket = -1;
}

static inline int oipc_ring_join(oipc_ring* ring, bool producer) {
  const int64_t identity = oipc_own_identity(ring->shared->ns);
  if (identity < 0) return (int)identity;
  int result = -EBUSY;
  if (!producer) result = oipc_ring_sit(ring, 0, (uint64_t)identity);
  for (uint32_t i = 1; producer && result == -EBUSY && i <= ring->seats; ++i) {
    result = oipc_ring_sit(ring, (int)i, (uint64_t)identity);
  }
  if (result < 0) return result;
  const uint32_t tail = atomic_load(&ring->shared->tail);
  const uint32_t head = atomic_load(&ring->shared->head);
  if (tail - head > ring->capacity || (tail | head) & 7) {
    oipc_ring_leave(ring);
    return -EBADMSG;
  }
  ring->here = ring->published = producer ? tail : head;
  ring->there = producer ? head : tail;
  for (uint32_t i = 0; i <= ring->seats; ++i) {
    ring->seen[i] = OIPC_ID_DEATHS(atomic_load(&ring->shared->seat[i].identity));
  }
  return 0;
}

static inline int oipc_ring_join_producer(oipc_ring* ring) { return oipc_ring_join(ring, true); }
static inline int oipc_ring_join_consumer(oipc_ring* ring) { return oipc_ring_join(ring, false); }

/* Buries who is dead on the other side; -EOWNERDEAD, once for each death. */
static inline int oipc_ring_check(oipc_ring* ring) {
  const bool producer = ring->seat > 0;
  int result = 0;
  for (uint32_t i = producer ? 0 : 1; i <= (producer ? 0 : ring->seats); ++i) {
    const uint8_t deaths = oipc_deaths(&ring->shared->seat[i], ring->foreign);
    if (deaths == ring->seen[i]) continue;
    ring->seen[i] = deaths;
    result = -EOWNERDEAD;
  }
  return result;
}

/* ---- sleeping ---- */

static inline void oipc_ring_wake(oipc_ring* ring, _Atomic uint32_t* word, bool consumer) {
  const uint32_t bits = atomic_exchange(word, 0);
  OIPC_STEP();
  if (bits & OIPC_SLEEP_FUTEX) oipc_futex_wake_all(word);
  if (!(bits & OIPC_SLEEP_BELL)) return;
  if (consumer) oipc_ring_bell(&ring->socket, ring->bell, "c");
  for (uint32_t i = 1; !consumer && i <= ring->seats; ++i) {
    char which[12];
    snprintf(which, sizeof which, "%u", i - 1);
    if (atomic_exchange(&ring->shared->seat[i].wants, 0))
      oipc_ring_bell(&ring->socket, ring->bell, which);
  }
}

/* Tells the other side of all that was put in, or taken out, since the last time. */
static inline void oipc_ring_publish(oipc_ring* ring) {
  const bool producer = ring->seat > 0;
  oipc_ring_header* shared = ring->shared;
  if (ring->here != ring->published) {
    atomic_store_explicit(producer ? &shared->tail : &shared->head, ring->here,
                          memory_order_release);
    OIPC_STEP();
    ring->published = ring->here;
    _Atomic uint32_t* word = producer ? &shared->consumer_sleep : &shared->producer_sleep;
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(word, memory_order_relaxed)) oipc_ring_wake(ring, word, producer);
  }
  if (!ring->locked) return;
  ring->locked = false;
  atomic_store_explicit(&shared->lock, 0, memory_order_release);
  OIPC_STEP();
  atomic_thread_fence(memory_order_seq_cst);
  if (atomic_load_explicit(&shared->producer_sleep, memory_order_relaxed)) {
    oipc_ring_wake(ring, &shared->producer_sleep, false);
  }
}

/* Takes the lock away from who is dead. */
static inline void oipc_ring_mend_lock(oipc_ring* ring) {
  uint32_t held = atomic_load(&ring->shared->lock);
  const uint32_t index = held & 0xff;
  if (held == 0 || held == ring->turn) return;
  if (index <= ring->seats && index > 0) {
    oipc_seat* seat = &ring->shared->seat[index];
    const uint64_t identity = atomic_load(&seat->identity);
    const bool same = (atomic_load(&seat->generation) & 0xffffff) == held >> 8;
    if (same && OIPC_ID_PID(identity) != 0 && !oipc_identity_is_dead(identity, ring->foreign))
      return;
  }
  atomic_compare_exchange_strong(&ring->shared->lock, &held, 0);
}

/* Takes the lock, also that of who is dead: a look, which costs some 10 us, each 10 ms at most. */
static inline bool oipc_ring_lock(oipc_ring* ring) {
  uint32_t none = 0;
  if (atomic_compare_exchange_strong(&ring->shared->lock, &none, ring->turn)) return true;
  const int64_t now = oipc_now_ms();
  if (now - ring->looked < 10) return false;
  ring->looked = now;
  oipc_ring_mend_lock(ring);
  none = 0;
  return atomic_compare_exchange_strong(&ring->shared->lock, &none, ring->turn);
}

/* Sleeps until something may have changed. */
static inline void oipc_ring_sleep(oipc_ring* ring, uint32_t need, int64_t ms) {
  const bool producer = ring->seat > 0;
  oipc_ring_header* shared = ring->shared;
  _Atomic uint32_t* word = producer ? &shared->producer_sleep : &shared->consumer_sleep;
  const uint32_t bits = atomic_fetch_or(word, OIPC_SLEEP_FUTEX) | OIPC_SLEEP_FUTEX;
  OIPC_STEP();
  if (producer) {
    const bool room =
        ring->capacity - (atomic_load(&shared->tail) - atomic_load(&shared->head)) >= need;
    if (room && atomic_load(&shared->lock) == 0) return;
  } else if (atomic_load(&shared->tail) != ring->here) {
    return;
  }
  oipc_futex_wait(word, bits, ms);
}

/* ---- producer ---- */

/* What a message of this length takes up at most of here. */
static inline uint32_t oipc_ring_need(const oipc_ring* ring, uint32_t length) {
  const uint32_t record = 8 + ((length + 7) & ~7u);
  const uint32_t rest = ring->capacity - (ring->here & (ring->capacity - 1));
  return record > rest ? record + rest : record;
}

/* Whether there is no room for sure, by a look without the turn. Who takes it in vain wakes the
 * others when he gives it back, who would do the same: they would go round for as long as the ring
 * is full. */
static inline bool oipc_ring_is_full(oipc_ring* ring, uint32_t length) {
  /* In this order: the tail can only be further by now, and then there is no more room. */
  ring->here = ring->published = atomic_load(&ring->shared->tail);
  ring->there = atomic_load(&ring->shared->head);
  const uint32_t used = ring->here - ring->there;
  return used <= ring->capacity && ring->capacity - used < oipc_ring_need(ring, length);
}

/* Room for a message; NULL and errno: EAGAIN full or another's turn, EMSGSIZE, EBADMSG. One at a
 * time. */
static inline void* oipc_ring_claim(oipc_ring* ring, size_t length) {
  oipc_ring_header* shared = ring->shared;
  if (length > ring->max_message_size) return errno = EMSGSIZE, NULL;
  if (ring->flags & OIPC_RING_TURNS && !ring->locked) {
    if (ring->full && oipc_ring_is_full(ring, (uint32_t)length)) return errno = EAGAIN, NULL;
    if (!oipc_ring_lock(ring)) return errno = EAGAIN, NULL;
    OIPC_STEP();
    ring->locked = true;
    ring->here = ring->published = atomic_load_explicit(&shared->tail, memory_order_acquire);
    ring->there = atomic_load_explicit(&shared->head, memory_order_acquire);
    if (ring->here - ring->there > ring->capacity || ring->here & 7) return errno = EBADMSG, NULL;
  }
  const uint32_t need = oipc_ring_need(ring, (uint32_t)length);
  if (ring->capacity - (ring->here - ring->there) < need) {
    ring->there = atomic_load_explicit(&shared->head, memory_order_acquire);
    if (ring->here - ring->there > ring->capacity || ring->here & 7) return errno = EBADMSG, NULL;
    ring->full = ring->capacity - (ring->here - ring->there) < need;
    if (ring->full) {
      oipc_ring_publish(ring);
      return errno = EAGAIN, NULL;
    }
  }
  ring->claimed = (uint32_t)length;
  const uint32_t record = 8 + (((uint32_t)length + 7) & ~7u);
  uint32_t at = ring->here & (ring->capacity - 1);
  if (need != record) at = 0;
  return ring->data + at + 8;
}

/* Puts the claimed message in; it is seen after oipc_ring_publish. */
static inline void oipc_ring_push(oipc_ring* ring) {
  const uint32_t record = 8 + ((ring->claimed + 7) & ~7u);
  const uint32_t need = oipc_ring_need(ring, ring->claimed);
  if (need != record) {
    const uint32_t filler[2] = {need - record - 8, OIPC_RING_FILLER};
    memcpy(ring->data + (ring->here & (ring->capacity - 1)), filler, 8);
    OIPC_STEP();
    ring->here += need - record;
  }
  const uint32_t header[2] = {ring->claimed, OIPC_RING_MESSAGE};
  memcpy(ring->data + (ring->here & (ring->capacity - 1)), header, 8);
  OIPC_STEP();
  ring->here += record;
}

static inline int oipc_ring_put(oipc_ring* ring, const void* message, size_t length) {
  void* room = oipc_ring_claim(ring, length);
  if (room == NULL) return -errno;
  memcpy(room, message, length);
  OIPC_STEP();
  oipc_ring_push(ring);
  return 0;
}

static inline int oipc_ring_try_send(oipc_ring* ring, const void* message, size_t length) {
  const int result = oipc_ring_put(ring, message, length);
  if (result == 0 || ring->locked) oipc_ring_publish(ring);
  return result;
}

/* timeout_ms < 0: for ever. -ETIMEDOUT; -EOWNERDEAD once, nothing sent, after the consumer died. */
static inline int oipc_ring_send(oipc_ring* ring, const void* message, size_t length,
                                 int64_t timeout_ms) {
  const int64_t until = oipc_now_ms() + timeout_ms;
  for (;;) {
    const int result = oipc_ring_try_send(ring, message, length);
    if (result != -EAGAIN) return result;
    const int dead = oipc_ring_check(ring);
    if (dead < 0) return dead;
    oipc_ring_mend_lock(ring);
    const int64_t left = oipc_slice(timeout_ms, until);
    if (left == 0) return -ETIMEDOUT;
    oipc_ring_sleep(ring, oipc_ring_need(ring, (uint32_t)length), left);
  }
}

/* ---- consumer ---- */

/* The next message where it is; its length, -EAGAIN if there is none, -EBADMSG. */
static inline int64_t oipc_ring_peek(oipc_ring* ring, const void** message) {
  for (;;) {
    if (ring->here == ring->there) {
      ring->there = atomic_load_explicit(&ring->shared->tail, memory_order_acquire);
      if (ring->here == ring->there) return -EAGAIN;
    }
    const uint32_t used = ring->there - ring->here;
    if (used > ring->capacity || used < 8 || ring->there & 7 || ring->here & 7) return -EBADMSG;
    const uint32_t at = ring->here & (ring->capacity - 1);
    const uint32_t rest = ring->capacity - at;
    uint32_t header[2];
    memcpy(header, ring->data + at, 8);
    /* Or the compiler might load them again, after they were checked. */
    __asm__ volatile("" : "+r"(header[0]), "+r"(header[1]));
    const uint32_t room = (used < rest ? used : rest) - 8;
    if (header[1] == OIPC_RING_FILLER) {
      if (header[0] != rest - 8 || header[0] > room) return -EBADMSG;
      ring->here += rest;
      continue;
    }
    if (header[1] != OIPC_RING_MESSAGE || header[0] > ring->max_message_size ||
        ((header[0] + 7) & ~7u) > room) {
      return -EBADMSG;
    }
    ring->claimed = header[0];
    *message = ring->data + at + 8;
    return header[0];
  }
}

/* Goes past the message of the last peek; the producer learns it by oipc_ring_publish. */
static inline void oipc_ring_pop(oipc_ring* ring) { ring->here += 8 + ((ring->claimed + 7) & ~7u); }

static inline int64_t oipc_ring_try_receive(oipc_ring* ring, void* into, size_t room) {
  const void* message;
  const int64_t length = oipc_ring_peek(ring, &message);
  if (length == -EAGAIN) oipc_ring_publish(ring);
  if (length < 0) return length;
  if ((size_t)length > room) return -EMSGSIZE;
  memcpy(into, message, (size_t)length);
  oipc_ring_pop(ring);
  oipc_ring_publish(ring);
  return length;
}

/* timeout_ms < 0: for ever. -ETIMEDOUT; -EOWNERDEAD once for each producer that died. */
static inline int64_t oipc_ring_receive(oipc_ring* ring, void* into, size_t room,
                                        int64_t timeout_ms) {
  const int64_t until = oipc_now_ms() + timeout_ms;
  for (;;) {
    const int64_t result = oipc_ring_try_receive(ring, into, room);
    if (result != -EAGAIN) return result;
    if (ring->death) {
      ring->death = false;
      return -EOWNERDEAD;
    }
    const int dead = oipc_ring_check(ring);
    if (dead < 0) {
      /* What it published before it died comes first. */
      ring->death = true;
      continue;
    }
    const int64_t left = oipc_slice(timeout_ms, until);
    if (left == 0) return -ETIMEDOUT;
    oipc_ring_sleep(ring, 0, left);
  }
}

#endif
