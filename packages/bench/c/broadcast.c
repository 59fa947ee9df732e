// broadcast SIZE CAPACITY READERS: one that publishes to many readers, over the layout of ShmBroadcast. Each reader
// gets every message by itself, asleep in futex(2) where none is there.
//
// Who publishes never waits, and would overrun them: it begins a window, a quarter of the capacity, when every reader
// has told by its semaphore that it had the window before the last.
#define _GNU_SOURCE
#include <fcntl.h>
#include <octoipc/broadcast.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "bench.h"

enum { kReaders = 64 };

static size_t size;
static uint32_t capacity;
static int readers;

/// Messages of a window.
static size_t window;

static sem_t* had;

static void* Map(size_t bytes) {
  void* memory =
      mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) Fail("mmap");
  return memory;
}

static void Check(int result, const char* what) {
  errno = -result;
  if (result < 0) Fail(what);
}

static oipc_broadcast Attach(void* memory) {
  oipc_broadcast end;
  Check(oipc_broadcast_attach(&end, memory, OIPC_DATA + capacity), "attach");
  return end;
}

static void Publish(oipc_broadcast* end, size_t count) {
  uint8_t* message = Memory(size);
  for (size_t n = 0; n < count; n++) {
    if (n % window == 0 && n >= 2 * window) {
      for (int i = 0; i < readers; i++) {
        while (sem_wait(&had[i]) != 0) continue;
      }
    }
    Fill(message, size, n);
    Check(oipc_broadcast_send(end, message, size), "send");
  }
  Release(message);
}

static uint64_t Receive(oipc_broadcast* end, size_t count, sem_t* told) {
  uint8_t* message = Memory(size);
  uint64_t sum = 0;
  for (size_t n = 0; n < count; n++) {
    const int64_t length = oipc_broadcast_receive(end, message, size, -1);
    if (length != (int64_t)size || end->missed > 0) exit(1);
    sum += Sum(message, size, 0);
    if (n % window == window - 1) sem_post(told);
  }
  return sum;
}

static void Sample(size_t count) {
  void* memory = Map(OIPC_DATA + capacity);
  int told[2];
  if (pipe2(told, O_CLOEXEC) != 0) Fail("pipe2");
  Check(oipc_broadcast_format(memory, OIPC_DATA + capacity, capacity, (uint32_t)size, NULL),
        "format");
  for (int i = 0; i < readers; i++) {
    sem_init(&had[i], 1, 0);
    const pid_t child = fork();
    if (child < 0) Fail("fork");
    if (child > 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    oipc_broadcast end = Attach(memory);
    const uint8_t ready = 1;
    Check(oipc_broadcast_join_reader(&end, false), "join");
    WriteAll(told[1], &ready, 1);
    struct Receipt receipt = {0, Receive(&end, count, &had[i])};
    receipt.end = Now();
    WriteAll(told[1], &receipt, sizeof receipt);
    _exit(0);
  }
  uint8_t ready[kReaders];
  struct Receipt last = {0, 0};
  oipc_broadcast end = Attach(memory);
  Check(oipc_broadcast_join_producer(&end), "join");
  ReadAll(told[0], ready, (size_t)readers);
  const int64_t start = Now();
  Publish(&end, count);
  for (int i = 0; i < readers; i++) {
    struct Receipt receipt;
    ReadAll(told[0], &receipt, sizeof receipt);
    if (i > 0 && receipt.sum != last.sum) exit(1);
    if (receipt.end > last.end) last = receipt;
  }
  ReportReceipt(start, last);
  while (wait(NULL) > 0) continue;
  oipc_broadcast_leave(&end);
  close(told[0]);
  close(told[1]);
  munmap(memory, OIPC_DATA + capacity);
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  size = strtoull(argv[1], NULL, 10);
  capacity = (uint32_t)strtoull(argv[2], NULL, 10);
  readers = atoi(argv[3]);
  if (readers < 1 || readers > kReaders) return 2;
  window = capacity / 4 / oipc_broadcast_size(size);
  had = Map(kReaders * sizeof *had);
  for (size_t count = NextCount(); count > 0; count = NextCount()) Sample(count);
  return 0;
}
