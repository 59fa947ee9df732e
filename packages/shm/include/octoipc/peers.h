/* What rings, broadcasts and values have in common: who is there and lives, and waking who sleeps.
 * docs/layout.md of octoipc. */
#ifndef OCTOIPC_PEERS_H
#define OCTOIPC_PEERS_H

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Called after every store to the memory: tests kill the process here. */
#ifndef OIPC_STEP
#define OIPC_STEP() ((void)0)
#endif

enum {
  OIPC_DATA = 4096,
  OIPC_SLEEP_FUTEX = 1,
  OIPC_SLEEP_BELL = 2,
  OIPC_SLICE_MS = 20, /* nobody sleeps longer without looking again */
};

typedef struct {
  _Alignas(64) _Atomic uint64_t identity;
  _Atomic uint32_t wants, generation;
} oipc_seat;

/* How many clock ticks later this process sees others start than the first time namespace does:
 * time_namespaces(7). */
static inline uint32_t oipc_start_offset(void) {
  long long seconds = 0, nanoseconds = 0;
  const long ticks = sysconf(_SC_CLK_TCK);
  FILE* file = fopen("/proc/self/timens_offsets", "re");
  if (file == NULL) return 0;
  const int found = fscanf(file, "monotonic %*s %*s boottime %lld %lld", &seconds, &nanoseconds);
  fclose(file);
  return found == 2 ? (uint32_t)(seconds * ticks + nanoseconds / (1000000000 / ticks)) : 0;
}

/* Start time of a process as the first time namespace has it, its low 32 bits; -ESRCH if it is
 * dead. A zombie is dead, unless it is but its first thread that has ended (pthread_exit in main).
 * /proc may hide another user's (hidepid). By the first thread's file: an emulator (qemu-user)
 * makes up a process's own, with another start time. */
static inline int64_t oipc_process_start(uint32_t pid) {
  char path[64], text[512];
  snprintf(path, sizeof path, "/proc/%u/task/%u/stat", pid, pid);
  FILE* file = fopen(path, "re");
  if (file == NULL) return kill((pid_t)pid, 0) < 0 && errno == ESRCH ? -ESRCH : -EAGAIN;
  const size_t size = fread(text, 1, sizeof text - 1, file);
  const int failed = ferror(file);
  fclose(file);
  if (failed) return -ESRCH;
  text[size] = 0;
  const char* at = strrchr(text, ')');
  if (at == NULL) return -EAGAIN;
  const bool ended = at[2] == 'Z' || at[2] == 'X';
  ++at;
  unsigned long threads = 0;
  for (int field = 3; field < 22 && at != NULL; ++field) {
    if (field == 20) threads = strtoul(at, NULL, 10);
    at = strchr(at + 1, ' ');
  }
  if (ended && threads <= 1) return -ESRCH;
  if (at == NULL) return -EAGAIN;
  return (uint32_t)((uint32_t)strtoull(at, NULL, 10) - oipc_start_offset());
}

static inline uint64_t oipc_pid_namespace(void) {
  struct stat status;
  return stat("/proc/self/ns/pid", &status) == 0 ? (uint64_t)status.st_ino : 0;
}

/* Whether this process has another pid namespace than a memory. */
static inline bool oipc_is_foreign(uint64_t ns) { return ns != oipc_pid_namespace(); }

static inline int64_t oipc_now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#define OIPC_ID_PID(identity) ((uint32_t)((identity) & 0x3fffff))
#define OIPC_ID_DEATHS(identity) ((uint8_t)((identity) >> 56))
#define OIPC_ID_WITH_DEATHS(identity, deaths) \
  (((identity) & ~(UINT64_C(0xff) << 56)) | (uint64_t)(uint8_t)(deaths) << 56)

#define OIPC_ID_FOREIGN(identity) ((identity) >> 54 & 1)

