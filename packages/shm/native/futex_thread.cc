#include "futex_thread.h"

#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "octoipc/platform.h"
#include "octoipc/retry.h"
#include "octoipc/waiting_thread.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

namespace octoipc {
namespace {

constexpr size_t kStack = 128 * 1024;

/// A thread that has nothing to wait for ends after so long.
constexpr timespec kLinger = {0, 100'000'000};

/// As linux/futex.h has it since 5.16; older headers lack it.
struct Waitv {
  uint64_t value;
  uint64_t address;
  uint32_t flags;
  uint32_t reserved;
};

constexpr uint32_t kSize32 = 2;

Waitv WaitvOf(const void* address, uint32_t value) {
  return {value, reinterpret_cast<uintptr_t>(address), kSize32, 0};
}

/// Whether the kernel lacks futex_waitv(2). Process-wide; found out by the first call.
std::atomic<bool> lacks_waitv{false};

/// Without the call each wait has a thread, which is awake for a moment between two slices of its
/// sleep, and at its begin. A wake that is to be passed on just then finds nobody: it is owed to
/// whoever sleeps on the word next.
std::mutex debts_lock;

/// To be used with the lock. Never destroyed: threads may be at it while the process ends.
std::unordered_map<const uint32_t*, int>& Debts() {
  static auto* const debts = new std::unordered_map<const uint32_t*, int>();
  return *debts;
}

void PassOn(const uint32_t* word) {
  if (FutexWake(word, 1) != 0 || !lacks_waitv.load()) return;
  const std::lock_guard lock(debts_lock);
  ++Debts()[word];
}

bool IsOwed(const uint32_t* word) {
  const std::lock_guard lock(debts_lock);
  auto& debts = Debts();
  const auto found = debts.find(word);
  if (found == debts.end()) return false;
  if (--found->second == 0) debts.erase(found);
  return true;
}

}  // namespace

int64_t FutexWait(const uint32_t* word, uint32_t expected, const timespec* time) {
  return ValueOrError(
      [&] { return ::syscall(SYS_futex, word, FUTEX_WAIT, expected, time, nullptr, 0); });
}

int64_t FutexWake(const uint32_t* word, uint32_t count) {
  return ValueOrError(
      [&] { return ::syscall(SYS_futex, word, FUTEX_WAKE, count, nullptr, nullptr, 0); });
}

FutexThread::~FutexThread() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    waits_.clear();
  }
  if (!started_) return;
  while (!ended_.load()) {
    Kick();
    const timespec pause = {0, 100'000};
    nanosleep(&pause, nullptr);
  }
  pthread_join(thread_, nullptr);
}

bool FutexThread::HasRoom() {
  const std::lock_guard lock(mutex_);
  return waits_.size() < (lacks_waitv.load() ? 1 : kMost);
}

int64_t FutexThread::Add(uint32_t* word, uint32_t expected, int32_t who) {
  std::unique_lock lock(mutex_);
  if (started_ && ended_.load()) {
    pthread_join(thread_, nullptr);
    started_ = false;
  }
  waits_.push_back({word, expected, who, next_id_++});
  if (!started_) {
    const int64_t error = Start();
    if (error < 0) waits_.pop_back();
    return error;
  }
  lock.unlock();
  Kick();
  return 0;
}

void FutexThread::Remove(int32_t who) {
  const auto is_it = [&](const Wait& wait) { return wait.who == who; };
  std::unique_lock lock(mutex_);
  const auto pending = std::find_if(waits_.begin(), waits_.end(), is_it);
  if (pending != waits_.end()) {
    waits_.erase(pending);
    lock.unlock();
    Kick();
    return;
  }
  const auto woken = std::find_if(woken_.begin(), woken_.end(), is_it);
  if (woken == woken_.end()) return;
  uint32_t* word = woken->word;
  woken_.erase(woken);
  HandOn(word);
  lock.unlock();
  Kick();
}

size_t FutexThread::Take(Integers who) {
  const std::lock_guard lock(mutex_);
  const size_t count = std::min(who.size(), woken_.size());
  for (size_t i = 0; i < count; ++i) who[i] = woken_[i].who;
  woken_.erase(woken_.begin(), woken_.begin() + static_cast<std::ptrdiff_t>(count));
  return count;
}

/// The thread looks at its waits again. Without futex_waitv it sleeps on somebody's word, from
/// which only a signal gets it; one that comes too early is made up for by the next.
void FutexThread::Kick() {
  control_.fetch_add(1);
  ::syscall(SYS_futex, &control_, FUTEX_WAKE, 1, nullptr, nullptr, 0);
  if (lacks_waitv.load() && signal_ > 0 && !ended_.load()) pthread_kill(thread_, signal_);
}

/// Signals are for the threads of the runtime: ours blocks all of them but the one that wakes it.
int64_t FutexThread::Start() {
  if (!kHasSharedFutexes) return -kNotOnThisSystem;
  signal_ = WakeSignal();
  sigset_t mask;
  sigset_t before;
  sigfillset(&mask);
  if (signal_ > 0) sigdelset(&mask, signal_);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStack);
  ended_.store(false);
  pthread_sigmask(SIG_SETMASK, &mask, &before);
  const int error = pthread_create(&thread_, &attributes, Run, this);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  started_ = error == 0;
  return -error;
}

