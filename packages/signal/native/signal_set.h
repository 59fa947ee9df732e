// Sets of signals as the kernel has them: one word.
#pragma once

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace octoipc {

/// Bit n - 1 is signal n. The kernel knows 64 signals; libc's sigset_t has room for more.
using SignalSet = uint64_t;

#ifdef SIGRTMIN
inline constexpr int kLastSignal = 64;
inline int FirstRealTime() { return SIGRTMIN; }
inline int LastRealTime() { return SIGRTMAX; }
#else
// A system without real-time signals.
inline constexpr int kLastSignal = NSIG - 1;
inline int FirstRealTime() { return NSIG; }
inline int LastRealTime() { return NSIG - 1; }
#endif

/// As much of a context's mask as is looked at: libc may know fewer signals, or have room for more.
inline constexpr size_t kContextBytes = sizeof(sigset_t) < 8 ? sizeof(sigset_t) : 8;

constexpr SignalSet Bit(int number) { return SignalSet{1} << (number - 1); }
constexpr bool Contains(SignalSet set, int number) { return (set & Bit(number)) != 0; }

/// The first real-time signal that libc leaves to programs, and all from there on.
inline bool IsRealTime(int number) { return number >= FirstRealTime(); }

/// rt_sigprocmask(2) of the calling thread by itself: libc would not let 32 and 33 through. Gives
/// the mask that was there before.
inline SignalSet ChangeMask(int how, SignalSet set) {
  SignalSet before = 0;
  ::syscall(SYS_rt_sigprocmask, how, &set, &before, sizeof set);
  return before;
}

inline SignalSet CurrentMask() {
  SignalSet now = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, &now, sizeof now);
  return now;
}

inline pid_t ThreadId() { return static_cast<pid_t>(::syscall(SYS_gettid)); }

/// All signals are blocked for as long as it lives.
class AllBlocked {
 public:
  AllBlocked() : before_(ChangeMask(SIG_SETMASK, ~SignalSet{0})) {}
  AllBlocked(const AllBlocked&) = delete;
  AllBlocked& operator=(const AllBlocked&) = delete;
  ~AllBlocked() { ChangeMask(SIG_SETMASK, before_); }

 private:
  SignalSet before_;
};

}  // namespace octoipc
