// socket KIND EXERCISE SIZE: what the socket suite measures, in C. KIND is stream, seqpacket, datagram
// (all Unix) or tcp.
//
// flow       one send(2) a message, recv(2) into one buffer of a message's size
// frames     messages of a length and bytes: one send(2) and one recv(2) each
// batched    the same messages, gathered in 64 KiB a send(2) and taken apart after each recv(2)
// roundtrip  there and back, blocked in recv(2)
// epoll      there and back, waiting in epoll_wait(2)
// open       socketpair(2) and both close(2)
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "bench.h"

enum { kHeader = 4, kBatch = 64 * 1024 };

static size_t size;
static int type;
static int tcp;

static void SendAll(int fd, const uint8_t* data, size_t length) {
  while (length > 0) {
    const ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
    if (sent < 0) Fail("send");
    data += sent;
    length -= (size_t)sent;
  }
}

/// A packet comes whole; of a stream, up to the end of the message.
static void ReceiveAll(int fd, uint8_t* data, size_t length) {
  while (length > 0) {
    const ssize_t got = recv(fd, data, length, 0);
    if (got <= 0) Fail("recv");
    data += got;
    length -= (size_t)got;
  }
}

static void SendFlow(int fd, size_t count) {
  uint8_t* message = Memory(size);
  for (size_t n = 0; n < count; n++) {
    Fill(message, size, n);
    SendAll(fd, message, size);
  }
}

static uint64_t ReceiveFlow(int fd, size_t count) {
  uint8_t* message = Memory(size);
  uint64_t sum = 0;
  for (size_t n = 0; n < count; n++) {
    ReceiveAll(fd, message, size);
    sum += Sum(message, size, 0);
  }
  return sum;
}

static void SendFrames(int fd, size_t count) {
  uint8_t* frame = Memory(kHeader + size);
  const uint32_t length = (uint32_t)size;
  memcpy(frame, &length, kHeader);
  for (size_t n = 0; n < count; n++) {
    Fill(frame + kHeader, size, n);
    SendAll(fd, frame, kHeader + size);
  }
}

static uint64_t ReceiveFrames(int fd, size_t count) {
  uint8_t* frame = Memory(kHeader + size);
  uint64_t sum = 0;
  for (size_t n = 0; n < count; n++) {
    ReceiveAll(fd, frame, kHeader + size);
    sum += Sum(frame + kHeader, size, 0);
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
      SendAll(fd, batch, used);
      used = 0;
    }
    Fill(message, size, n);
    memcpy(batch + used, &length, kHeader);
    memcpy(batch + used + kHeader, message, size);
    used += kHeader + size;
  }
  SendAll(fd, batch, used);
}

static uint64_t ReceiveBatched(int fd, size_t count) {
  uint8_t* batch = Memory(kBatch + kHeader + size);
  size_t used = 0;
  uint64_t sum = 0;
  for (size_t n = 0; n < count;) {
    const ssize_t got = recv(fd, batch + used, kBatch, 0);
    if (got <= 0) Fail("recv");
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

static void Echo(int fd, size_t count, int set) {
  uint8_t* message = Memory(size);
  for (size_t n = 0; n < count; n++) {
    AwaitReadable(set);
    ReceiveAll(fd, message, size);
    SendAll(fd, message, size);
  }
}

static void Trips(int fd, size_t count, int set) {
  uint8_t* message = Memory(size);
  int64_t* times = malloc(count * sizeof *times);
  int64_t before = Now();
  for (size_t n = 0; n < count; n++) {
    Fill(message, size, n);
    SendAll(fd, message, size);
    AwaitReadable(set);
    ReceiveAll(fd, message, size);
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
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) != 0) Fail("socketpair");
    close(fds[0]);
    close(fds[1]);
  }
  ReportReceipt(start, (struct Receipt){Now(), 0});
}

/// Both ends of a connection over the loopback.
static void ConnectTcp(int ends[2]) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  const int on = 1;
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (server < 0 || bind(server, (struct sockaddr*)&address, length) != 0) Fail("bind");
  if (listen(server, 1) != 0) Fail("listen");
  if (getsockname(server, (struct sockaddr*)&address, &length) != 0) Fail("getsockname");
  ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(ends[0], (struct sockaddr*)&address, length) != 0) Fail("connect");
  ends[1] = accept(server, NULL, NULL);
  if (ends[1] < 0) Fail("accept");
  for (int i = 0; i < 2; i++) setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  close(server);
}

struct Exercise {
  const char* name;
  void (*send)(int fd, size_t count);
  uint64_t (*receive)(int fd, size_t count);
  int polls;
};

static const struct Exercise kExercises[] = {
    {"flow", SendFlow, ReceiveFlow, 0},
    {"frames", SendFrames, ReceiveFrames, 0},
    {"batched", SendBatched, ReceiveBatched, 0},
    {"roundtrip", NULL, NULL, 0},
    {"epoll", NULL, NULL, 1},
};

/// One sample in this process and a new one, which is ready before the clock starts.
static void Sample(const struct Exercise* exercise, size_t count) {
  int ends[2];
  int told[2];
  uint8_t ready = 1;
  if (tcp) {
    ConnectTcp(ends);
  } else if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) != 0) {
    Fail("socketpair");
  }
  if (pipe2(told, O_CLOEXEC) != 0) Fail("pipe2");
  const pid_t child = fork();
  if (child < 0) Fail("fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int set = exercise->polls ? Watch(ends[1]) : -1;
    struct Receipt receipt = {0, 0};
    WriteAll(told[1], &ready, 1);
    if (exercise->receive == NULL) {
      Echo(ends[1], count, set);
    } else {
      receipt.sum = exercise->receive(ends[1], count);
    }
    receipt.end = Now();
    WriteAll(told[1], &receipt, sizeof receipt);
    _exit(0);
  }
  ReadAll(told[0], &ready, 1);
  if (exercise->send == NULL) {
    Trips(ends[0], count, exercise->polls ? Watch(ends[0]) : -1);
  } else {
    struct Receipt receipt;
    const int64_t start = Now();
    exercise->send(ends[0], count);
    ReadAll(told[0], &receipt, sizeof receipt);
    ReportReceipt(start, receipt);
  }
  waitpid(child, NULL, 0);
  for (int i = 0; i < 2; i++) {
    close(ends[i]);
    close(told[i]);
  }
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  tcp = strcmp(argv[1], "tcp") == 0;
  type = strcmp(argv[1], "seqpacket") == 0  ? SOCK_SEQPACKET
         : strcmp(argv[1], "datagram") == 0 ? SOCK_DGRAM
                                            : SOCK_STREAM;
  size = strtoull(argv[3], NULL, 10);
  const struct Exercise* exercise = NULL;
  for (size_t i = 0; i < sizeof kExercises / sizeof *kExercises; i++) {
    if (strcmp(argv[2], kExercises[i].name) == 0) exercise = &kExercises[i];
  }
  for (size_t count = NextCount(); count > 0; count = NextCount()) {
    if (exercise == NULL) {
      OpenAndClose(count);
    } else {
      Sample(exercise, count);
    }
  }
  return 0;
}
