// splice KIND SIZE: messages that one process writes into a pipe or a socket of its own and moves by splice(2) to
// another process, which reads them. KIND is pipe-pipe, pipe-socket or socket-pipe; sockets are Unix streams.
#define _GNU_SOURCE
#include <sys/socket.h>

#include "flows.h"

static ssize_t Put(int fd, const void* data, size_t length) { return write(fd, data, length); }

static ssize_t Get(int fd, void* data, size_t length) { return read(fd, data, length); }

/// Where the one who sends puts a message, and where he moves it from.
static struct {
  int in;
  int out;
} source;

static void SendSpliced(int fd, size_t count) {
  uint8_t* message = Memory(size);
  for (size_t n = 0; n < count; n++) {
    Fill(message, size, n);
    PutAll(source.in, message, size);
    for (size_t left = size; left > 0;) {
      const ssize_t moved = splice(source.out, NULL, fd, NULL, left, 0);
      if (moved < 0 && errno != EINTR) Fail("splice");
      if (moved > 0) left -= (size_t)moved;
    }
  }
  Release(message);
}

/// What comes out of the first is what goes into the second.
static void Open(int is_socket, int ends[2]) {
  const int result = is_socket ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)
                               : pipe2(ends, O_CLOEXEC);
  if (result != 0) Fail("open");
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  size = strtoull(argv[2], NULL, 10);
  struct Exercise exercise = *ExerciseOf("flow");
  exercise.send = SendSpliced;
  for (size_t count = NextCount(); count > 0; count = NextCount()) {
    int from[2];
    int to[2];
    Open(strcmp(argv[1], "socket-pipe") == 0, from);
    Open(strcmp(argv[1], "pipe-socket") == 0, to);
    source.out = from[0];
    source.in = from[1];
    Sample(&exercise, (struct Ends){.send = to[1], .receive = -1, .other_receive = to[0]}, count);
    for (int i = 0; i < 2; i++) {
      close(from[i]);
      close(to[i]);
    }
  }
  return 0;
}
