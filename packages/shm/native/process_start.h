// When a process started, which with its pid says which process it is: proc(5), stat.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "octoipc/retry.h"
#include "octoipc/unique_fd.h"

namespace octoipc {

/// -ESRCH if there is no such process; /proc may hide another user's (hidepid).
inline int64_t WhyUnseen(uint32_t pid) {
  if (::kill(static_cast<pid_t>(pid), 0) < 0 && errno == ESRCH) return -ESRCH;
  return -EACCES;
}

/// The low 32 bits of a process's start time, -ESRCH if it is dead. A zombie is dead.
inline int64_t ProcessStart(uint32_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const int64_t opened = Retry([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); });
  if (opened < 0) return opened == -ENOENT ? WhyUnseen(pid) : opened;
  const UniqueFd fd(static_cast<int>(opened));
  char text[1024];
  const int64_t size = Retry([&] { return ::read(fd.get(), text, sizeof text - 1); });
  if (size < 0) return size;
  text[size] = 0;
  // The name of the program, which may hold anything, is in parentheses before.
  const char* at = std::strrchr(text, ')');
  if (at == nullptr || at[1] == 0) return -EAGAIN;
  if (at[2] == 'Z' || at[2] == 'X') return -ESRCH;
  ++at;
  for (int field = 3; field < 22 && at != nullptr; ++field) at = std::strchr(at + 1, ' ');
  if (at == nullptr) return -EAGAIN;
  return static_cast<int64_t>(std::strtoull(at, nullptr, 10) & 0xffffffffU);
}

/// Whether the process of an identity is dead, as `own` can judge: of one of another pid namespace
/// than the memory's nothing is known, and nor does such a one know of anybody.
inline bool IsDead(uint64_t identity, uint64_t own) {
  const auto pid = static_cast<uint32_t>(identity & 0x3fffff);
  if (pid == 0 || ((identity | own) >> 54 & 1) != 0) return false;
  const int64_t start = ProcessStart(pid);
  return start == -ESRCH ||
         (start >= 0 && static_cast<uint32_t>(start) != static_cast<uint32_t>(identity >> 22));
}

}  // namespace octoipc
