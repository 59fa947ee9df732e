#include "exchange.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "octoipc/retry.h"
#include "strays.h"

namespace octoipc {
namespace {

/// How long a default action waits for those who are to be told before, in milliseconds.
constexpr int64_t kPatience = 1000;

/// How long what is known of a real-time signal's handler is good for, in milliseconds.
constexpr int64_t kGlance = 10;

Strays strays;

/// Of a subscriber, for the handler that may take no lock.
struct Bell {
  /// Its eventfd, kept as one more; 0 where there is none.
  std::atomic<int> descriptor{0};
  /// Whether the handler has rung it, known only after it has: its owner may look once too often.
  std::atomic<bool> rung{false};
};

std::array<Bell, 1024> bells{};
std::atomic<int> handlers_ringing{0};

int64_t Now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

void Add(int fd) {
  const uint64_t one = 1;
  Retry([&] { return ::write(fd, &one, sizeof one); });
}

/// Whether it is time to see who handles a signal: a standard one each time, since process.on() may
/// have been called just before; a real-time one, for which there is no process.on(), so often.
bool IsDue(int number) {
  if (!IsRealTime(number)) return true;
  static std::array<int64_t, kLastSignal + 1> last{};
  const int64_t now = Now();
  int64_t& before = last[static_cast<size_t>(number)];
  if (now - before < kGlance) return false;
  before = now;
  return true;
}

/// signalfd(2) with the kernel's own set; a descriptor that is there gets another set, and wakes
/// who waits for it.
int64_t SignalDescriptor(int fd, SignalSet set) {
  return ValueOrError(
      [&] { return ::syscall(SYS_signalfd4, fd, &set, sizeof set, SFD_CLOEXEC | SFD_NONBLOCK); });
}

}  // namespace

Subscriber::Subscriber()
    : signals_(static_cast<int>(std::max<int64_t>(SignalDescriptor(-1, 0), -1))),
      bell_(signals_ ? ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) : -1),
      on_main_thread_(ThreadId() == ::getpid()) {
  if (!bell_) return;
  for (size_t i = 0; i < bells.size(); ++i) {
    int vacant = 0;
    if (!bells[i].descriptor.compare_exchange_strong(vacant, bell_.get() + 1)) continue;
    place_ = i;
    break;
  }
}

Subscriber::~Subscriber() {
  Exchange::Get().Remove(*this);
  if (place_ < bells.size()) bells[place_].descriptor.store(0);
  // A handler in another thread may have read the number just before.
  while (handlers_ringing.load() != 0) ::sched_yield();
}

Exchange& Exchange::Get() {
  static auto* exchange = new Exchange();
  return *exchange;
}

int64_t Exchange::Configure(Subscriber& subscriber, const Wishes& wishes) {
  Later later;
  int64_t result = 0;
  {
    const std::lock_guard held(lock_);
    const Wishes before = subscriber.wishes_;
    subscriber.wishes_ = wishes;
    if (std::find(subscribers_.begin(), subscribers_.end(), &subscriber) == subscribers_.end()) {
      subscribers_.push_back(&subscriber);
    }
    result = Apply(later);
    if (result < 0) {
      subscriber.wishes_ = before;
      Apply(later);
    }
  }
  Do(later);
  return result;
}

void Exchange::Remove(Subscriber& subscriber) {
  Later later;
  {
    const std::lock_guard held(lock_);
    const auto found = std::find(subscribers_.begin(), subscribers_.end(), &subscriber);
    if (found == subscribers_.end()) return;
    subscribers_.erase(found);
    Apply(later);
    Settle(later, &subscriber, INT32_MAX);
  }
  Do(later);
}

/// Makes everything as the subscribers wish.
int64_t Exchange::Apply(Later& later) {
  SignalSet watched = 0;
  SignalSet replaced = 0;
  bool workers = false;
  for (const Subscriber* one : subscribers_) {
    watched |= one->wishes_.watched;
    replaced |= one->wishes_.replaced;
    if (!one->on_main_thread_ && ReadAhead(*one) != 0) workers = true;
  }
  const SignalSet added = watched & ~watched_;
  const SignalSet removed = watched_ & ~watched;
  const bool needs_thread = workers || (watched & ~replaced) != 0;
  if (needs_thread) {
    const int64_t started = UseThread(true, later);
    if (started < 0) return started;
  }
  const int64_t begun = Begin(added);
  if (begun < 0) return begun;
  const SignalSet discarded = removed & replaced_;
  watched_ = watched;
  replaced_ = replaced;
  const int64_t reads = SetReaders();
  End(removed, discarded, later);
  if (!needs_thread) UseThread(false, later);
  return reads;
}

/// Blocked everywhere first, then handled: what comes is queued, and comes in order.
int64_t Exchange::Begin(SignalSet added) {
  if (added == 0) return 0;
  ThreadMasks::Get().Block(added);
  Dispositions& dispositions = Dispositions::Get();
  for (int number = 1; number <= kLastSignal; ++number) {
    if (!Contains(added, number)) continue;
    const int64_t installed = dispositions.Install(number, OnStray);
    if (installed >= 0) continue;
    for (int done = 1; done < number; ++done) {
      if (Contains(added, done)) dispositions.Restore(done);
    }
    ThreadMasks::Get().Unblock(added);
    return installed;
  }
  return 0;
}

