// ring EXERCISE SIZE CAPACITY: what the ring suite measures, in C, over the same layout.
//
// - flow: messages published 64 at a time, taken where they are, asleep in futex(2) when full or empty
// - one: the same, but published and given back one at a time
// - single: published 64 at a time, but each received by itself, copied and given back
// - spin: each sent and received by itself by calls that do not wait, over and over until they go through
// - trips: there and back through two rings, spinning
// - loop: the same, but each side is told by eventfd(2), in epoll_wait(2)
// - eventfd: there and back by eventfd(2) alone, each side in epoll_wait(2)
// - value: reads of a value that nobody sets meanwhile, in one process
// - set: a value set, in one process
#define _GNU_SOURCE

#include <fcntl.h>
#include <octoipc/ring.h>
#include <octoipc/value.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "bench.h"

/// So many messages are published at a time.
static size_t batch = 64;

static size_t size;
static uint32_t capacity;

static void* Map(size_t bytes) {
  void* memory =
      mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) Fail("mmap");
  return memory;
}

static void* Make(void) {
  const size_t bytes = OIPC_DATA + capacity;
  void* memory = Map(bytes);
  errno = -oipc_ring_format(memory, bytes, capacity, (uint32_t)size, 0, NULL);
  if (errno != 0) Fail("format");
  return memory;
}

static oipc_ring Join(void* memory, bool producer) {
  oipc_ring ring;
  oipc_ring_attach(&ring, memory, OIPC_DATA + capacity);
  errno = -oipc_ring_join(&ring, producer);
  if (errno != 0) Fail("join");
  return ring;
}

static uint8_t* Claim(oipc_ring* ring) {
  for (;;) {
    uint8_t* room = oipc_ring_claim(ring, size);
    if (room != NULL) return room;
    if (errno != EAGAIN) Fail("claim");
    oipc_ring_sleep(ring, oipc_ring_need(ring, (uint32_t)size), OIPC_SLICE_MS);
  }
}

static const uint8_t* Peek(oipc_ring* ring) {
  for (;;) {
    const void* message = NULL;
    const int64_t length = oipc_ring_peek(ring, &message);
    if (length == (int64_t)size) return message;
    if (length != -EAGAIN) exit(1);
    oipc_ring_publish(ring);
    oipc_ring_sleep(ring, 0, OIPC_SLICE_MS);
  }
}

static void Produce(oipc_ring* ring, size_t count) {
  for (size_t n = 0; n < count; n++) {
    Fill(Claim(ring), size, n);
    oipc_ring_push(ring);
    if (n % batch == batch - 1) oipc_ring_publish(ring);
  }
  oipc_ring_publish(ring);
}

static uint64_t Consume(oipc_ring* ring, size_t count) {
  uint64_t sum = 0;
  for (size_t n = 0; n < count; n++) {
    const uint8_t* message = Peek(ring);
    sum += Sum(message, size, 0);
    oipc_ring_pop(ring);
    if (n % batch == batch - 1) oipc_ring_publish(ring);
  }
  oipc_ring_publish(ring);
  return sum;
}

static uint64_t Receive(oipc_ring* ring, size_t count) {
  uint8_t* message = Memory(size);
  uint64_t sum = 0;
  for (size_t n = 0; n < count; n++) {
    if (oipc_ring_receive(ring, message, size, -1) != (int64_t)size) exit(1);
    sum += Sum(message, size, 0);
  }
  return sum;
}

static void Put(oipc_ring* ring, const uint8_t* message) {
  int result;
  do {
    result = oipc_ring_try_send(ring, message, size);
  } while (result == -EAGAIN);
  if (result != 0) exit(1);
}

static void Take(oipc_ring* ring, uint8_t* message) {
  int64_t length;
  do {
    length = oipc_ring_try_receive(ring, message, size);
  } while (length == -EAGAIN);
  if (length != (int64_t)size) exit(1);
}

