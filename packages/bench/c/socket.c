// socket KIND EXERCISE SIZE: what the socket suite measures, in C. KIND is stream, seqpacket, datagram
// (all Unix) or tcp.
//
// flow       one send(2) a message, recv(2) into one buffer of a message's size
// spin       the same, on descriptors that do not block
// frames     messages of a length and bytes: one send(2) and one recv(2) each
// batched    the same messages, gathered in 64 KiB a send(2) and taken apart after each recv(2)
// roundtrip  there and back, blocked in recv(2)
// roundtrip-spin  the same, on descriptors that do not block
// epoll      there and back, waiting in epoll_wait(2)
// open       socketpair(2) and both close(2)
// bind       socket(2), bind(2) of a free name and close(2)
// listen     socket(2), bind(2) to a path, listen(2), close(2) and unlink(2)
#define _GNU_SOURCE
#include <sys/un.h>

#include "flows.h"
#include "tcp.h"

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

/// A socket of an address: of a name that the kernel gives, or of a path.
static void BindAndClose(size_t count, int listens) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const struct Folder folder = MakeFolder();
  snprintf(address.sun_path, sizeof address.sun_path, "%s/s", folder.path);
  const socklen_t length = listens ? sizeof address : sizeof address.sun_family;
  const int64_t start = Now();
  for (size_t n = 0; n < count; n++) {
    const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr*)&address, length) != 0) Fail("bind");
    if (listens && listen(fd, 128) != 0) Fail("listen");
    close(fd);
    if (listens) unlink(address.sun_path);
  }
  rmdir(folder.path);
  ReportReceipt(start, (struct Receipt){Now(), 0});
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
  const int binds = strcmp(argv[2], "bind") == 0;
  const int listens = strcmp(argv[2], "listen") == 0;
  if (exercise == NULL && !binds && !listens && strcmp(argv[2], "open") != 0) return 2;
  for (size_t count = NextCount(); count > 0; count = NextCount()) {
    if (exercise != NULL) {
      SampleOf(exercise, count);
    } else if (binds || listens) {
      BindAndClose(count, listens);
    } else {
      OpenAndClose(count);
    }
  }
  return 0;
}
