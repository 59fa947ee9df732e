// What the C programs share: the clock, the payload's rule, and the conversation with the runner,
// who writes a count a line and reads the sample's outcome as a line of JSON.
#pragma once

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/// The payload's rule: of message n the sender sets the bytes 0, 64, 128, … to n modulo 256, and the
/// receiver adds up the bytes at these places of each message. Who answers messages does both.
enum { kLine = 64 };

/// Nanoseconds between the intended beginnings of round trips; 0: each begins when the last is over.
static int64_t interval;

/// Before a trip is due its sender sleeps, but for the last while.
enum { kAwake = 100 * 1000 };

static inline int64_t Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline void Fail(const char* what) {
  perror(what);
  exit(1);
}

/// Who should have written more is gone.
static inline void FailAtEnd(const char* what) {
  fprintf(stderr, "%s: the other side has ended\n", what);
  exit(1);
}

/// A new folder where the temporary files are. What is named by the id of a process may be there: who
/// was killed has left it, and ids come again.
struct Folder {
  char path[104];
};

static inline struct Folder MakeFolder(void) {
  struct Folder folder;
  const char* parent = getenv("TMPDIR");
  snprintf(folder.path, sizeof folder.path, "%s/octoipc-bench-XXXXXX",
           parent != NULL ? parent : "/tmp");
  if (mkdtemp(folder.path) == NULL) Fail("mkdtemp");
  return folder;
}

/// Memory that begins 64 bytes further than malloc(3)'s: at 16 bytes into a page, where large
/// memory of malloc(3) begins, some processors read(2) four times slower.
static inline uint8_t* Memory(size_t size) {
  uint8_t* bytes = malloc(kLine + size);
  if (bytes == NULL) Fail("malloc");
  memset(bytes, 0, kLine + size);
  return bytes + kLine;
}

static inline void Release(uint8_t* memory) { free(memory - kLine); }

static inline void Fill(uint8_t* bytes, size_t size, uint64_t number) {
  for (size_t at = 0; at < size; at += kLine) bytes[at] = (uint8_t)number;
}

/// Adds up a part of a message that begins at `position` of it.
static inline uint64_t Sum(const uint8_t* bytes, size_t size, size_t position) {
  uint64_t sum = 0;
  for (size_t at = (kLine - position % kLine) % kLine; at < size; at += kLine) sum += bytes[at];
  return sum;
}

/// When the first round trip begins.
static inline int64_t FirstTrip(void) { return Now() + interval; }

/// Waits for when a round trip is to begin, unless that is over.
static inline void AwaitTrip(int64_t due) {
  if (interval == 0) return;
  const int64_t until = due - kAwake;
  const struct timespec wake = {until / 1000000000, until % 1000000000};
  if (until > Now()) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL);
  while (Now() < due) continue;
}

/// When the round trip after the one that was due and has just ended begins, whose time is kept: by
/// a schedule it is counted from when it was due, so that who was late is told of all who waited.
static inline int64_t EndTrip(int64_t due, int64_t* time) {
  const int64_t after = Now();
  *time = after - due;
  return interval > 0 ? due + interval : after;
}

static inline void WriteAll(int fd, const void* data, size_t size) {
  const uint8_t* bytes = (const uint8_t*)data;
  while (size > 0) {
    const ssize_t count = write(fd, bytes, size);
    if (count < 0 && errno != EINTR) Fail("write");
    if (count <= 0) continue;
    bytes += count;
    size -= (size_t)count;
  }
}

static inline void ReadAll(int fd, void* data, size_t size) {
  uint8_t* bytes = (uint8_t*)data;
  while (size > 0) {
    const ssize_t count = read(fd, bytes, size);
    if (count == 0) FailAtEnd("read");
    if (count < 0 && errno != EINTR) Fail("read");
    if (count <= 0) continue;
    bytes += count;
    size -= (size_t)count;
  }
}

static int CompareTimes(const void* a, const void* b) {
  const int64_t x = *(const int64_t*)a;
  const int64_t y = *(const int64_t*)b;
  return (x > y) - (x < y);
}

/// Prints what is known of round trips, but for the end of the line; sorts the times.
static inline void PrintTrips(int64_t* times, size_t count) {
  int64_t total = 0;
  for (size_t i = 0; i < count; i++) total += times[i];
  qsort(times, count, sizeof *times, CompareTimes);
  printf("{\"ns\":%lld,\"p50\":%lld,\"p99\":%lld,\"p999\":%lld", (long long)total,
         (long long)times[count / 2], (long long)times[count * 99 / 100],
         (long long)times[count * 999 / 1000]);
  for (size_t i = 0; interval > 0 && i < count; i++)
    printf("%s%lld", i == 0 ? ",\"times\":[" : ",", (long long)times[i]);
  if (interval > 0 && count > 0) printf("]");
}

/// Prints the outcome of a sample of round trips without messages.
static inline void ReportTrips(int64_t* times, size_t count) {
  PrintTrips(times, count);
  puts("}");
  fflush(stdout);
}

/// Prints the outcome of a sample of round trips of messages, whose bytes added up to `sum` here and
/// to `answered` at who answered them: to the same.
static inline void ReportDialogue(int64_t* times, size_t count, uint64_t sum, uint64_t answered) {
  if (sum != answered) {
    fprintf(stderr, "the bytes add up to %llu here, to %llu there\n", (unsigned long long)sum,
            (unsigned long long)answered);
    exit(1);
  }
  PrintTrips(times, count);
  printf(",\"sum\":%llu}\n", (unsigned long long)sum);
  fflush(stdout);
}

/// What the other process tells when it has received everything.
struct Receipt {
  int64_t end;
  uint64_t sum;
};

/// Prints the outcome of a sample that ended, in the other process, with `receipt`.
static inline void ReportReceipt(int64_t start, struct Receipt receipt) {
  printf("{\"ns\":%lld,\"sum\":%llu}\n", (long long)(receipt.end - start),
         (unsigned long long)receipt.sum);
  fflush(stdout);
}

/// The next count, after which the interval of a schedule may stand; 0 when the runner has enough.
static inline size_t NextCount(void) {
  char line[64];
  char* rest;
  if (fgets(line, sizeof line, stdin) == NULL) return 0;
  const size_t count = strtoull(line, &rest, 10);
  interval = strtoll(rest, NULL, 10);
  return count;
}
