// What is done with the ends of a stream or of packets, alike for pipes and sockets. Who includes this
// says how bytes get into a descriptor and out of it: Put and Get, which are as write(2) and read(2).
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>

#include "bench.h"

enum { kHeader = 4, kBatch = 64 * 1024 };

static size_t size;

static ssize_t Put(int fd, const void* data, size_t length);
static ssize_t Get(int fd, void* data, size_t length);

/// Where a descriptor does not block, this spins.
static void PutAll(int fd, const void* data, size_t length) {
  const uint8_t* bytes = (const uint8_t*)data;
  while (length > 0) {
    const ssize_t count = Put(fd, bytes, length);
    if (count < 0 && errno != EINTR && errno != EAGAIN) Fail("put");
    if (count <= 0) continue;
    bytes += count;
    length -= (size_t)count;
  }
}

static ssize_t GetSome(int fd, void* data, size_t length) {
  for (;;) {
    const ssize_t count = Get(fd, data, length);
    if (count > 0) return count;
    if (count == 0) FailAtEnd("get");
    if (errno != EINTR && errno != EAGAIN) Fail("get");
  }
}

/// A packet comes whole; of a stream, up to the end of the message.
static void GetAll(int fd, void* data, size_t length) {
  uint8_t* bytes = (uint8_t*)data;
  while (length > 0) {
    const size_t count = (size_t)GetSome(fd, bytes, length);
    bytes += count;
    length -= count;
  }
}

static void SendFlow(int fd, size_t count) {
  uint8_t* message = Memory(size);
  for (size_t n = 0; n < count; n++) {
    Fill(message, size, n);
    PutAll(fd, message, size);
  }
}

/// What comes is added up at once, while it is in the cache.
static uint64_t ReceiveFlow(int fd, size_t count) {
  uint8_t* message = Memory(size);
  uint64_t sum = 0;
  for (size_t n = 0; n < count; n++) {
    for (size_t at = 0; at < size;) {
      const size_t got = (size_t)GetSome(fd, message, size - at);
      sum += Sum(message, got, at);
      at += got;
    }
  }
  return sum;
}

static void SendFrames(int fd, size_t count) {
  uint8_t* frame = Memory(kHeader + size);
  const uint32_t length = (uint32_t)size;
  memcpy(frame, &length, kHeader);
  for (size_t n = 0; n < count; n++) {
    Fill(frame + kHeader, size, n);
    PutAll(fd, frame, kHeader + size);
  }
}

/// Both know how long a frame is: header and bytes are taken by one call.
static uint64_t ReceiveFrames(int fd, size_t count) {
  uint8_t* frame = Memory(kHeader + size);
  uint64_t sum = 0;
  for (size_t n = 0; n < count; n++) {
    uint32_t length;
    GetAll(fd, frame, kHeader + size);
    memcpy(&length, frame, kHeader);
    sum += Sum(frame + kHeader, length, 0);
  }
  return sum;
}

/// The message is made where the caller has it and copied to the batch, as a library must.
static void SendBatched(int fd, size_t count) {
  const size_t room = kHeader + size > kBatch ? kHeader + size : (size_t)kBatch;
  uint8_t* batch = Memory(room);
  uint8_t* message = Memory(size);
  size_t used = 0;
  const uint32_t length = (uint32_t)size;
  for (size_t n = 0; n < count; n++) {
    if (used + kHeader + size > room) {
      PutAll(fd, batch, used);
      used = 0;
    }
    Fill(message, size, n);
    memcpy(batch + used, &length, kHeader);
    memcpy(batch + used + kHeader, message, size);
    used += kHeader + size;
  }
  PutAll(fd, batch, used);
}

