// Where signals are taken from the kernel and given to everyone who watches them.
#pragma once

#include <pthread.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "dispositions.h"
#include "octoipc/environment.h"
#include "octoipc/unique_fd.h"
#include "record.h"
#include "signal_set.h"
#include "thread_masks.h"

namespace octoipc {

class Exchange;

/// What one JavaScript thread watches, and what has come for it.
struct Wishes {
  /// What it is told of.
  SignalSet watched = 0;
  /// What of this it handles: the default action is replaced.
  SignalSet replaced = 0;
  /// What it cannot take more of now. It stays in the kernel's queue, for everyone.
  SignalSet full = 0;
  /// Of which it takes one itself, and goes: what was read ahead for it would be lost.
  SignalSet single = 0;
};

/// Lifetime:
/// 1. Kept by its Environment; belongs to the exchange from `Open` until it is destroyed, on the
///    thread that opened it.
/// 2. Its descriptors, a signalfd and an eventfd, are watched by JavaScript, which stops to before
///    it drops this.
class Subscriber : public Resource {
 public:
  Subscriber();
  ~Subscriber() override;

  bool IsOpen() const { return signals_ && bell_; }
  int signals_fd() const { return signals_.get(); }
  int bell_fd() const { return bell_.get(); }

 private:
  friend class Exchange;

  UniqueFd signals_;
  UniqueFd bell_;
  bool on_main_thread_;
  Wishes wishes_;
  /// What its signalfd has.
  SignalSet read_ = 0;
  /// As far as the inbox itself is full.
  SignalSet flooded_ = 0;
  std::deque<Record> inbox_;
  bool rung_ = false;
  /// Among those that the handler can ring; none if there are too many.
  size_t place_ = SIZE_MAX;
};

/// All watched signals are blocked in every thread, and read from signalfds: by whichever thread of
/// JavaScript's is ready for them, under one lock, so that everyone gets them in the kernel's
/// order. The reader hands each signal to all who watch it.
///
/// A thread of ours reads besides where waiting for JavaScript's is not enough: for signals that
/// workers watch (one that is busy must not keep them from others), and for signals that are only
/// observed (the default action is to follow within a second).
///
/// Lifetime: one for the process, for ever. The thread lives for as long as it is needed; it blocks
/// all signals, and is joined, without the lock.
class Exchange {
 public:
  static Exchange& Get();

  /// Holds the masks and dispositions of the process.
  std::mutex& lock() { return lock_; }

  /// Each 0 or -errno.
  int64_t Configure(Subscriber& subscriber, const Wishes& wishes);
  void Remove(Subscriber& subscriber);
  /// Up to so many records of what has come; how many.
  int64_t Take(Subscriber& subscriber, Record* out, size_t max);
  /// Everyone of this subscriber's has been told of what came up to this ticket.
  void Told(Subscriber& subscriber, int32_t ticket);

 private:
  static constexpr size_t kBatch = 64;
  /// Of an inbox: as much as JavaScript takes in a turn or two.
  static constexpr size_t kFlood = 16'384;

  /// A default action that is to follow.
  struct Ticket {
    int32_t id;
    int number;
    std::vector<const Subscriber*> untold;
    int64_t deadline;
  };

  /// What is to be done when the lock is free again.
  struct Later {
    std::vector<std::pair<struct sigaction, Record>> calls;
    std::vector<std::pair<int, struct sigaction>> defaults;
    pthread_t thread{};
    bool join = false;
  };

  static void OnStray(const siginfo_t& info);
  static void* RunThread(void* data);

  int64_t Apply(Later& later);
  int64_t Begin(SignalSet added);
  void End(SignalSet removed, SignalSet discarded, Later& later);
  static SignalSet ReadAhead(const Subscriber& subscriber);
  /// 0, or -errno where one of them cannot read what it should.
  int64_t SetReaders();
  int64_t UseThread(bool needed, Later& later);
  size_t Read(int fd, size_t max, const Subscriber* reader, Later& later);
  void TakeStrays(const Subscriber* reader, Later& later);
  void Distribute(Record record, const Subscriber* reader, Later& later);
  int32_t Owe(const Record& record);
  void Settle(Later& later, const Subscriber* told, int32_t up_to);
  int Overdue(Later& later);
  static void Ring(Subscriber& subscriber);
  static void Do(Later& later);
  void CloseThread();

  std::mutex lock_;
  std::vector<Subscriber*> subscribers_;
  SignalSet watched_ = 0;
  SignalSet replaced_ = 0;
  std::deque<Ticket> tickets_;
  int32_t last_ticket_ = 0;
  UniqueFd thread_signals_;
  UniqueFd thread_wake_;
  pthread_t thread_{};
  bool running_ = false;
  /// The one thread that may run; an older one that sees another number ends.
  uintptr_t generation_ = 0;
};

}  // namespace octoipc
