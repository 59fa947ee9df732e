// uv SIZE [fifo]: round trips over two pipes, or two FIFOs, by libuv's poll on its loop, as the pipe suite's roundtrip has
// them blocked in read(2): what a program in C pays for an event loop.
#define _GNU_SOURCE
#include <signal.h>
#include <sys/prctl.h>
#include <uv.h>

#include "fifo.h"

static size_t size;
static uint8_t* message;

/// One side: reads a message when there is one, and writes the next unless that was the last.
struct Side {
  int from;
  int to;
  size_t left;
  size_t number;
  int64_t due;
  int64_t* times;
};

static void OnReadable(uv_poll_t* poll, int status, int events) {
  struct Side* side = poll->data;
  if (status < 0 || (events & UV_READABLE) == 0) Fail("uv_poll");
  ReadAll(side->from, message, size);
  if (side->times != NULL) side->due = EndTrip(side->due, &side->times[side->number]);
  side->number++;
  side->left--;
  // Who echoes answers the last one, too.
  if (side->times == NULL || side->left > 0) {
    if (side->times != NULL) {
      AwaitTrip(side->due);
      Fill(message, size, side->number);
    }
    WriteAll(side->to, message, size);
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
    WriteAll(side->to, message, size);
  } else {
    const uint8_t ready = 1;
    WriteAll(side->to, &ready, 1);
  }
  uv_run(&loop, UV_RUN_DEFAULT);
  uv_loop_close(&loop);
}

static void Sample(size_t count, int named) {
  int forth[2];
  int back[2];
  uint8_t ready;
  OpenEnds(forth, named);
  OpenEnds(back, named);
  const pid_t child = fork();
  if (child < 0) Fail("fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct Side echo = {.from = forth[0], .to = back[1], .left = count};
    Run(&echo);
    _exit(0);
  }
  ReadAll(back[0], &ready, 1);
  struct Side trips = {.from = back[0], .to = forth[1], .left = count};
  trips.times = malloc(count * sizeof *trips.times);
  Run(&trips);
  ReportTrips(trips.times, count);
  free(trips.times);
  waitpid(child, NULL, 0);
  for (int i = 0; i < 2; i++) {
    close(forth[i]);
    close(back[i]);
  }
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  size = strtoull(argv[1], NULL, 10);
  message = Memory(size);
  for (size_t count = NextCount(); count > 0; count = NextCount()) Sample(count, argc > 2);
  return 0;
}
