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

/// How many clock ticks later this process sees others start than the first time namespace does:
/// time_namespaces(7).
inline uint32_t StartOffset() {
  static const uint32_t offset = [] {
    const UniqueFd fd(::open("/proc/self/timens_offsets", O_RDONLY | O_CLOEXEC));
    char text[256] = "";
    if (!fd || ::read(fd.get(), text, sizeof text - 1) <= 0) return 0U;
    const char* at = std::strstr(text, "boottime");
    if (at == nullptr) return 0U;
    char* rest = nullptr;
    const int64_t seconds = std::strtoll(at + 8, &rest, 10);
    const int64_t ticks = ::sysconf(_SC_CLK_TCK);
    const int64_t parts = std::strtoll(rest, nullptr, 10) / (1'000'000'000 / ticks);
    return static_cast<uint32_t>(seconds * ticks + parts);
  }();
  return offset;
}

/// The low 32 bits of a process's start time as the first time namespace has it, -ESRCH if it is
/// dead. A zombie is dead, unless it is but its first thread that has ended (pthread_exit(3) in
/// main). By the first thread's file: an emulator (qemu-user) makes up a process's own, with
/// another start time.
inline int64_t ProcessStart(uint32_t pid) {
  const std::string number = std::to_string(pid);
  const std::string path = "/proc/" + number + "/task/" + number + "/stat";
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
  const bool ended = at[2] == 'Z' || at[2] == 'X';
  ++at;
  uint64_t threads = 0;
  for (int field = 3; field < 22 && at != nullptr; ++field) {
    if (field == 20) threads = std::strtoull(at, nullptr, 10);
    at = std::strchr(at + 1, ' ');
  }
  if (ended && threads <= 1) return -ESRCH;
  if (at == nullptr) return -EAGAIN;
  return static_cast<uint32_t>(std::strtoull(at, nullptr, 10)) - StartOffset();
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
