// futex(2) on a 32-bit word that processes share. The kernel reads the word: an address that is not
// mapped any more is -EFAULT, never a signal.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <climits>
#include <cstdint>

#include "octoipc/retry.h"

namespace octoipc {

using Word = uint32_t;

inline int64_t Futex(const Word* word, int operation, uint32_t value, const timespec* time) {
  return ValueOrError(
      [&] { return ::syscall(SYS_futex, word, operation, value, time, nullptr, 0); });
}

/// Sleeps while the word has this value, for so long. 0 when it was woken, -EAGAIN when the word
/// has another value, -ETIMEDOUT, -EINTR.
inline int64_t FutexWait(const Word* word, uint32_t value, const timespec& time) {
  return Futex(word, FUTEX_WAIT, value, &time);
}

/// How many were woken.
inline int64_t FutexWake(const Word* word, int count) {
  return Futex(word, FUTEX_WAKE, static_cast<uint32_t>(count), nullptr);
}

/// -ETIMEDOUT if the word has this value; anything else is a reason to look: 0 took somebody's
/// wake.
inline int64_t FutexProbe(const Word* word, uint32_t value) {
  const timespec none = {0, 0};
  const int64_t result = FutexWait(word, value, none);
  return result == -EINTR ? -ETIMEDOUT : result;
}

/// How many sleep on the word: FUTEX_CMP_REQUEUE from the word to itself moves nobody and counts
/// all.
inline int64_t FutexWaiters(const Word* word, uint32_t value) {
  return ValueOrError([&] {
    return ::syscall(SYS_futex, word, FUTEX_CMP_REQUEUE, 0, static_cast<long>(INT_MAX), word,
                     value);
  });
}

}  // namespace octoipc
