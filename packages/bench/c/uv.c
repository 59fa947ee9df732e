// uv KIND SIZE: round trips by libuv's poll on its loop, as the suites' roundtrip has them blocked: what a program in C
// pays for an event loop. KIND is pipe or fifo (two of them), stream, seqpacket, datagram, tcp (one connection) or
// mq (two POSIX queues).
#define _GNU_SOURCE
#include <mqueue.h>
#include <signal.h>
#include <sys/prctl.h>
#include <uv.h>

#include "fifo.h"
#include "tcp.h"

static size_t size;
static int queues;

/// One side: takes a message in as many parts as it comes in, and gives the next unless that was the last.
struct Side {
  int from;
  int to;
  /// Where the one who answers says that he is ready, and what he added up; -1 for the other.
  int tell;
  size_t left;
  size_t number;
  uint8_t* taken;
  size_t taken_bytes;
  uint8_t* given;
  size_t given_bytes;
  uint64_t sum;
  int64_t due;
  /// NULL: answers.
  int64_t* times;
  uv_poll_t readable;
  uv_poll_t writable;
};

static ssize_t TakePart(int fd, uint8_t* bytes, size_t length) {
  return queues ? mq_receive(fd, (char*)bytes, length, NULL) : read(fd, bytes, length);
}

static ssize_t GivePart(int fd, const uint8_t* bytes, size_t length) {
  if (!queues) return write(fd, bytes, length);
  return mq_send(fd, (const char*)bytes, length, 0) == 0 ? (ssize_t)length : -1;
}

/// Whether a message is there whole.
static int Take(struct Side* side) {
  while (side->taken_bytes < size) {
    const size_t at = side->taken_bytes;
    const ssize_t count = TakePart(side->from, side->taken + at, size - at);
    if (count == 0) exit(1);
    if (count < 0 && errno == EAGAIN) return 0;
    if (count < 0 && errno != EINTR) Fail("take");
    if (count > 0) side->taken_bytes += (size_t)count;
  }
  side->taken_bytes = 0;
  side->sum += Sum(side->taken, size, 0);
  return 1;
}

/// Whether all of a message is given.
static int Give(struct Side* side) {
  while (side->given_bytes < size) {
    const size_t at = side->given_bytes;
    const ssize_t count = GivePart(side->to, side->given + at, size - at);
    if (count < 0 && errno == EAGAIN) return 0;
    if (count < 0 && errno != EINTR) Fail("give");
    if (count > 0) side->given_bytes += (size_t)count;
  }
  side->given_bytes = 0;
  return 1;
}

static void EndIfDone(struct Side* side) {
  if (side->left > 0) return;
  uv_close((uv_handle_t*)&side->readable, NULL);
  uv_close((uv_handle_t*)&side->writable, NULL);
}

static void OnWritable(uv_poll_t* poll, int status, int events) {
  struct Side* side = poll->data;
  if (status < 0 || (events & UV_WRITABLE) == 0) Fail("uv_poll");
  if (!Give(side)) return;
  uv_poll_stop(poll);
  EndIfDone(side);
}

static void GiveNext(struct Side* side) {
  Fill(side->given, size, side->number);
  if (Give(side)) {
    EndIfDone(side);
  } else {
    uv_poll_start(&side->writable, UV_WRITABLE, OnWritable);
  }
}

static void OnReadable(uv_poll_t* poll, int status, int events) {
  struct Side* side = poll->data;
  if (status < 0 || (events & UV_READABLE) == 0) Fail("uv_poll");
  if (!Take(side)) return;
  side->left--;
  if (side->times == NULL) {
    GiveNext(side);
    side->number++;
    return;
  }
  side->due = EndTrip(side->due, &side->times[side->number++]);
  if (side->left == 0) {
    EndIfDone(side);
    return;
  }
  AwaitTrip(side->due);
  GiveNext(side);
}

