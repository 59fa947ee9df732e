// A thread that waits for words of memory to be woken, as many as there are: futex(2).
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "octoipc/environment.h"
#include "octoipc/unique_fd.h"

namespace octoipc {

/// Waits for up to `kMost` words in one call, futex_waitv(2); for one where the kernel has no such
/// call (before Linux 5.16).
///
/// Each pending wait is a waiter of its own to the kernel, in the order in which they came, so that
/// waking two wakes two. The call tells the last one that was woken only. So the words that were
/// woken most recently come first, and what comes before the one that is told was woken for sure
/// if it is of the same word, and perhaps if it is of another: that is told as woken too, since a
/// wake must never be lost, and futex(2) lets a waiter wake for no reason.
///
/// Lifetime:
/// 1. Runs from the first wait until it had none for a while; the destructor stops and joins it.
/// 2. It reads no memory itself: the kernel does, to which an address that is gone is an error.
/// 3. A wait is removed before its memory is unmapped. If it had been woken, the wake goes to the
///    next who waits for the word.
class FutexThread {
 public:
  /// Without the thread's own word.
  static constexpr size_t kMost = 127;

  /// `bell` gets rung whenever there is something to take.
  explicit FutexThread(int bell) : bell_(bell) {}
  FutexThread(const FutexThread&) = delete;
  FutexThread& operator=(const FutexThread&) = delete;
  ~FutexThread();

  /// Whether one more wait fits.
  bool HasRoom();
  /// 0, or -errno if no thread can be started.
  int64_t Add(uint32_t* word, uint32_t expected, int32_t who);
  /// Ends a wait; if it had been woken and nobody was told, the next who waits is.
  void Remove(int32_t who);
  /// Who was woken since the last time, up to the size of `who`; how many.
  size_t Take(Integers who);

 private:
  struct Wait {
    uint32_t* word;
    uint32_t expected;
    int32_t who;
    /// Tells it from a later one of the same `who`.
    uint64_t id;
  };

  int64_t Start();
  static void* Run(void* self);
  void Loop();
  /// futex_waitv's answer for the thread's own word and these.
  int64_t Sleep(uint32_t control, const std::vector<Wait>& waits);
  int64_t SleepForOne(uint32_t control, const std::vector<Wait>& waits);
  void Settle(const std::vector<Wait>& waits, int64_t answer);
  void Tell(const Wait& wait);
  /// A wake that came to a wait that is no more goes to the next who waits for the word.
  void HandOn(uint32_t* word);
  void Ring();
  void Kick();

  const int bell_;
  pthread_t thread_{};
  bool started_ = false;
  /// Changes whenever the waits do.
  std::atomic<uint32_t> control_{0};
  std::atomic<bool> ended_{false};
  bool stop_ = false;
  int signal_ = -1;
  uint64_t next_id_ = 0;
  std::mutex mutex_;
  std::vector<Wait> waits_;
  std::vector<Wait> woken_;
};

/// futex(2) between processes. 0 when woken, -EAGAIN when the word has another value, -ETIMEDOUT,
/// -EINTR. Without a time: until then.
int64_t FutexWait(const uint32_t* word, uint32_t expected, const timespec* time);
/// How many were woken.
int64_t FutexWake(const uint32_t* word, uint32_t count);

}  // namespace octoipc