void* FutexThread::Run(void* self) {
  static_cast<FutexThread*>(self)->Loop();
  return nullptr;
}

void FutexThread::Loop() {
  std::vector<Wait> waits;
  bool idle = false;
  for (;;) {
    uint32_t control;
    {
      const std::lock_guard lock(mutex_);
      control = control_.load();
      if (stop_ || (idle && waits_.empty())) {
        ended_.store(true);
        return;
      }
      waits = waits_;
    }
    const int64_t answer = Sleep(control, waits);
    idle = waits.empty() && answer == -ETIMEDOUT;
    // Was kicked on its way to sleep: what words have changed, the next call says.
    const bool kicked = answer == -EAGAIN && control_.load() != control;
    if (!waits.empty() && !kicked) Settle(waits, answer);
  }
}

int64_t FutexThread::Sleep(uint32_t control, const std::vector<Wait>& waits) {
  const auto* own = reinterpret_cast<uint32_t*>(&control_);
  if (waits.empty()) return FutexWait(own, control, &kLinger);
  if (lacks_waitv.load()) return SleepForOne(control, waits);
  Waitv all[kMost + 1];
  all[0] = WaitvOf(own, control);
  const size_t count = std::min(waits.size(), kMost);
  for (size_t i = 0; i < count; ++i) all[i + 1] = WaitvOf(waits[i].word, waits[i].expected);
  const int64_t answer = ValueOrError(
      [&] { return ::syscall(SYS_futex_waitv, all, count + 1, 0, nullptr, CLOCK_MONOTONIC); });
  // Containers may forbid the call, as EPERM.
  if (answer != -ENOSYS && answer != -EPERM) return answer;
  lacks_waitv.store(true);
  return SleepForOne(control, waits);
}

/// In slices, in case that the signal comes just before the call. More waits than one are here only
/// if they came before it was known that there can be one: then it is looked at all of them in
/// turn.
int64_t FutexThread::SleepForOne(uint32_t control, const std::vector<Wait>& waits) {
  const timespec slice = {0, waits.size() == 1 ? 10'000'000 : 1'000'000};
  while (control_.load() == control) {
    if (IsOwed(waits[0].word)) return 1;
    const int64_t answer = FutexWait(waits[0].word, waits[0].expected, &slice);
    if (answer == 0) return 1;
    if (answer != -ETIMEDOUT && answer != -EINTR) return -EAGAIN;
    if (waits.size() > 1) return -EAGAIN;
  }
  return 0;
}

/// `answer` is the number of the last one that was woken, 0 being the thread's own word, or -errno:
/// nobody was woken then, but some word has changed or is gone.
void FutexThread::Settle(const std::vector<Wait>& waits, int64_t answer) {
  if (answer == 0 || answer == -EINTR) return;
  const size_t last = answer > 0 ? static_cast<size_t>(answer) - 1 : waits.size();
  const timespec none = {0, 0};
  std::vector<const Wait*> woken;
  for (size_t i = 0; i < waits.size(); ++i) {
    const Wait& wait = waits[i];
    if (answer > 0 && i > last) break;
    if (answer < 0) {
      // The kernel compares.
      const int64_t same = FutexWait(wait.word, wait.expected, &none);
      if (same == -ETIMEDOUT || same == -EINTR) continue;
      if (same == 0) {
        // A wake came in this very moment. It is for who has waited longest.
        const auto first = std::find_if(waits.begin(), waits.end(), [&](const Wait& other) {
          return other.word == wait.word &&
                 std::find(woken.begin(), woken.end(), &other) == woken.end();
        });
        woken.push_back(&*first);
        continue;
      }
    }
    woken.push_back(&wait);
  }
  if (woken.empty()) return;
  const std::lock_guard lock(mutex_);
  for (const Wait* wait : woken) Tell(*wait);
  // Whoever waits for the word that was woken comes first from now on.
  const uint32_t* hot = woken.back()->word;
  std::stable_partition(waits_.begin(), waits_.end(),
                        [&](const Wait& wait) { return wait.word == hot; });
}

/// With the lock held.
void FutexThread::Tell(const Wait& wait) {
  const auto found = std::find_if(waits_.begin(), waits_.end(),
                                  [&](const Wait& pending) { return pending.id == wait.id; });
  if (found == waits_.end()) {
    // Removed meanwhile, or told already because a wake was handed on to it.
    HandOn(wait.word);
    return;
  }
  woken_.push_back(*found);
  waits_.erase(found);
  Ring();
}

/// With the lock held. To one of ours without the kernel, in which this thread may not be now.
void FutexThread::HandOn(uint32_t* word) {
  const auto next = std::find_if(waits_.begin(), waits_.end(),
                                 [&](const Wait& wait) { return wait.word == word; });
  if (next == waits_.end()) {
    PassOn(word);
    return;
  }
  woken_.push_back(*next);
  waits_.erase(next);
  Ring();
}

void FutexThread::Ring() {
  const uint64_t one = 1;
  Retry([&] { return ::write(bell_, &one, sizeof one); });
}

}  // namespace octoipc
