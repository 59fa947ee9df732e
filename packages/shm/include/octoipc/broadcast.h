/* Broadcasts of @octoipc/shm for C11: docs/layout.md, header-only. Functions answer 0 or more, or
 * -errno.
 *
 * A handle belongs to one thread. Map the object (shm_open, mmap), oipc_broadcast_attach, then join
 * as the producer, and leave at the end; or as a reader, of whom there may be any number. */
#ifndef OCTOIPC_BROADCAST_H
#define OCTOIPC_BROADCAST_H

#include "racing.h"

enum {
  OIPC_BROADCAST_MAGIC = 0x5443424f,
  OIPC_BROADCAST_MESSAGE = 1,
  OIPC_BROADCAST_FILLER = 2,
  OIPC_BROADCAST_TRIES = 1000
};

typedef enum {
  OIPC_GAP_NONE,
  OIPC_GAP_MISSED, /* the next message's number tells how many were missed */
  OIPC_GAP_ANY     /* before the first message of a reader that began with old ones */
} oipc_gap;

typedef struct {
  oipc_racing_header* shared;
  uint8_t* data;
  /* Copies: what others write there later must not matter. */
  uint64_t capacity, longest;
  char bell[52];
  uint64_t here, number; /* of the next record, and message */
  uint64_t begun;        /* of a producer */
  uint64_t missed;       /* by a reader */
  oipc_gap gap;
  bool seated, death;
  bool foreign; /* this process has another pid namespace than the broadcast */
  uint64_t identity;
  uint8_t seen; /* deaths */
  int socket;
} oipc_broadcast;

typedef struct {
  uint64_t length, kind, number;
} oipc_broadcast_record;

/* Makes a broadcast in zeroed memory. id: 16 bytes, or NULL for random ones. */
static inline int oipc_broadcast_format(void* memory, size_t size, uint32_t capacity, uint32_t max,
                                        const uint8_t* id) {
  if (capacity < 64 || capacity > 1u << 30 || (capacity & (capacity - 1)) ||
      max > capacity / 4 - 16 || size < (size_t)OIPC_DATA + capacity) {
    return -EINVAL;
  }
  return oipc_racing_format(memory, OIPC_BROADCAST_MAGIC, capacity, max, id);
}

/* -EAGAIN while it is being made, -EBADMSG if it is no broadcast of this version. */
static inline int oipc_broadcast_attach(oipc_broadcast* end, void* memory, size_t size) {
  memset(end, 0, sizeof *end);
  end->socket = -1;
  if (size < OIPC_DATA) return -EBADMSG;
  end->shared = memory;
  end->data = (uint8_t*)memory + OIPC_DATA;
  const int result = oipc_racing_check(end->shared, OIPC_BROADCAST_MAGIC);
  if (result < 0) return result;
  const uint32_t capacity = end->shared->size;
  const uint32_t longest = end->shared->longest;
  if (capacity < 64 || capacity > 1u << 30 || (capacity & (capacity - 1)) ||
      longest > capacity / 4 - 16 || size < (size_t)OIPC_DATA + capacity) {
    return -EBADMSG;
  }
  end->capacity = capacity;
  end->longest = longest;
  end->foreign = oipc_is_foreign(end->shared->ns);
  oipc_bell_prefix(end->bell, sizeof end->bell, "bell", end->shared->id);
  return 0;
}

/* ---- records ---- */

static inline uint64_t oipc_broadcast_size(uint64_t length) { return 16 + ((length + 7) & ~7ull); }

/* A record's header, which may be anything. */
static inline oipc_broadcast_record oipc_broadcast_header(const oipc_broadcast* end, uint64_t at) {
  uint64_t words[2] = {0, 0};
  oipc_copy_out(words, end->data + at, end->capacity - at < 16 ? 8 : 16);
  return (oipc_broadcast_record){words[0] & 0xffffffff, words[0] >> 32, words[1]};
}

static inline bool oipc_broadcast_is_message(const oipc_broadcast* end,
                                             const oipc_broadcast_record* record, uint64_t rest) {
  return record->kind == OIPC_BROADCAST_MESSAGE && record->length <= end->longest &&
         oipc_broadcast_size(record->length) <= rest;
}

