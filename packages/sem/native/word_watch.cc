#include "word_watch.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "futex.h"
#include "octoipc/platform.h"
#include "sem.h"
#include "thread.h"

namespace octoipc {
namespace {

/// futex_waitv(2), Linux 5.16; older headers do not have it.
constexpr long kFutexWaitv = 449;
constexpr uint32_t kSize32 = 2;
struct WaitvEntry {
  uint64_t value;
  uint64_t address;
  uint32_t flags;
  uint32_t reserved;
};

/// As many words as one call waits for, beside the control word.
constexpr size_t kMost = 127;

/// Whoever waits looks again so often: a wake may have gone to somebody who was killed before he
/// could use it, and then nobody else is woken.
constexpr int64_t kSlice = 20'000'000;
/// With more words than one call takes, and without the call, the others are looked at so often.
constexpr int64_t kManySlice = 2'000'000;
constexpr int64_t kPollSlice = 1'000'000;

timespec After(int64_t nanoseconds) {
  timespec at{};
  ::clock_gettime(CLOCK_MONOTONIC, &at);
  at.tv_nsec += static_cast<long>(nanoseconds);
  if (at.tv_nsec >= 1'000'000'000) {
    at.tv_nsec -= 1'000'000'000;
    ++at.tv_sec;
  }
  return at;
}

/// Containers may forbid the call, as EPERM.
bool IsMissing(int64_t result) { return result == -ENOSYS || result == -EPERM; }

std::atomic<bool> waitv_missing{false};

}  // namespace

RingWatch::RingWatch(std::shared_ptr<Bell> bell, std::unique_ptr<FutexRing> ring)
    : bell_(std::move(bell)), ring_(std::move(ring)) {
  bell_->Feed(
      [this](std::vector<int32_t>& who) { ring_->Reap([&](int32_t one) { who.push_back(one); }); });
}

int64_t RingWatch::Arm(std::shared_ptr<Mapping> memory, Word* word, uint32_t expected,
                       int32_t who) {
  return ring_->Add(word, expected, who, std::move(memory));
}

bool RingWatch::Disarm(int32_t who) {
  const FutexRing::Removed removed = ring_->Remove(who, false);
  // As if it had rung just before.
  if (removed == FutexRing::Removed::kWoken) bell_->Ring(who);
  return removed == FutexRing::Removed::kPending;
}

ThreadWatch::~ThreadWatch() {
  if (!started_) return;
  stop_.store(true);
  Wake();
  pthread_join(thread_, nullptr);
}

int64_t ThreadWatch::Start() {
  if (!kHasSharedFutexes) return -kNotOnThisSystem;
  const int64_t error = StartQuietThread(&thread_, Run, this);
  started_ = error == 0;
  return error;
}

void* ThreadWatch::Run(void* self) {
  static_cast<ThreadWatch*>(self)->Loop();
  return nullptr;
}

void ThreadWatch::Loop() {
  std::vector<Armed> armed;
  for (;;) {
    const uint32_t control = control_.load();
    if (stop_.load()) return;
    {
      const std::lock_guard lock(mutex_);
      armed = armed_;
    }
    if (armed.size() > kMost) {
      std::rotate(armed.begin(), armed.begin() + static_cast<long>(first_++ % armed.size()),
                  armed.end());
    }
    Settle(armed, Sleep(control, armed));
  }
}

/// Sleeps until a word may differ. The index of one that was woken, or -errno.
int64_t ThreadWatch::Sleep(uint32_t control, const std::vector<Armed>& armed) {
  const auto* word = reinterpret_cast<const Word*>(&control_);
  const size_t count = std::min(armed.size(), kMost);
  if (!waitv_missing.load(std::memory_order_relaxed)) {
    WaitvEntry entries[kMost + 1] = {};
    for (size_t i = 0; i < count; ++i) {
      entries[i] = {armed[i].expected, reinterpret_cast<uint64_t>(armed[i].word), kSize32, 0};
    }
    entries[count] = {control, reinterpret_cast<uint64_t>(word), kSize32 | FUTEX_PRIVATE_FLAG, 0};
    const timespec until = After(armed.size() > kMost ? kManySlice : kSlice);
    const int64_t result = ValueOrError([&] {
      return ::syscall(kFutexWaitv, entries, count + 1, 0, armed.empty() ? nullptr : &until,
                       CLOCK_MONOTONIC);
    });
    if (!IsMissing(result)) return result;
    waitv_missing.store(true);
  }
  const timespec slice = {armed.empty() ? 3600 : 0, armed.empty() ? 0 : kPollSlice};
  Futex(word, FUTEX_WAIT_PRIVATE, control, &slice);
  return -EAGAIN;
}

void ThreadWatch::Settle(const std::vector<Armed>& armed, int64_t woken) {
  // Those that the call has waited for are compared anew at its next begin.
  const size_t from = woken == -ETIMEDOUT ? std::min(armed.size(), kMost) : 0;
  for (size_t i = from; i < armed.size(); ++i) {
    const Armed& one = armed[i];
    // More than one may have been woken, of whom the call names one; a wake that is lost would
    // leave others asleep, so each is looked at.
    const int64_t probe = static_cast<int64_t>(i) == woken ? 0 : FutexProbe(one.word, one.expected);
    if (probe == -ETIMEDOUT) continue;
    if (Disarmed(one.id)) {
      bell_->Ring(one.who);
    } else if (probe == 0) {
      // It was disarmed meanwhile: the wake is passed on.
      FutexWake(one.word, 1);
    }
  }
}

/// Takes one from those that are armed; whether it was still there.
bool ThreadWatch::Disarmed(uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(armed_.begin(), armed_.end(), [&](const Armed& one) { return one.id == id; });
  if (found == armed_.end()) return false;
  armed_.erase(found);
  return true;
}

void ThreadWatch::Wake() {
  control_.fetch_add(1);
  Futex(reinterpret_cast<const Word*>(&control_), FUTEX_WAKE_PRIVATE, 1, nullptr);
}

int64_t ThreadWatch::Arm(std::shared_ptr<Mapping> memory, Word* word, uint32_t expected,
                         int32_t who) {
  {
    const std::lock_guard lock(mutex_);
    armed_.push_back({std::move(memory), word, expected, who, next_id_++});
  }
  Wake();
  return 0;
}

bool ThreadWatch::Disarm(int32_t who) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(armed_.begin(), armed_.end(),
                                    [&](const Armed& one) { return one.who == who; });
    if (found == armed_.end()) return false;
    armed_.erase(found);
  }
  Wake();
  return true;
}

