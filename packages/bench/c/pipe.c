// pipe EXERCISE SIZE CAPACITY [fifo]: what the pipe and fifo suites measure, in C.
//
// stream     one write(2) a message, read(2) into one buffer of a message's size
// frames     messages of a length and bytes: one write(2) and one read(2) each
// batched    the same messages, gathered in 64 KiB a write(2) and taken apart after each read(2)
// roundtrip  there and back, blocked in read(2)
// epoll      there and back, waiting in epoll_wait(2)
// open       pipe2(2) and both close(2)
// fifo       open(2) of a FIFO's read end, which is there, and close(2)
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "bench.h"

enum { kHeader = 4, kBatch = 64 * 1024 };

static size_t size;

static void SendStream(int fd, size_t count) {
  uint8_t* message = Memory(size);
  for (size_t n = 0; n < count; n++) {
    Fill(message, size, n);
    WriteAll(fd, message, size);
  }
}

static uint64_t ReceiveStream(int fd, size_t count) {
  uint8_t* message = Memory(size);
  uint64_t sum = 0;
  for (size_t n = 0; n < count; n++) {
    for (size_t at = 0; at < size;) {
      const ssize_t got = read(fd, message, size - at);
      if (got <= 0) Fail("read");
      sum += Sum(message, (size_t)got, at);
      at += (size_t)got;
    }
  }
  return sum;
}

static void PutFrame(uint8_t* frame, size_t n) {
  const uint32_t length = (uint32_t)size;
  memcpy(frame, &length, kHeader);
  Fill(frame + kHeader, size, n);
}

static void SendFrames(int fd, size_t count) {
  uint8_t* frame = Memory(kHeader + size);
  for (size_t n = 0; n < count; n++) {
    PutFrame(frame, n);
    WriteAll(fd, frame, kHeader + size);
  }
}

/// A frame of up to PIPE_BUF comes whole, since it was written at once.
static uint64_t ReceiveFrames(int fd, size_t count) {
  uint8_t* frame = Memory(kHeader + size);
  uint64_t sum = 0;
  for (size_t n = 0; n < count; n++) {
    uint32_t length;
    ReadAll(fd, frame, kHeader + size);
    memcpy(&length, frame, kHeader);
    sum += Sum(frame + kHeader, length, 0);
  }
  return sum;
}

/// The message is made where the caller has it and copied to the batch, as a library must.
static void SendBatched(int fd, size_t count) {
  uint8_t* batch = Memory(kBatch);
  uint8_t* message = Memory(size);
  size_t used = 0;
  const uint32_t length = (uint32_t)size;
  for (size_t n = 0; n < count; n++) {
    if (used + kHeader + size > kBatch) {
      WriteAll(fd, batch, used);
      used = 0;
    }
    Fill(message, size, n);
    memcpy(batch + used, &length, kHeader);
    memcpy(batch + used + kHeader, message, size);
    used += kHeader + size;
  }
  WriteAll(fd, batch, used);
}

static uint64_t ReceiveBatched(int fd, size_t count) {
  uint8_t* batch = Memory(kBatch + kHeader + size);
  size_t used = 0;
  uint64_t sum = 0;
  for (size_t n = 0; n < count;) {
    const ssize_t got = read(fd, batch + used, kBatch);
    if (got <= 0) Fail("read");
    used += (size_t)got;
    size_t at = 0;
    while (used - at >= kHeader) {
      uint32_t length;
      memcpy(&length, batch + at, kHeader);
      if (used - at - kHeader < length) break;
      sum += Sum(batch + at + kHeader, length, 0);
      at += kHeader + length;
      n++;
    }
    memmove(batch, batch + at, used - at);
    used -= at;
  }
  return sum;
}

static int Watch(int fd) {
  const int set = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (set < 0 || epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) != 0) Fail("epoll");
  return set;
}

static void AwaitReadable(int set) {
  struct epoll_event event;
  while (set >= 0 && epoll_wait(set, &event, 1, -1) < 1) continue;
}

static void Echo(int from, int to, size_t count, int set) {
  uint8_t* message = Memory(size);
  for (size_t n = 0; n < count; n++) {
    AwaitReadable(set);
    ReadAll(from, message, size);
    WriteAll(to, message, size);
  }
}

