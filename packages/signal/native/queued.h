// The siginfo of a signal that is sent with a value.
#pragma once

#include <signal.h>
#include <unistd.h>

#include <cstdint>

namespace octoipc {

inline siginfo_t Queued(int number, int32_t low, int32_t high) {
  siginfo_t info{};
  info.si_signo = number;
  info.si_code = SI_QUEUE;
  info.si_pid = ::getpid();
  info.si_uid = ::getuid();
  const uint64_t value =
      (static_cast<uint64_t>(static_cast<uint32_t>(high)) << 32) | static_cast<uint32_t>(low);
  info.si_value.sival_ptr = reinterpret_cast<void*>(static_cast<uintptr_t>(value));
  return info;
}

}  // namespace octoipc