/* foreign: whether this process has another pid namespace than the memory, and can judge nobody. */
static inline bool oipc_identity_is_dead(uint64_t identity, bool foreign) {
  if (foreign || OIPC_ID_PID(identity) == 0 || OIPC_ID_FOREIGN(identity)) return false;
  const int64_t start = oipc_process_start(OIPC_ID_PID(identity));
  return start == -ESRCH || (start >= 0 && (uint32_t)start != (uint32_t)(identity >> 22));
}

/* What identifies this process, in a memory of this pid namespace; or -errno. */
static inline int64_t oipc_own_identity(uint64_t ns) {
  const int64_t start = oipc_process_start((uint32_t)getpid());
  if (start < 0) return start;
  const uint64_t foreign = oipc_is_foreign(ns);
  return (int64_t)((uint64_t)getpid() | (uint64_t)start << 22 | foreign << 54);
}

/* Takes a seat, `*mine` is what is in it then; -EBUSY if somebody lives there. */
static inline int oipc_take_seat(oipc_seat* seat, uint64_t identity, uint64_t* mine) {
  uint64_t old = atomic_load(&seat->identity);
  for (;;) {
    const bool taken = OIPC_ID_PID(old) != 0;
    if (taken && !oipc_identity_is_dead(old, OIPC_ID_FOREIGN(identity))) return -EBUSY;
    const uint64_t next = OIPC_ID_WITH_DEATHS(identity, OIPC_ID_DEATHS(old) + taken);
    if (!atomic_compare_exchange_strong(&seat->identity, &old, next)) continue;
    OIPC_STEP();
    *mine = next;
    return 0;
  }
}

static inline void oipc_leave_seat(oipc_seat* seat, uint64_t mine) {
  atomic_compare_exchange_strong(&seat->identity, &mine, mine & UINT64_C(0xff) << 56);
  OIPC_STEP();
}

/* How many died in a seat; who is dead there is buried first. */
static inline uint8_t oipc_deaths(oipc_seat* seat, bool foreign) {
  uint64_t identity = atomic_load(&seat->identity);
  if (oipc_identity_is_dead(identity, foreign)) {
    const uint64_t buried = (uint64_t)(uint8_t)(OIPC_ID_DEATHS(identity) + 1) << 56;
    atomic_compare_exchange_strong(&seat->identity, &identity, buried);
    identity = atomic_load(&seat->identity);
  }
  return OIPC_ID_DEATHS(identity);
}

/* Sends a byte to the bell of this name, by a socket that is opened when it is first needed. */
static inline void oipc_ring_bell(int* caller, const char* prefix, const char* which) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const int length = snprintf(address.sun_path + 1, 100, "%s%s", prefix, which);
  if (*caller < 0) *caller = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (*caller < 0) return;
  const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
  (void)!sendto(*caller, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr*)&address, size);
}

static inline void oipc_futex_wake_all(_Atomic uint32_t* word) {
  syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static inline void oipc_futex_wait(_Atomic uint32_t* word, uint32_t value, int64_t ms) {
  const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
  syscall(SYS_futex, word, FUTEX_WAIT, value, &time, NULL, 0);
}

/* How long to sleep at once until `until`; 0: it is over. */
static inline int64_t oipc_slice(int64_t timeout_ms, int64_t until) {
  const int64_t left = timeout_ms < 0 ? OIPC_SLICE_MS : until - oipc_now_ms();
  return left <= 0 ? 0 : left < OIPC_SLICE_MS ? left : OIPC_SLICE_MS;
}

/* The prefix of bells' names: what they are for, and the 16 bytes of the id. */
static inline void oipc_bell_prefix(char* out, size_t size, const char* kind, const uint8_t* id) {
  int at = snprintf(out, size, "octoipc-%s-", kind);
  for (int i = 0; i < 16; ++i) at += snprintf(out + at, size - (size_t)at, "%02x", id[i]);
  snprintf(out + at, size - (size_t)at, "-");
}

#endif