/// Both ends by descriptors of their own, since a loop polls each once only.
static void Run(struct Side* side) {
  uv_loop_t loop;
  const int to = dup(side->to);
  side->taken = Memory(size);
  side->given = Memory(size);
  if (to < 0 || uv_loop_init(&loop) != 0) Fail("libuv");
  side->to = to;
  if (uv_poll_init(&loop, &side->readable, side->from) != 0) Fail("uv_poll_init");
  if (uv_poll_init(&loop, &side->writable, side->to) != 0) Fail("uv_poll_init");
  side->readable.data = side->writable.data = side;
  uv_poll_start(&side->readable, UV_READABLE, OnReadable);
  if (side->times != NULL) {
    side->due = FirstTrip();
    AwaitTrip(side->due);
    GiveNext(side);
  } else {
    const uint8_t ready = 1;
    WriteAll(side->tell, &ready, 1);
  }
  uv_run(&loop, UV_RUN_DEFAULT);
  uv_loop_close(&loop);
  close(to);
  Release(side->taken);
  Release(side->given);
}

/// A queue whose name is gone again.
static int OpenQueue(void) {
  char name[64];
  snprintf(name, sizeof name, "/octoipc-bench-uv-%d", (int)getpid());
  struct mq_attr attributes = {.mq_maxmsg = 10, .mq_msgsize = (long)size};
  // Who had the same id and was killed may have left one.
  mq_unlink(name);
  const mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attributes);
  if (queue < 0) Fail("mq_open");
  mq_unlink(name);
  return queue;
}

/// What the two read from and write to; all of `ends` are to be closed.
static void Connect(const char* kind, struct Side* trips, struct Side* echo, int ends[4]) {
  const int named = strcmp(kind, "fifo") == 0;
  if (queues) {
    for (int i = 0; i < 2; i++) ends[i] = OpenQueue();
    *trips = (struct Side){.from = ends[0], .to = ends[1]};
    *echo = (struct Side){.from = ends[1], .to = ends[0]};
  } else if (named || strcmp(kind, "pipe") == 0) {
    OpenEnds(ends, named);
    OpenEnds(ends + 2, named);
    *trips = (struct Side){.from = ends[0], .to = ends[3]};
    *echo = (struct Side){.from = ends[2], .to = ends[1]};
  } else {
    const int type = strcmp(kind, "seqpacket") == 0  ? SOCK_SEQPACKET
                     : strcmp(kind, "datagram") == 0 ? SOCK_DGRAM
                                                     : SOCK_STREAM;
    if (strcmp(kind, "tcp") == 0) {
      ConnectTcp(ends);
    } else if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) != 0) {
      Fail("socketpair");
    }
    *trips = (struct Side){.from = ends[0], .to = ends[0]};
    *echo = (struct Side){.from = ends[1], .to = ends[1]};
  }
}

static void Sample(const char* kind, size_t count) {
  struct Side trips;
  struct Side echo;
  int ends[4] = {-1, -1, -1, -1};
  int told[2];
  uint8_t ready;
  uint64_t answered;
  Connect(kind, &trips, &echo, ends);
  if (pipe2(told, O_CLOEXEC) != 0) Fail("pipe2");
  const pid_t child = fork();
  if (child < 0) Fail("fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    echo.left = count;
    echo.tell = told[1];
    Run(&echo);
    WriteAll(told[1], &echo.sum, sizeof echo.sum);
    _exit(0);
  }
  ReadAll(told[0], &ready, 1);
  trips.left = count;
  trips.times = malloc(count * sizeof *trips.times);
  Run(&trips);
  ReadAll(told[0], &answered, sizeof answered);
  ReportDialogue(trips.times, count, trips.sum, answered);
  free(trips.times);
  waitpid(child, NULL, 0);
  for (int i = 0; i < 4; i++) {
    if (ends[i] >= 0) close(ends[i]);
  }
  close(told[0]);
  close(told[1]);
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  queues = strcmp(argv[1], "mq") == 0;
  size = strtoull(argv[2], NULL, 10);
  for (size_t count = NextCount(); count > 0; count = NextCount()) Sample(argv[1], count);
  return 0;
}