/* Goes to the end of the newest message. */
static inline int oipc_broadcast_go_to_end(oipc_broadcast* end) {
  for (int i = 0; i < OIPC_BROADCAST_TRIES; ++i) {
    const uint64_t last = atomic_load_explicit(&end->shared->newest, memory_order_acquire);
    if (last == 0) {
      end->here = end->capacity;
      end->number = 0;
      end->begun = oipc_begun(end->shared);
      return end->begun > 2 * end->capacity ? -EBADMSG : 0;
    }
    if (last & 7 || last < end->capacity) return -EBADMSG;
    const uint64_t at = last & (end->capacity - 1);
    const oipc_broadcast_record record = oipc_broadcast_header(end, at);
    end->begun = oipc_begun(end->shared);
    if (atomic_load(&end->shared->newest) != last) continue;
    end->here = last + oipc_broadcast_size(record.length);
    end->number = record.number + 1;
    const bool whole = end->begun >= end->here && end->begun - last <= end->capacity;
    return whole && oipc_broadcast_is_message(end, &record, end->capacity - at) ? 0 : -EBADMSG;
  }
  return -EAGAIN;
}

/* Goes to the oldest message that will not be overwritten at once; -EAGAIN if that was just now. */
static inline int oipc_broadcast_go_to_mark(oipc_broadcast* end, bool forward) {
  const uint64_t quarter = end->capacity / 4;
  const uint64_t last = atomic_load_explicit(&end->shared->newest, memory_order_acquire);
  if (last < end->capacity) return -EBADMSG;
  const uint64_t newest = last / quarter;
  const uint64_t begun = oipc_begun(end->shared);
  for (uint64_t k = newest - 1 < 4 ? 4 : newest - 1; k <= newest; ++k) {
    const uint64_t mark = atomic_load_explicit(&end->shared->marks[k & 3], memory_order_acquire);
    if (mark / quarter > k) return atomic_load(&end->shared->newest) != last ? -EAGAIN : -EBADMSG;
    if (mark / quarter < k || mark & 7) return -EBADMSG;
    if (k < newest && begun - mark > 3 * quarter) continue;
    if (forward && mark <= end->here) return -EBADMSG;
    end->here = mark;
    return 0;
  }
  return -EBADMSG;
}

/* ---- producer ---- */

/* -EBUSY if there is another, who lives. */
static inline int oipc_broadcast_join_producer(oipc_broadcast* end) {
  const int64_t identity = oipc_own_identity(end->shared->ns);
  if (identity < 0) return (int)identity;
  int result = oipc_take_seat(&end->shared->seat, (uint64_t)identity, &end->identity);
  if (result < 0) return result;
  atomic_fetch_add(&end->shared->seat.generation, 1);
  OIPC_STEP();
  end->seated = true;
  result = oipc_broadcast_go_to_end(end);
  if (result < 0) {
    oipc_leave_seat(&end->shared->seat, end->identity);
    end->seated = false;
  }
  return result;
}

static inline void oipc_broadcast_leave(oipc_broadcast* end) {
  if (end->seated) oipc_leave_seat(&end->shared->seat, end->identity);
  if (end->socket >= 0) close(end->socket);
  end->seated = false;
  end->socket = -1;
}

static inline void oipc_broadcast_mark(oipc_broadcast* end, uint64_t position) {
  const uint64_t k = position / (end->capacity / 4);
  _Atomic uint64_t* mark = &end->shared->marks[k & 3];
  if (atomic_load_explicit(mark, memory_order_relaxed) / (end->capacity / 4) == k) return;
  atomic_store_explicit(mark, position, memory_order_release);
  OIPC_STEP();
}

