// signal-uv: there and back by sigqueue(3) as `signal trips` does it, each process waiting for its
// signalfd by uv_poll_start of libuv.
#define _GNU_SOURCE
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <uv.h>

#include "bench.h"

struct Side {
  int fd;
  pid_t other;
  size_t left;
  /// Of the one who measures; NULL: answers.
  int64_t* times;
  int64_t due;
};

static int data;
static uv_loop_t loop;

static int Block(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, data);
  sigprocmask(SIG_BLOCK, &set, NULL);
  const int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) Fail("signalfd");
  return fd;
}

static void Queue(pid_t pid) {
  const union sigval sent = {.sival_int = 1};
  while (sigqueue(pid, data, sent) != 0) {
    if (errno != EAGAIN) Fail("sigqueue");
  }
}

static void OnSignal(uv_poll_t* handle, int status, int events) {
  struct Side* side = handle->data;
  struct signalfd_siginfo info;
  if (status < 0 || (events & UV_READABLE) == 0) return;
  while (side->left > 0 && read(side->fd, &info, sizeof info) == (ssize_t)sizeof info) {
    side->left -= 1;
    if (side->times != NULL) side->due = EndTrip(side->due, side->times++);
    if (side->times != NULL && side->left > 0) AwaitTrip(side->due);
    if (side->times == NULL || side->left > 0) Queue(side->other);
  }
  if (side->left == 0) uv_poll_stop(handle);
}

static void Run(struct Side* side) {
  uv_poll_t poll;
  uv_loop_init(&loop);
  uv_poll_init(&loop, &poll, side->fd);
  poll.data = side;
  uv_poll_start(&poll, UV_READABLE, OnSignal);
  if (side->times != NULL) {
    side->due = FirstTrip();
    AwaitTrip(side->due);
    Queue(side->other);
  }
  uv_run(&loop, UV_RUN_DEFAULT);
  uv_close((uv_handle_t*)&poll, NULL);
  uv_run(&loop, UV_RUN_DEFAULT);
  uv_loop_close(&loop);
  close(side->fd);
}

static void Sample(size_t count) {
  int pipes[2];
  if (pipe(pipes) != 0) Fail("pipe");
  const int fd = Block();
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) Fail("fork");
  uint8_t ready = 1;
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct Side side = {Block(), parent, count, NULL, 0};
    WriteAll(pipes[1], &ready, 1);
    Run(&side);
    _exit(0);
  }
  ReadAll(pipes[0], &ready, 1);
  int64_t* times = malloc(count * sizeof *times);
  struct Side side = {fd, child, count, times, 0};
  Run(&side);
  ReportTrips(times, count);
  free(times);
  waitpid(child, NULL, 0);
  close(pipes[0]);
  close(pipes[1]);
}

int main(void) {
  data = SIGRTMIN + 1;
  size_t count;
  while ((count = NextCount()) > 0) Sample(count);
}