static void Trips(int to, int from, size_t count, int set) {
  uint8_t* message = Memory(size);
  int64_t* times = malloc(count * sizeof *times);
  int64_t before = Now();
  for (size_t n = 0; n < count; n++) {
    Fill(message, size, n);
    WriteAll(to, message, size);
    AwaitReadable(set);
    ReadAll(from, message, size);
    const int64_t after = Now();
    times[n] = after - before;
    before = after;
  }
  ReportTrips(times, count);
  free(times);
}

static void OpenAndClose(size_t count) {
  const int64_t start = Now();
  for (size_t n = 0; n < count; n++) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) Fail("pipe2");
    close(fds[0]);
    close(fds[1]);
  }
  ReportReceipt(start, (struct Receipt){Now(), 0});
}

/// A FIFO that was made for a moment, where the temporary files are: reads and writes of one update
/// its inode's times, which depends on its file system.
static const char* MakeFifo(void) {
  static char path[128];
  const char* folder = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/octoipc-bench-%d", folder != NULL ? folder : "/tmp",
           (int)getpid());
  if (mkfifo(path, 0600) != 0) Fail("mkfifo");
  return path;
}

static void OpenFifoAndClose(size_t count) {
  const char* path = MakeFifo();
  const int64_t start = Now();
  for (size_t n = 0; n < count; n++) {
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) Fail("open");
    close(fd);
  }
  ReportReceipt(start, (struct Receipt){Now(), 0});
  unlink(path);
}

static void OpenEnds(int fds[2], int named) {
  if (!named) {
    if (pipe2(fds, O_CLOEXEC) != 0) Fail("pipe2");
    return;
  }
  const char* path = MakeFifo();
  fds[0] = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  fds[1] = open(path, O_WRONLY | O_CLOEXEC);
  unlink(path);
  if (fds[0] < 0 || fds[1] < 0 || fcntl(fds[0], F_SETFL, 0) != 0) Fail("open");
}

struct Exercise {
  const char* name;
  void (*send)(int fd, size_t count);
  uint64_t (*receive)(int fd, size_t count);
};

static const struct Exercise kFlows[] = {
    {"stream", SendStream, ReceiveStream},
    {"frames", SendFrames, ReceiveFrames},
    {"batched", SendBatched, ReceiveBatched},
};

/// One sample in this process and a new one, which is ready before the clock starts.
static void Sample(const char* name, size_t count, int capacity, int named) {
  int forth[2];
  int back[2];
  uint8_t ready = 1;
  OpenEnds(forth, named);
  OpenEnds(back, named);
  if (capacity > 0 && fcntl(forth[1], F_SETPIPE_SZ, capacity) < 0) Fail("F_SETPIPE_SZ");
  const struct Exercise* flow = NULL;
  for (size_t i = 0; i < sizeof kFlows / sizeof *kFlows; i++) {
    if (strcmp(kFlows[i].name, name) == 0) flow = &kFlows[i];
  }
  const int polls = strcmp(name, "epoll") == 0;
  const pid_t child = fork();
  if (child < 0) Fail("fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int set = polls ? Watch(forth[0]) : -1;
    WriteAll(back[1], &ready, 1);
    if (flow == NULL) {
      Echo(forth[0], back[1], count, set);
    } else {
      struct Receipt receipt;
      receipt.sum = flow->receive(forth[0], count);
      receipt.end = Now();
      WriteAll(back[1], &receipt, sizeof receipt);
    }
    _exit(0);
  }
  const int set = polls ? Watch(back[0]) : -1;
  ReadAll(back[0], &ready, 1);
  if (flow == NULL) {
    Trips(forth[1], back[0], count, set);
  } else {
    struct Receipt receipt;
    const int64_t start = Now();
    flow->send(forth[1], count);
    ReadAll(back[0], &receipt, sizeof receipt);
    ReportReceipt(start, receipt);
  }
  waitpid(child, NULL, 0);
  if (set >= 0) close(set);
  for (int i = 0; i < 2; i++) {
    close(forth[i]);
    close(back[i]);
  }
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  size = strtoull(argv[2], NULL, 10);
  const int capacity = atoi(argv[3]);
  for (size_t count = NextCount(); count > 0; count = NextCount()) {
    if (strcmp(argv[1], "open") == 0) {
      OpenAndClose(count);
    } else if (strcmp(argv[1], "fifo") == 0) {
      OpenFifoAndClose(count);
    } else {
      Sample(argv[1], count, capacity, argc > 4);
    }
  }
  return 0;
}