/// What came for those who watched goes with them, where nobody blocks it by his own will: it must
/// not meet the default action that they had replaced.
void Exchange::End(SignalSet removed, SignalSet discarded, Later& later) {
  if (removed == 0) return;
  const SignalSet taken = discarded & ~ThreadMasks::Get().HeldByAny();
  const timespec none{};
  for (int i = 0; taken != 0 && i < (1 << 20); ++i) {
    siginfo_t info{};
    const int64_t number =
        Retry([&] { return ::syscall(SYS_rt_sigtimedwait, &taken, &info, &none, sizeof taken); });
    if (number <= 0) break;
    const auto previous = Dispositions::Get().Previous(static_cast<int>(number));
    if (Dispositions::Get().HasHandler(static_cast<int>(number))) {
      later.calls.emplace_back(previous, FromSiginfo(info));
    }
  }
  for (int number = 1; number <= kLastSignal; ++number) {
    if (Contains(removed, number)) Dispositions::Get().Restore(number);
  }
  ThreadMasks::Get().Unblock(removed);
}

/// What the thread reads for a subscriber: not what stays with the kernel until it is asked for.
SignalSet Exchange::ReadAhead(const Subscriber& subscriber) {
  return subscriber.wishes_.watched & ~subscriber.wishes_.single;
}

int64_t Exchange::SetReaders() {
  SignalSet full = 0;
  SignalSet ahead = 0;
  for (const Subscriber* one : subscribers_) {
    full |= one->wishes_.full | one->flooded_;
    ahead |= ReadAhead(*one);
  }
  int64_t result = 0;
  for (Subscriber* one : subscribers_) {
    const SignalSet wanted = one->wishes_.watched & ~full;
    const int64_t set = SignalDescriptor(one->signals_.get(), wanted);
    // One that reads too much does no harm: what nobody watches is not blocked.
    if (set >= 0) {
      one->read_ = wanted;
    } else if ((wanted & ~one->read_) != 0) {
      result = set;
    }
  }
  if (thread_signals_) SignalDescriptor(thread_signals_.get(), ahead & ~full);
  return result;
}

int64_t Exchange::UseThread(bool needed, Later& later) {
  if (needed == running_) return 0;
  if (!needed) {
    generation_ += 1;
    Add(thread_wake_.get());
    later.thread = thread_;
    later.join = true;
    running_ = false;
    return 0;
  }
  if (!thread_signals_) {
    const int64_t made = SignalDescriptor(-1, 0);
    if (made < 0) return made;
    thread_signals_ = UniqueFd(static_cast<int>(made));
  }
  if (!thread_wake_) thread_wake_ = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!thread_wake_) return -errno;
  generation_ += 1;
  const AllBlocked blocked;
  auto* generation = reinterpret_cast<void*>(generation_);
  const int error = ::pthread_create(&thread_, nullptr, RunThread, generation);
  running_ = error == 0;
  return -error;
}

void* Exchange::RunThread(void* data) {
  auto* self = &Exchange::Get();
  for (;;) {
    int wait = -1;
    int signals = -1;
    int wake = -1;
    Later later;
    {
      const std::lock_guard held(self->lock_);
      if (self->generation_ != reinterpret_cast<uintptr_t>(data)) return nullptr;
      signals = self->thread_signals_.get();
      wake = self->thread_wake_.get();
      uint64_t count = 0;
      Retry([&] { return ::read(wake, &count, sizeof count); });
      self->TakeStrays(nullptr, later);
      self->Read(signals, kBatch, nullptr, later);
      wait = self->Overdue(later);
    }
    Do(later);
    pollfd fds[2] = {{signals, POLLIN, 0}, {wake, POLLIN, 0}};
    ValueOrError([&] { return ::poll(fds, 2, wait); });
  }
}

int64_t Exchange::Take(Subscriber& subscriber, Record* out, size_t max) {
  Later later;
  size_t count = 0;
  {
    const std::lock_guard held(lock_);
    auto& inbox = subscriber.inbox_;
    const bool by_handler =
        subscriber.place_ < bells.size() && bells[subscriber.place_].rung.exchange(false);
    if (by_handler || subscriber.rung_) {
      uint64_t rings = 0;
      Retry([&] { return ::read(subscriber.bell_.get(), &rings, sizeof rings); });
      subscriber.rung_ = false;
    }
    TakeStrays(&subscriber, later);
    while (inbox.size() < max) {
      const size_t wanted = std::min(max - inbox.size(), kBatch);
      if (Read(subscriber.signals_.get(), wanted, &subscriber, later) < wanted) break;
    }
    for (; count < max && !inbox.empty(); ++count) {
      out[count] = inbox.front();
      inbox.pop_front();
    }
    if (subscriber.flooded_ != 0 && inbox.size() < kFlood / 2) {
      subscriber.flooded_ = 0;
      SetReaders();
    }
  }
  Do(later);
  return static_cast<int64_t>(count);
}

