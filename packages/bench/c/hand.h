// A thread that makes calls which block, and tells of each by an eventfd: what it takes to await a call for which
// the kernel has no descriptor, without any of Node.
#pragma once

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

#include "bench.h"

struct Hand {
  _Atomic uint32_t calling;
  void (*call)(void* data);
  void* data;
  int bell;
  int set;
};

static void* RunHand(void* of) {
  struct Hand* hand = of;
  const uint64_t one = 1;
  for (;;) {
    while (atomic_load(&hand->calling) == 0)
      syscall(SYS_futex, &hand->calling, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    hand->call(hand->data);
    atomic_store(&hand->calling, 0);
    WriteAll(hand->bell, &one, sizeof one);
  }
  return NULL;
}

static inline void StartHand(struct Hand* hand, void (*call)(void* data), void* data) {
  struct epoll_event event = {.events = EPOLLIN | EPOLLET};
  pthread_t thread;
  hand->call = call;
  hand->data = data;
  hand->bell = eventfd(0, EFD_CLOEXEC);
  hand->set = epoll_create1(EPOLL_CLOEXEC);
  if (hand->bell < 0 || hand->set < 0 ||
      epoll_ctl(hand->set, EPOLL_CTL_ADD, hand->bell, &event) != 0)
    Fail("epoll");
  if (pthread_create(&thread, NULL, RunHand, hand) != 0) Fail("pthread_create");
}

/// Has the thread make its call, and waits for it in epoll_wait(2).
static inline void AwaitHand(struct Hand* hand) {
  struct epoll_event event;
  atomic_store(&hand->calling, 1);
  syscall(SYS_futex, &hand->calling, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
  while (epoll_wait(hand->set, &event, 1, -1) < 1) continue;
}
