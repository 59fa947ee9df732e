// shm EXERCISE SIZE: what the shm suite measures of memory objects, in C.
//
// fill       one byte of each word of a memfd is stored, over and over: memset(3)
// read       all of a memfd is added up by words
// open       memfd_create(2), fallocate(2), mmap(2), a store, munmap(2), close(2)
// posix      the same by shm_open(3) of a name, which is unlinked
// attach     open(2) of an object that is there, fstat(2), mmap(2), a load, munmap(2), close(2)
// file       the same of a file
// sysv       shmget(2) of a segment that is there, shmctl(2), shmat(2), a load, shmdt(2)
// trips      there and back by two words, asleep in futex(2)
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "bench.h"

static size_t size;

static int Create(void) {
  const int fd = memfd_create("octoipc-bench", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0 || fallocate(fd, 0, 0, (off_t)size) != 0) Fail("memfd_create");
  return fd;
}

static uint8_t* Map(int fd) {
  uint8_t* data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) Fail("mmap");
  return data;
}

static void OpenAndClose(size_t count, int named) {
  char path[64];
  snprintf(path, sizeof path, "/dev/shm/octoipc-bench-%d", (int)getpid());
  // Who had the same id and was killed may have left one.
  unlink(path);
  const int64_t start = Now();
  for (size_t n = 0; n < count; n++) {
    int fd;
    if (named) {
      fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
      if (fd < 0 || fallocate(fd, 0, 0, (off_t)size) != 0) Fail("open");
    } else {
      fd = Create();
    }
    uint8_t* data = Map(fd);
    data[0] = (uint8_t)n;
    munmap(data, size);
    close(fd);
    if (named) unlink(path);
  }
  ReportReceipt(start, (struct Receipt){Now(), 0});
}

static void AttachTo(const char* path, size_t count) {
  const int made = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (made < 0 || fallocate(made, 0, 0, (off_t)size) != 0) Fail("open");
  volatile uint8_t seen = 0;
  const int64_t start = Now();
  for (size_t n = 0; n < count; n++) {
    struct stat status;
    const int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &status) != 0) Fail("open");
    uint8_t* data = Map(fd);
    seen += data[0];
    munmap(data, size);
    close(fd);
  }
  ReportReceipt(start, (struct Receipt){Now(), 0});
  unlink(path);
  close(made);
}

static void Attach(size_t count) {
  char path[64];
  snprintf(path, sizeof path, "/dev/shm/octoipc-bench-%d", (int)getpid());
  // Who had the same id and was killed may have left one.
  unlink(path);
  AttachTo(path, count);
}

static void AttachFile(size_t count) {
  const struct Folder folder = MakeFolder();
  char path[sizeof folder + 8];
  snprintf(path, sizeof path, "%s/file", folder.path);
  AttachTo(path, count);
  rmdir(folder.path);
}

static void AttachSegment(size_t count) {
  const key_t key = (key_t)(0x0c700000 | (getpid() & 0xfffff));
  // Who had the same id and was killed may have left one.
  shmctl(shmget(key, 0, 0), IPC_RMID, NULL);
  const int made = shmget(key, size, IPC_CREAT | IPC_EXCL | 0600);
  if (made < 0) Fail("shmget");
  volatile uint8_t seen = 0;
  const int64_t start = Now();
  for (size_t n = 0; n < count; n++) {
    struct shmid_ds status;
    const int id = shmget(key, 0, 0600);
    if (id < 0 || shmctl(id, IPC_STAT, &status) != 0) Fail("shmget");
    const uint8_t* data = shmat(id, NULL, 0);
    if (data == (void*)-1) Fail("shmat");
    seen += data[0];
    shmdt(data);
  }
  ReportReceipt(start, (struct Receipt){Now(), 0});
  shmctl(made, IPC_RMID, NULL);
}

static void FillMemory(size_t count) {
  uint8_t* data = Map(Create());
  memset(data, 1, size);
  const int64_t start = Now();
  for (size_t n = 0; n < count; n++) {
    memset(data, (int)(n & 0x7f), size);
    __asm__ volatile("" ::: "memory");
  }
  ReportReceipt(start, (struct Receipt){Now(), 0});
  munmap(data, size);
}

static void ReadMemory(size_t count) {
  uint8_t* data = Map(Create());
  uint8_t* copy = Memory(size);
  memset(data, 1, size);
  const int64_t start = Now();
  for (size_t n = 0; n < count; n++) {
    memcpy(copy, data, size);
    __asm__ volatile("" ::: "memory");
  }
  ReportReceipt(start, (struct Receipt){Now(), 0});
  munmap(data, size);
  Release(copy);
}

static void Wait(int32_t* word, int32_t seen) {
  while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == seen) {
    syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
  }
}

static void Post(int32_t* word) {
  __atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);
  syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void Trips(size_t count) {
  int32_t* words = (int32_t*)(void*)Map(Create());
  const pid_t child = fork();
  if (child < 0) Fail("fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t n = 0; n < count + 1; n++) {
      Wait(&words[0], (int32_t)n);
      Post(&words[16]);
    }
    _exit(0);
  }
  int64_t* times = malloc(count * sizeof *times);
  Post(&words[0]);
  Wait(&words[16], 0);
  int64_t due = FirstTrip();
  for (size_t n = 0; n < count; n++) {
    AwaitTrip(due);
    Post(&words[0]);
    Wait(&words[16], (int32_t)n + 1);
    due = EndTrip(due, &times[n]);
  }
  ReportTrips(times, count);
  waitpid(child, NULL, 0);
  munmap(words, size);
  free(times);
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  size = strtoull(argv[2], NULL, 10);
  for (size_t count = NextCount(); count > 0; count = NextCount()) {
    if (strcmp(argv[1], "open") == 0) OpenAndClose(count, 0);
    if (strcmp(argv[1], "posix") == 0) OpenAndClose(count, 1);
    if (strcmp(argv[1], "attach") == 0) Attach(count);
    if (strcmp(argv[1], "file") == 0) AttachFile(count);
    if (strcmp(argv[1], "sysv") == 0) AttachSegment(count);
    if (strcmp(argv[1], "fill") == 0) FillMemory(count);
    if (strcmp(argv[1], "read") == 0) ReadMemory(count);
    if (strcmp(argv[1], "trips") == 0) Trips(count);
  }
  return 0;
}
