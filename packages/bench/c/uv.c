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
static uint8_t* message;
static int queues;

static void Put(int fd) {
  if (!queues) {
    WriteAll(fd, message, size);
  } else if (mq_send(fd, (char*)message, size, 0) != 0) {
    Fail("mq_send");
  }
}

static void Take(int fd) {
  if (!queues) {
    ReadAll(fd, message, size);
  } else if (mq_receive(fd, (char*)message, size, NULL) != (ssize_t)size) {
    Fail("mq_receive");
  }
}

/// One side: reads a message when there is one, and writes the next unless that was the last.
struct Side {
  int from;
  int to;
  /// Where the one who answers says that he is ready; -1 for the other.
  int tell;
  size_t left;
  size_t number;
  int64_t due;
  int64_t* times;
};

static void OnReadable(uv_poll_t* poll, int status, int events) {
  struct Side* side = poll->data;
  if (status < 0 || (events & UV_READABLE) == 0) Fail("uv_poll");
  Take(side->from);
  if (side->times != NULL) side->due = EndTrip(side->due, &side->times[side->number]);
  side->number++;
  side->left--;
  // Who echoes answers the last one, too.
  if (side->times == NULL || side->left > 0) {
    if (side->times != NULL) {
      AwaitTrip(side->due);
      Fill(message, size, side->number);
    }
    Put(side->to);
  }
  if (side->left == 0) uv_close((uv_handle_t*)poll, NULL);
}

static void Run(struct Side* side) {
  uv_loop_t loop;
  uv_poll_t poll;
  if (uv_loop_init(&loop) != 0 || uv_poll_init(&loop, &poll, side->from) != 0) Fail("libuv");
  poll.data = side;
  uv_poll_start(&poll, UV_READABLE, OnReadable);
  if (side->times != NULL) {
    side->due = FirstTrip();
    AwaitTrip(side->due);
    Fill(message, size, 0);
    Put(side->to);
  } else {
    const uint8_t ready = 1;
    WriteAll(side->tell, &ready, 1);
  }
  uv_run(&loop, UV_RUN_DEFAULT);
  uv_loop_close(&loop);
}

/// A queue whose name is gone again.
static int OpenQueue(void) {
  char name[64];
  snprintf(name, sizeof name, "/octoipc-bench-uv-%d", (int)getpid());
  struct mq_attr attributes = {.mq_maxmsg = 10, .mq_msgsize = (long)size};
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
  Connect(kind, &trips, &echo, ends);
  if (pipe2(told, O_CLOEXEC) != 0) Fail("pipe2");
  const pid_t child = fork();
  if (child < 0) Fail("fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    echo.left = count;
    echo.tell = told[1];
    Run(&echo);
    _exit(0);
  }
  ReadAll(told[0], &ready, 1);
  trips.left = count;
  trips.times = malloc(count * sizeof *trips.times);
  Run(&trips);
  ReportTrips(trips.times, count);
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
  message = Memory(size);
  for (size_t count = NextCount(); count > 0; count = NextCount()) Sample(argv[1], count);
  return 0;
}
