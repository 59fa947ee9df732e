// Which signals the threads of this process block, whoever has made them.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <map>

#include "signal_set.h"

namespace octoipc {

/// The kernel gives a signal for the process to any thread that does not block it. To take signals
/// in the kernel's own order, and to leave them in the kernel's queue for as long as nobody is
/// ready, every thread has to block them: those of the runtime and of its libraries, too. A thread
/// can change its own mask only, so each is visited once, by a signal whose handler changes the
/// mask that the thread returns to. What a thread creates later inherits its mask.
///
/// Lifetime:
/// 1. One for the process; every call is made with the exchange's lock held.
/// 2. The visiting signal has a handler of ours from the first change until nothing is blocked any
///    more. It is one that nobody handles or wants, SIGURG first, which does nothing by default.
/// 3. What a thread blocked before, by its own will, it goes on blocking afterwards.
class ThreadMasks {
 public:
  static ThreadMasks& Get();

  /// A thread of JavaScript's: it has a mask of its own that others do not change, but for watched
  /// signals.
  void Join(pid_t thread);
  /// The same thread, at its end: what it had blocked is not blocked for its sake any more.
  void Leave(pid_t thread);

  /// Every thread blocks these signals; or no longer.
  void Block(SignalSet signals);
  void Unblock(SignalSet signals);

  /// The calling thread, which has joined, blocks these signals, or no longer. For as long as a
  /// thread of JavaScript's does, those that are nobody's (libuv's pool, V8's helpers) do, too, or
  /// they would be given what it waits for.
  void Hold(SignalSet signals);
  void Release(SignalSet signals);

  /// What the calling thread blocks by its own will.
  SignalSet Held() const;
  /// What any thread of JavaScript's does.
  SignalSet HeldByAny() const;

 private:
  /// Visits threads until each of them blocks `add` and none blocks `remove`, but by its own will.
  void Visit(SignalSet add, SignalSet remove);
  void Rounds(SignalSet add, SignalSet remove);
  /// Visits every thread once, whatever it blocks: for signals that proc(5) has by other numbers,
  /// of which nobody knows what a thread blocked before, by its own will.
  void Tour(SignalSet add, SignalSet remove);
  /// One look at every thread; whether there was nothing left to do.
  bool Round(SignalSet add, SignalSet remove, bool first);
  bool Look(pid_t thread, SignalSet add, SignalSet remove, bool first);
  /// Whether a thread blocks every signal for good; found so often enough, it does.
  bool IsDeaf(pid_t thread) const;
  void FoundDeaf(pid_t thread, bool asleep);
  bool PrepareVisits(SignalSet add);
  void EndVisits();
  void Publish();

  /// What every thread blocks, and what those that are nobody's block beside.
  SignalSet watched_ = 0;
  SignalSet helpers_ = 0;
  int visitor_ = 0;
  struct sigaction visitor_before_{};
  /// What threads block by their own will.
  std::map<pid_t, SignalSet> own_;
  /// How often a thread was found blocking every signal; often enough, and it is left alone.
  std::map<pid_t, int> deaf_;
};

}  // namespace octoipc