static void PutEach(oipc_ring* ring, size_t count) {
  uint8_t* message = Memory(size);
  for (size_t n = 0; n < count; n++) {
    Fill(message, size, n);
    Put(ring, message);
  }
  Release(message);
}

static uint64_t TakeEach(oipc_ring* ring, size_t count) {
  uint8_t* message = Memory(size);
  uint64_t sum = 0;
  for (size_t n = 0; n < count; n++) {
    Take(ring, message);
    sum += Sum(message, size, 0);
  }
  return sum;
}

static void Flow(size_t count, void (*produce)(oipc_ring*, size_t),
                 uint64_t (*consume)(oipc_ring*, size_t)) {
  void* memory = Make();
  int told[2];
  uint8_t ready = 1;
  if (pipe2(told, O_CLOEXEC) != 0) Fail("pipe2");
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    oipc_ring ring = Join(memory, false);
    WriteAll(told[1], &ready, 1);
    struct Receipt receipt = {0, consume(&ring, count)};
    receipt.end = Now();
    WriteAll(told[1], &receipt, sizeof receipt);
    _exit(0);
  }
  ReadAll(told[0], &ready, 1);
  oipc_ring ring = Join(memory, true);
  struct Receipt receipt;
  const int64_t start = Now();
  produce(&ring, count);
  ReadAll(told[0], &receipt, sizeof receipt);
  ReportReceipt(start, receipt);
  waitpid(child, NULL, 0);
  oipc_ring_leave(&ring);
  close(told[0]);
  close(told[1]);
  munmap(memory, OIPC_DATA + capacity);
}

static void Await(int epoll, int fd) {
  struct epoll_event event;
  uint64_t number;
  while (epoll_wait(epoll, &event, 1, -1) != 1);
  if (read(fd, &number, sizeof number) != sizeof number) Fail("read");
}

static int Watch(int fd) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) Fail("epoll_ctl");
  return epoll;
}

/// One side of a dialogue: two rings and, unless it spins, the bell that it waits for and the other's.
struct Side {
  oipc_ring to;
  oipc_ring from;
  int own;
  int other;
  int epoll;
};

static struct Side SideOf(void* to, void* from, const int bells[2]) {
  return (struct Side){.to = Join(to, true),
                       .from = Join(from, false),
                       .own = bells[0],
                       .other = bells[1],
                       .epoll = bells[0] < 0 ? -1 : Watch(bells[0])};
}

static void Tell(struct Side* side, const uint8_t* message) {
  const uint64_t one = 1;
  Put(&side->to, message);
  if (side->epoll >= 0) WriteAll(side->other, &one, sizeof one);
}

static void Hear(struct Side* side, uint8_t* message) {
  if (side->epoll >= 0) Await(side->epoll, side->own);
  Take(&side->from, message);
}

static void Answer(struct Side* side, size_t count, int told) {
  uint8_t* message = Memory(size);
  uint8_t* answer = Memory(size);
  const uint8_t ready = 1;
  struct Receipt receipt = {0, 0};
  WriteAll(told, &ready, 1);
  for (size_t n = 0; n < count; n++) {
    Hear(side, message);
    receipt.sum += Sum(message, size, 0);
    Fill(answer, size, n);
    Tell(side, answer);
  }
  WriteAll(told, &receipt, sizeof receipt);
}

static void Ask(struct Side* side, size_t count, int told) {
  uint8_t* message = Memory(size);
  uint8_t* answer = Memory(size);
  uint64_t sum = 0;
  uint8_t ready;
  struct Receipt receipt;
  int64_t* times = malloc(count * sizeof *times);
  ReadAll(told, &ready, 1);
  int64_t due = FirstTrip();
  for (size_t n = 0; n < count; n++) {
    AwaitTrip(due);
    Fill(message, size, n);
    Tell(side, message);
    Hear(side, answer);
    sum += Sum(answer, size, 0);
    due = EndTrip(due, &times[n]);
  }
  ReadAll(told, &receipt, sizeof receipt);
  ReportDialogue(times, count, sum, receipt.sum);
  free(times);
  Release(message);
  Release(answer);
}