static uint64_t ReceiveBatched(int fd, size_t count) {
  uint8_t* batch = Memory(kBatch + kHeader + size);
  size_t used = 0;
  uint64_t sum = 0;
  for (size_t n = 0; n < count;) {
    used += (size_t)GetSome(fd, batch + used, kBatch);
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

static uint64_t Echo(int from, int to, size_t count, int set) {
  uint8_t* message = Memory(size);
  uint8_t* answer = Memory(size);
  uint64_t sum = 0;
  for (size_t n = 0; n < count; n++) {
    AwaitReadable(set);
    GetAll(from, message, size);
    sum += Sum(message, size, 0);
    Fill(answer, size, n);
    PutAll(to, answer, size);
  }
  return sum;
}

/// `told` is where the other tells what it added up.
static void Trips(int to, int from, size_t count, int set, int told) {
  uint8_t* message = Memory(size);
  uint8_t* answer = Memory(size);
  uint64_t sum = 0;
  struct Receipt receipt;
  int64_t* times = malloc(count * sizeof *times);
  int64_t due = FirstTrip();
  for (size_t n = 0; n < count; n++) {
    AwaitTrip(due);
    Fill(message, size, n);
    PutAll(to, message, size);
    AwaitReadable(set);
    GetAll(from, answer, size);
    sum += Sum(answer, size, 0);
    due = EndTrip(due, &times[n]);
  }
  ReadAll(told, &receipt, sizeof receipt);
  ReportDialogue(times, count, sum, receipt.sum);
  free(times);
  Release(message);
  Release(answer);
}

struct Exercise {
  const char* name;
  /// NULL: round trips.
  void (*send)(int fd, size_t count);
  uint64_t (*receive)(int fd, size_t count);
  int polls;
  int spins;
};

static const struct Exercise kExercises[] = {
    {"flow", SendFlow, ReceiveFlow, 0, 0},
    {"spin", SendFlow, ReceiveFlow, 0, 1},
    {"frames", SendFrames, ReceiveFrames, 0, 0},
    {"batched", SendBatched, ReceiveBatched, 0, 0},
    {"roundtrip", NULL, NULL, 0, 0},
    {"roundtrip-spin", NULL, NULL, 0, 1},
    {"epoll", NULL, NULL, 1, 0},
};

static const struct Exercise* ExerciseOf(const char* name) {
  for (size_t i = 0; i < sizeof kExercises / sizeof *kExercises; i++) {
    if (strcmp(kExercises[i].name, name) == 0) return &kExercises[i];
  }
  return NULL;
}

/// Descriptors of both processes; the other's may be the same as ours.
struct Ends {
  int send;
  int receive;
  int other_receive;
  int other_send;
};

static void Answer(const struct Exercise* exercise, struct Ends ends, size_t count, int told) {
  const int set = exercise->polls ? Watch(ends.other_receive) : -1;
  const uint8_t ready = 1;
  struct Receipt receipt = {0, 0};
  WriteAll(told, &ready, 1);
  if (exercise->receive == NULL) {
    receipt.sum = Echo(ends.other_receive, ends.other_send, count, set);
  } else {
    receipt.sum = exercise->receive(ends.other_receive, count);
  }
  receipt.end = Now();
  WriteAll(told, &receipt, sizeof receipt);
}

static void Unblock(int fd) {
  if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0) Fail("F_SETFL");
}

/// One sample in this process and a new one, which is ready before the clock starts.
static void Sample(const struct Exercise* exercise, struct Ends ends, size_t count) {
  int told[2];
  uint8_t ready;
  if (exercise->spins) {
    Unblock(ends.send);
    Unblock(ends.receive);
    Unblock(ends.other_receive);
    Unblock(ends.other_send);
  }
  if (pipe2(told, O_CLOEXEC) != 0) Fail("pipe2");
  const pid_t child = fork();
  if (child < 0) Fail("fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    Answer(exercise, ends, count, told[1]);
    _exit(0);
  }
  ReadAll(told[0], &ready, 1);
  if (exercise->send == NULL) {
    const int set = exercise->polls ? Watch(ends.receive) : -1;
    Trips(ends.send, ends.receive, count, set, told[0]);
    if (set >= 0) close(set);
  } else {
    struct Receipt receipt;
    const int64_t start = Now();
    exercise->send(ends.send, count);
    ReadAll(told[0], &receipt, sizeof receipt);
    ReportReceipt(start, receipt);
  }
  waitpid(child, NULL, 0);
  close(told[0]);
  close(told[1]);
}
