// pipe EXERCISE SIZE CAPACITY [fifo]: what the pipe and fifo suites measure, in C.
//
// flow       one write(2) a message, read(2) into one buffer of a message's size
// spin       the same, on descriptors that do not block
// frames     messages of a length and bytes: one write(2) and one read(2) each
// batched    the same messages, gathered in 64 KiB a write(2) and taken apart after each read(2)
// roundtrip  there and back, blocked in read(2)
// roundtrip-spin  the same, on descriptors that do not block
// epoll      there and back, waiting in epoll_wait(2)
// open       pipe2(2) and both close(2)
// fifo       open(2) of a FIFO's read end, which is there, and close(2)
// fifo-write the same of its write end, while somebody reads
#define _GNU_SOURCE
#include "fifo.h"
#include "flows.h"

static ssize_t Put(int fd, const void* data, size_t length) { return write(fd, data, length); }

static ssize_t Get(int fd, void* data, size_t length) { return read(fd, data, length); }

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

static void OpenFifoAndClose(size_t count, int access) {
  const struct Fifo fifo = MakeFifo();
  const int other = access == O_WRONLY ? open(fifo.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;
  const int64_t start = Now();
  for (size_t n = 0; n < count; n++) {
    const int fd = open(fifo.path, access | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) Fail("open");
    close(fd);
  }
  ReportReceipt(start, (struct Receipt){Now(), 0});
  if (other >= 0) close(other);
  RemoveFifo(&fifo);
}

static void SampleOf(const struct Exercise* exercise, size_t count, int capacity, int named) {
  int forth[2];
  int back[2];
  OpenEnds(forth, named);
  OpenEnds(back, named);
  if (capacity > 0 && fcntl(forth[1], F_SETPIPE_SZ, capacity) < 0) Fail("F_SETPIPE_SZ");
  Sample(exercise, (struct Ends){forth[1], back[0], forth[0], back[1]}, count);
  for (int i = 0; i < 2; i++) {
    close(forth[i]);
    close(back[i]);
  }
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  size = strtoull(argv[2], NULL, 10);
  const int capacity = atoi(argv[3]);
  const struct Exercise* exercise = ExerciseOf(argv[1]);
  const int opens = strcmp(argv[1], "open") == 0;
  const int writes = strcmp(argv[1], "fifo-write") == 0;
  if (exercise == NULL && !opens && !writes && strcmp(argv[1], "fifo") != 0) return 2;
  for (size_t count = NextCount(); count > 0; count = NextCount()) {
    if (exercise != NULL) {
      SampleOf(exercise, count, capacity, argc > 4);
    } else if (opens) {
      OpenAndClose(count);
    } else {
      OpenFifoAndClose(count, writes ? O_WRONLY : O_RDONLY);
    }
  }
  return 0;
}