size_t Exchange::Read(int fd, size_t max, const Subscriber* reader, Later& later) {
  signalfd_siginfo infos[kBatch];
  const int64_t length = Retry([&] { return ::read(fd, infos, max * sizeof infos[0]); });
  if (length <= 0) return 0;
  const size_t count = static_cast<size_t>(length) / sizeof infos[0];
  SignalSet refreshed = 0;
  for (size_t i = 0; i < count; ++i) {
    Record record = FromSignalfd(infos[i]);
    if (!Contains(refreshed, record.number)) {
      refreshed |= Bit(record.number);
      if (IsDue(record.number)) Dispositions::Get().Refresh(record.number);
    }
    Distribute(record, reader, later);
  }
  return count;
}

void Exchange::TakeStrays(const Subscriber* reader, Later& later) {
  while (const auto stray = strays.Take()) Distribute(*stray, reader, later);
}

void Exchange::Distribute(Record record, const Subscriber* reader, Later& later) {
  Stamp(record);
  const Dispositions& dispositions = Dispositions::Get();
  if (!dispositions.Installed(record.number)) return;
  if (dispositions.HasHandler(record.number)) {
    later.calls.emplace_back(dispositions.Previous(record.number), record);
  }
  record.ticket = Owe(record);
  bool floods = false;
  for (Subscriber* one : subscribers_) {
    if (!Contains(one->wishes_.watched, record.number)) continue;
    one->inbox_.push_back(record);
    if (one != reader) Ring(*one);
    if (one->inbox_.size() >= kFlood && IsRealTime(record.number) &&
        !Contains(one->flooded_, record.number)) {
      one->flooded_ |= Bit(record.number);
      floods = true;
    }
  }
  if (floods) SetReaders();
}

/// The ticket of the default action that is to follow; 0 where none is.
int32_t Exchange::Owe(const Record& record) {
  if (Contains(replaced_, record.number)) return 0;
  if (!Dispositions::Get().EndsOrStops(record.number)) return 0;
  last_ticket_ = last_ticket_ == INT32_MAX ? 1 : last_ticket_ + 1;
  Ticket ticket{last_ticket_, record.number, {}, Now() + kPatience};
  for (const Subscriber* one : subscribers_) {
    if (Contains(one->wishes_.watched, record.number)) ticket.untold.push_back(one);
  }
  tickets_.push_back(std::move(ticket));
  // The thread has to know how long it may sleep.
  if (running_) Add(thread_wake_.get());
  return last_ticket_;
}

void Exchange::Told(Subscriber& subscriber, int32_t ticket) {
  Later later;
  {
    const std::lock_guard held(lock_);
    Settle(later, &subscriber, ticket);
  }
  Do(later);
}

void Exchange::Settle(Later& later, const Subscriber* told, int32_t up_to) {
  for (auto& ticket : tickets_) {
    if (ticket.id <= up_to) std::erase(ticket.untold, told);
  }
  Overdue(later);
}

/// Takes what everyone was told of, or what has waited long enough; how long the next one may wait.
int Exchange::Overdue(Later& later) {
  const int64_t now = Now();
  int64_t next = -1;
  std::erase_if(tickets_, [&](const Ticket& ticket) {
    if (!ticket.untold.empty() && now < ticket.deadline) {
      const int64_t left = ticket.deadline - now;
      next = next < 0 ? left : std::min(next, left);
      return false;
    }
    // Somebody may handle it by now.
    if (!Contains(replaced_, ticket.number) && Dispositions::Get().EndsOrStops(ticket.number)) {
      later.defaults.emplace_back(ticket.number, Dispositions::Get().Previous(ticket.number));
    }
    return true;
  });
  return static_cast<int>(next);
}

/// Lets a subscriber know that something has come.
void Exchange::Ring(Subscriber& subscriber) {
  if (subscriber.rung_) return;
  subscriber.rung_ = true;
  Add(subscriber.bell_.get());
}

void Exchange::Do(Later& later) {
  for (const auto& [action, record] : later.calls) {
    Dispositions::Call(action, ToSiginfo(record));
  }
  if (later.join) {
    ::pthread_join(later.thread, nullptr);
    Get().CloseThread();
  }
  for (const auto& [number, action] : later.defaults) Dispositions::TakeDefault(number, action);
}

/// The thread's descriptors go after it, unless another one has begun.
void Exchange::CloseThread() {
  const std::lock_guard held(lock_);
  if (running_) return;
  thread_signals_ = UniqueFd();
  thread_wake_ = UniqueFd();
}

void Exchange::OnStray(const siginfo_t& info) {
  if (!strays.Put(FromSiginfo(info))) return;
  handlers_ringing.fetch_add(1);
  for (auto& one : bells) {
    const int bell = one.descriptor.load();
    if (bell <= 0) continue;
    const uint64_t count = 1;
    if (::write(bell - 1, &count, sizeof count) <= 0) continue;
    one.rung.store(true);
    break;
  }
  handlers_ringing.fetch_sub(1);
}

}  // namespace octoipc
