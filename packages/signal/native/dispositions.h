// Who else handles a signal, and what happens where nobody does.
#pragma once

#include <signal.h>

#include <array>

#include "signal_set.h"

namespace octoipc {

/// A signal that some thread was given although all are to block it. Called within a signal
/// handler.
using Stray = void (*)(const siginfo_t& info);

/// For each watched signal a handler of ours is installed, although blocked signals never come to
/// it: it replaces the default action, and catches what a thread is given whose mask is not what we
/// made it (Node with --prof waits with a mask of its own). What was there before is called
/// whenever the signal is taken, and is put back in the end.
///
/// Lifetime: one for the process; every call is made with the exchange's lock held, but `Call` and
/// `TakeDefault`, which are made without.
class Dispositions {
 public:
  static Dispositions& Get();

  /// What is done by default, where nobody handles the signal.
  enum class Default { kNothing, kStop, kEnd };

  /// -EBUSY where it is a real-time signal that some other native module handles for its own sake.
  int64_t Install(int number, Stray stray);
  /// Looks who has replaced our handler since, and takes its place in front again.
  void Refresh(int number);
  /// Puts back what was there, unless somebody has replaced ours.
  void Restore(int number);
  bool Installed(int number) const { return Contains(installed_, number); }

  /// Whether another handler than the default is there: libuv's, for `process.on`, or a library's.
  bool HasHandler(int number) const;
  /// Whether nobody handles it, and the default does something.
  bool EndsOrStops(int number) const;
  /// Ignored by SIG_IGN.
  bool IsIgnored(int number) const;

  struct sigaction Previous(int number) const { return previous_[static_cast<size_t>(number)]; }
  /// Calls a handler as the kernel would, with all signals blocked.
  static void Call(const struct sigaction& action, siginfo_t info);
  /// Has the default action, or whatever is there beside us, take its course in this thread.
  static void TakeDefault(int number, const struct sigaction& action);

  /// SIG_IGN, or the default: also behind our own handler. -EBUSY where `process.on` has listeners.
  int64_t Ignore(int number);
  int64_t Reset(int number);

 private:
  Dispositions();
  int64_t Set(int number, const struct sigaction& action);

  SignalSet installed_ = 0;
  std::array<struct sigaction, kLastSignal + 1> previous_{};
  /// What the runtime had installed for itself when this was loaded: Node handles SIGINT and
  /// SIGTERM to mend the terminal before it ends.
  std::array<struct sigaction, kLastSignal + 1> original_{};
};

}  // namespace octoipc
