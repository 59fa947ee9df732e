// socket KIND EXERCISE SIZE: what the socket suite measures, in C. KIND is stream, seqpacket, datagram
// (all Unix) or tcp.
//
// flow       one send(2) a message, recv(2) into one buffer of a message's size
// spin       the same, on descriptors that do not block
// frames     messages of a length and bytes: one send(2) and one recv(2) each
// batched    the same messages, gathered in 64 KiB a send(2) and taken apart after each recv(2)
// roundtrip  there and back, blocked in recv(2)
// epoll      there and back, waiting in epoll_wait(2)
// open       socketpair(2) and both close(2)
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "flows.h"

static int type;
static int tcp;

static ssize_t Put(int fd, const void* data, size_t length) {
  return send(fd, data, length, MSG_NOSIGNAL);
}

static ssize_t Get(int fd, void* data, size_t length) { return recv(fd, data, length, 0); }

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

static void SampleOf(const struct Exercise* exercise, size_t count) {
  int ends[2];
  if (tcp) {
    ConnectTcp(ends);
  } else if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) != 0) {
    Fail("socketpair");
  }
  Sample(exercise, (struct Ends){ends[0], ends[0], ends[1], ends[1]}, count);
  close(ends[0]);
  close(ends[1]);
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  tcp = strcmp(argv[1], "tcp") == 0;
  type = strcmp(argv[1], "seqpacket") == 0  ? SOCK_SEQPACKET
         : strcmp(argv[1], "datagram") == 0 ? SOCK_DGRAM
                                            : SOCK_STREAM;
  size = strtoull(argv[3], NULL, 10);
  const struct Exercise* exercise = ExerciseOf(argv[2]);
  if (exercise == NULL && strcmp(argv[2], "open") != 0) return 2;
  for (size_t count = NextCount(); count > 0; count = NextCount()) {
    if (exercise == NULL) {
      OpenAndClose(count);
    } else {
      SampleOf(exercise, count);
    }
  }
  return 0;
}