/* Never waits: it overwrites the oldest. */
static inline int oipc_broadcast_send(oipc_broadcast* end, const void* message, size_t length) {
  if (length > end->longest) return -EMSGSIZE;
  oipc_racing_header* shared = end->shared;
  const uint64_t size = oipc_broadcast_size(length);
  uint64_t at = end->here & (end->capacity - 1);
  const uint64_t filler = size > end->capacity - at ? end->capacity - at : 0;
  const uint64_t start = end->here + filler;
  if (end->begun < start + size) end->begun = start + size;
  atomic_store_explicit(&shared->begun, end->begun, memory_order_relaxed);
  OIPC_STEP();
  atomic_thread_fence(memory_order_release);
  if (filler > 0) {
    const uint64_t word = (filler - 8) | (uint64_t)OIPC_BROADCAST_FILLER << 32;
    oipc_broadcast_mark(end, end->here);
    oipc_copy_in(end->data + at, &word, 8);
    at = 0;
  }
  oipc_broadcast_mark(end, start);
  const uint64_t header[2] = {length | (uint64_t)OIPC_BROADCAST_MESSAGE << 32, end->number};
  oipc_copy_in(end->data + at, header, 16);
  oipc_copy_in(end->data + at + 16, message, length);
  atomic_store_explicit(&shared->newest, start, memory_order_release);
  OIPC_STEP();
  end->here = start + size;
  end->number += 1;
  oipc_wake_readers(shared, &end->socket, end->bell);
  return 0;
}

/* ---- reader ---- */

/* oldest: with old messages first, as far as they are there still. */
static inline int oipc_broadcast_join_reader(oipc_broadcast* end, bool oldest) {
  end->seen = OIPC_ID_DEATHS(atomic_load(&end->shared->seat.identity));
  const int result = oipc_broadcast_go_to_end(end);
  if (result < 0 || !oldest || end->number == 0) return result;
  end->gap = OIPC_GAP_ANY;
  for (int i = 0; i < OIPC_BROADCAST_TRIES; ++i) {
    const int gone = oipc_broadcast_go_to_mark(end, false);
    if (gone != -EAGAIN) return gone;
  }
  return -EAGAIN;
}

/* The next message's length; -EAGAIN if there is none, -EMSGSIZE if it is longer than room. */
static inline int64_t oipc_broadcast_try_receive(oipc_broadcast* end, void* into, size_t room) {
  for (int overruns = 0; overruns < OIPC_BROADCAST_TRIES;) {
    if (atomic_load_explicit(&end->shared->newest, memory_order_acquire) < end->here)
      return -EAGAIN;
    const uint64_t at = end->here & (end->capacity - 1);
    const uint64_t rest = end->capacity - at;
    const oipc_broadcast_record record = oipc_broadcast_header(end, at);
    const bool message = oipc_broadcast_is_message(end, &record, rest);
    if (message && record.length <= room) oipc_copy_out(into, end->data + at + 16, record.length);
    if (oipc_begun(end->shared) - end->here > end->capacity) {
      const int gone = oipc_broadcast_go_to_mark(end, true);
      if (gone == -EBADMSG) return gone;
      if (gone == 0 && end->gap == OIPC_GAP_NONE) end->gap = OIPC_GAP_MISSED;
      ++overruns;
      continue;
    }
    if (record.kind == OIPC_BROADCAST_FILLER && record.length == rest - 8 && at != 0) {
      end->here += rest;
      continue;
    }
    if (!message || (end->gap == OIPC_GAP_NONE && record.number != end->number) ||
        (end->gap == OIPC_GAP_MISSED && record.number < end->number)) {
      return -EBADMSG;
    }
    if (record.length > room) return -EMSGSIZE;
    if (end->gap == OIPC_GAP_MISSED) end->missed += record.number - end->number;
    end->gap = OIPC_GAP_NONE;
    end->number = record.number + 1;
    end->here += oipc_broadcast_size(record.length);
    return (int64_t)record.length;
  }
  return -EAGAIN;
}

/* timeout_ms < 0: for ever. -ETIMEDOUT; -EOWNERDEAD once when the producer died. */
static inline int64_t oipc_broadcast_receive(oipc_broadcast* end, void* into, size_t room,
                                             int64_t timeout_ms) {
  const int64_t until = oipc_now_ms() + timeout_ms;
  for (;;) {
    const uint64_t seen = atomic_load(&end->shared->newest);
    const int64_t result = oipc_broadcast_try_receive(end, into, room);
    if (result != -EAGAIN) return result;
    if (end->death) {
      end->death = false;
      return -EOWNERDEAD;
    }
    const uint8_t deaths = oipc_deaths(&end->shared->seat, end->foreign);
    if (deaths != end->seen) {
      /* What it published before it died comes first. */
      end->seen = deaths;
      end->death = true;
      continue;
    }
    const int64_t left = oipc_slice(timeout_ms, until);
    if (left == 0) return -ETIMEDOUT;
    oipc_sleep_reader(end->shared, seen, left);
  }
}

#endif
