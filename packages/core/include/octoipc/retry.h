// What a system call answers, as one number: its value, or -errno.
#pragma once

#include <cerrno>
#include <cstdint>

namespace octoipc {

/// Calls once; a failure is -errno. For calls that must not be repeated, and for waits, whose EINTR
/// the caller has to see.
template <typename Call>
int64_t ValueOrError(Call&& call) {
  const int64_t value = static_cast<int64_t>(call());
  return value == -1 ? -static_cast<int64_t>(errno) : value;
}

/// Calls again for as long as a signal interrupts; a failure is -errno. For calls that do not wait.
template <typename Call>
int64_t Retry(Call&& call) {
  for (;;) {
    const int64_t value = ValueOrError(call);
    if (value != -EINTR) return value;
  }
}

}  // namespace octoipc