namespace {

WordWatch* WatchAt(Environment& environment, int index) {
  return static_cast<WordWatch*>(environment.Kept(index));
}

int64_t WatchOpen(Environment& environment, int bell) {
  std::shared_ptr<Bell> rings = BellAt(environment, bell);
  if (rings == nullptr) return -EBADF;
  if (auto ring = FutexRing::Open(rings->fd(), true)) {
    return environment.Keep(std::make_unique<RingWatch>(std::move(rings), std::move(ring)));
  }
  auto watch = std::make_unique<ThreadWatch>(std::move(rings));
  const int64_t error = watch->Start();
  return error < 0 ? error : environment.Keep(std::move(watch));
}

int64_t WatchArm(Environment& environment, int index, int region, int64_t offset, int32_t expected,
                 int32_t who) {
  WordWatch* watch = WatchAt(environment, index);
  Word* word = WordAt(environment, region, offset);
  if (watch == nullptr || word == nullptr) return -EFAULT;
  return watch->Arm(RegionAt(environment, region)->memory, word, static_cast<uint32_t>(expected),
                    who);
}

/// 1 if it was still armed, 0 if it has rung.
int64_t WatchDisarm(Environment& environment, int index, int32_t who) {
  WordWatch* watch = WatchAt(environment, index);
  return watch == nullptr ? -EBADF : watch->Disarm(who);
}

}  // namespace

void ExportWatch(Exports& exports) {
  exports.Function<WatchOpen>("watchOpen")
      .Function<WatchArm>("watchArm")
      .Function<WatchDisarm>("watchDisarm");
}

}  // namespace octoipc
