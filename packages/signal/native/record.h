// One signal as it crosses to JavaScript: a row of 32-bit numbers.
#pragma once

#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>

#include <array>
#include <cstdint>

namespace octoipc {

struct Record {
  int32_t number;
  int32_t code;
  int32_t pid;
  int32_t uid;
  int32_t status;
  /// The value's 64 bits.
  int32_t low;
  int32_t high;
  /// When we took it, in milliseconds and nanoseconds of the real-time clock: high, low, rest.
  int32_t seconds;
  int32_t nanoseconds;
  /// Not 0 where the default action follows when everyone has been told.
  int32_t ticket;
};

inline constexpr size_t kRecordSize = sizeof(Record) / sizeof(int32_t);

inline void Stamp(Record& record) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  record.seconds = static_cast<int32_t>(now.tv_sec);
  record.nanoseconds = static_cast<int32_t>(now.tv_nsec);
}

inline void SetValue(Record& record, uint64_t value) {
  record.low = static_cast<int32_t>(value & 0xffffffff);
  record.high = static_cast<int32_t>(value >> 32);
}

inline Record FromSignalfd(const signalfd_siginfo& info) {
  Record record{};
  record.number = static_cast<int32_t>(info.ssi_signo);
  record.code = info.ssi_code;
  record.pid = static_cast<int32_t>(info.ssi_pid);
  record.uid = static_cast<int32_t>(info.ssi_uid);
  record.status = info.ssi_status;
  SetValue(record, info.ssi_ptr);
  return record;
}

inline Record FromSiginfo(const siginfo_t& info) {
  Record record{};
  record.number = info.si_signo;
  record.code = info.si_code;
  const bool of_timer = info.si_code == SI_TIMER;
  record.pid = of_timer ? 0 : info.si_pid;
  record.uid = of_timer ? 0 : static_cast<int32_t>(info.si_uid);
  const bool of_child = info.si_signo == SIGCHLD && info.si_code > 0;
  record.status = of_child ? info.si_status : 0;
  if (!of_child) SetValue(record, reinterpret_cast<uintptr_t>(info.si_value.sival_ptr));
  return record;
}

/// For handlers that are called as if the kernel did.
inline siginfo_t ToSiginfo(const Record& record) {
  siginfo_t info{};
  info.si_signo = record.number;
  info.si_code = record.code;
  info.si_pid = record.pid;
  info.si_uid = static_cast<uid_t>(record.uid);
  if (record.number == SIGCHLD && record.code > 0) {
    info.si_status = record.status;
  } else {
    const uint64_t value = (static_cast<uint64_t>(static_cast<uint32_t>(record.high)) << 32) |
                           static_cast<uint32_t>(record.low);
    info.si_value.sival_ptr = reinterpret_cast<void*>(static_cast<uintptr_t>(value));
  }
  return info;
}

}  // namespace octoipc