static void Trips(size_t count, bool spins) {
  void* forth = Make();
  void* back = Make();
  int bells[2] = {-1, -1};
  int told[2];
  for (int i = 0; i < 2 && !spins; i++) {
    bells[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (bells[i] < 0) Fail("eventfd");
  }
  if (pipe2(told, O_CLOEXEC) != 0) Fail("pipe2");
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct Side side = SideOf(back, forth, (const int[]){bells[1], bells[0]});
    Answer(&side, count, told[1]);
    _exit(0);
  }
  struct Side side = SideOf(forth, back, bells);
  Ask(&side, count, told[0]);
  waitpid(child, NULL, 0);
  oipc_ring_leave(&side.to);
  oipc_ring_leave(&side.from);
  const int opened[] = {told[0], told[1], bells[0], bells[1], side.epoll};
  for (size_t i = 0; i < sizeof opened / sizeof *opened; i++) {
    if (opened[i] >= 0) close(opened[i]);
  }
  munmap(forth, OIPC_DATA + capacity);
  munmap(back, OIPC_DATA + capacity);
}

static void Bells(size_t count) {
  const uint64_t one = 1;
  const int forth = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const int back = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int epoll = Watch(forth);
    for (size_t n = 0; n < count; n++) {
      Await(epoll, forth);
      WriteAll(back, &one, sizeof one);
    }
    _exit(0);
  }
  const int epoll = Watch(back);
  int64_t* times = malloc(count * sizeof *times);
  int64_t due = FirstTrip();
  for (size_t n = 0; n < count; n++) {
    AwaitTrip(due);
    WriteAll(forth, &one, sizeof one);
    Await(epoll, back);
    due = EndTrip(due, &times[n]);
  }
  waitpid(child, NULL, 0);
  ReportTrips(times, count);
  free(times);
  close(epoll);
  close(forth);
  close(back);
}

static void Value(size_t count, bool set) {
  const size_t bytes = OIPC_DATA + 2 * oipc_value_slot(size);
  uint8_t* message = Memory(size);
  oipc_value value;
  void* memory = Map(bytes);
  oipc_value_format(memory, bytes, (uint32_t)size, NULL);
  oipc_value_attach(&value, memory, bytes);
  oipc_value_set(&value, message, size);
  uint64_t sum = 0;
  const int64_t start = Now();
  for (size_t n = 0; n < count; n++) {
    if (set) {
      Fill(message, size, n);
      oipc_value_set(&value, message, size);
      continue;
    }
    uint8_t* own = malloc(size);
    oipc_value_get(&value, own, size);
    sum += own[0];
    free(own);
  }
  printf("{\"ns\":%lld}\n", (long long)(Now() - start) + (sum == 1));
  fflush(stdout);
  munmap(memory, bytes);
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const char* exercise = argv[1];
  size = strtoull(argv[2], NULL, 10);
  capacity = (uint32_t)strtoull(argv[3], NULL, 10);
  const bool one = strcmp(exercise, "one") == 0;
  if (one) batch = 1;
  for (size_t count = NextCount(); count > 0; count = NextCount()) {
    if (strcmp(exercise, "flow") == 0 || one) Flow(count, Produce, Consume);
    if (strcmp(exercise, "single") == 0) Flow(count, Produce, Receive);
    if (strcmp(exercise, "spin") == 0) Flow(count, PutEach, TakeEach);
    if (strcmp(exercise, "trips") == 0) Trips(count, true);
    if (strcmp(exercise, "loop") == 0) Trips(count, false);
    if (strcmp(exercise, "eventfd") == 0) Bells(count);
    if (strcmp(exercise, "value") == 0) Value(count, false);
    if (strcmp(exercise, "set") == 0) Value(count, true);
  }
  return 0;
}
