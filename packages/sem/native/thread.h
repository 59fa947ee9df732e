// A thread of ours that leaves all signals to the threads of the runtime.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <cstdint>

namespace octoipc {

/// Starts one; 0, or -errno.
inline int64_t StartQuietThread(pthread_t* thread, void* (*run)(void*), void* data) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 128 * 1024);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int error = pthread_create(thread, &attributes, run, data);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  return -error;
}

}  // namespace octoipc
