// signal EXERCISE: what the signal suite compares with.
//
// queue      sigqueue(3) to another process, which reads a signalfd, one record a read(2)
// trips      there and back, waiting in epoll_wait(2)
// sync       there and back, waiting in sigtimedwait(2)
// open       sigprocmask(2) and signalfd(2), and back
// process    pidfd_open(2) and close(2)
#define _GNU_SOURCE
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

#include "bench.h"

static int data;

static int Block(int first, int last) {
  sigset_t set;
  sigemptyset(&set);
  for (int number = first; number <= last; number++) sigaddset(&set, number);
  sigprocmask(SIG_BLOCK, &set, NULL);
  const int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) Fail("signalfd");
  return fd;
}

static int Watch(int fd) {
  const int set = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (set < 0 || epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) != 0) Fail("epoll");
  return set;
}

static void Queue(pid_t pid, int value) {
  const union sigval sent = {.sival_int = value};
  while (sigqueue(pid, data, sent) != 0) {
    if (errno != EAGAIN) Fail("sigqueue");
    const struct timespec pause = {0, 100000};
    nanosleep(&pause, NULL);
  }
}

static int Take(int fd, int set) {
  struct signalfd_siginfo info;
  for (;;) {
    const ssize_t got = read(fd, &info, sizeof info);
    if (got == (ssize_t)sizeof info) return info.ssi_int;
    if (got < 0 && errno != EAGAIN && errno != EINTR) Fail("read");
    struct epoll_event event;
    epoll_wait(set, &event, 1, -1);
  }
}

/// Who waits in the call has no descriptor.
static void TakeInCall(void) {
  const struct timespec patience = {60, 0};
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, data);
  while (sigtimedwait(&set, NULL, &patience) < 0) {
    if (errno != EINTR) Fail("sigtimedwait");
  }
}

static void SampleInCalls(size_t count) {
  int pipes[2];
  if (pipe(pipes) != 0) Fail("pipe");
  close(Block(data, data));
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) Fail("fork");
  uint8_t ready = 1;
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    WriteAll(pipes[1], &ready, 1);
    for (size_t n = 0; n < count; n++) {
      TakeInCall();
      Queue(parent, (int)n);
    }
    _exit(0);
  }
  ReadAll(pipes[0], &ready, 1);
  int64_t* times = malloc(count * sizeof *times);
  int64_t due = FirstTrip();
  for (size_t n = 0; n < count; n++) {
    AwaitTrip(due);
    Queue(child, (int)n);
    TakeInCall();
    due = EndTrip(due, &times[n]);
  }
  ReportTrips(times, count);
  free(times);
  waitpid(child, NULL, 0);
  close(pipes[0]);
  close(pipes[1]);
}

static void OpenAndClose(size_t count) {
  const int64_t start = Now();
  for (size_t n = 0; n < count; n++) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, data);
    sigprocmask(SIG_BLOCK, &set, NULL);
    const int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    close(fd);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
  }
  ReportReceipt(start, (struct Receipt){Now(), 0});
}

static void OpenProcessAndClose(size_t count) {
  const pid_t pid = getpid();
  const int64_t start = Now();
  for (size_t n = 0; n < count; n++) {
    const int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0) Fail("pidfd_open");
    close(fd);
  }
  ReportReceipt(start, (struct Receipt){Now(), 0});
}

static void Sample(int trips, size_t count) {
  int pipes[2];
  if (pipe(pipes) != 0) Fail("pipe");
  const int fd = Block(data, data);
  const int set = Watch(fd);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) Fail("fork");
  uint8_t ready = 1;
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // A descriptor of its own: the set reports what is pending for who has added it.
    const int own = Block(data, data);
    const int own_set = Watch(own);
    WriteAll(pipes[1], &ready, 1);
    struct Receipt receipt = {0, 0};
    for (size_t n = 0; n < count; n++) {
      receipt.sum += (uint8_t)Take(own, own_set);
      if (trips) Queue(parent, (int)n);
    }
    receipt.end = Now();
    if (!trips) WriteAll(pipes[1], &receipt, sizeof receipt);
    _exit(0);
  }
  ReadAll(pipes[0], &ready, 1);
  if (trips) {
    int64_t* times = malloc(count * sizeof *times);
    int64_t due = FirstTrip();
    for (size_t n = 0; n < count; n++) {
      AwaitTrip(due);
      Queue(child, (int)n);
      Take(fd, set);
      due = EndTrip(due, &times[n]);
    }
    ReportTrips(times, count);
    free(times);
  } else {
    const int64_t start = Now();
    for (size_t n = 0; n < count; n++) Queue(child, (int)n);
    struct Receipt receipt;
    ReadAll(pipes[0], &receipt, sizeof receipt);
    ReportReceipt(start, receipt);
  }
  waitpid(child, NULL, 0);
  close(pipes[0]);
  close(pipes[1]);
  close(set);
  close(fd);
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  data = SIGRTMIN + 1;
  size_t count;
  while ((count = NextCount()) > 0) {
    if (strcmp(argv[1], "open") == 0) {
      OpenAndClose(count);
    } else if (strcmp(argv[1], "process") == 0) {
      OpenProcessAndClose(count);
    } else if (strcmp(argv[1], "sync") == 0) {
      SampleInCalls(count);
    } else {
      Sample(strcmp(argv[1], "trips") == 0, count);
    }
  }
}
