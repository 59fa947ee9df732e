#include "keeper.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "futex.h"
#include "sem.h"

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

/// The kernel walks 2,048 nodes, and no more.
constexpr size_t kNodes = 2000;

constexpr size_t kStack = 128 * 1024;

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

/// sched_setattr(2), which libc does not have.
struct SchedulingAttributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime;
  uint64_t deadline;
  uint64_t period;
};

/// Whoever asks for short slices of the processor has his turn earlier, and gets no more of it
/// (Linux 6.12; before, this changes nothing): on a busy machine a lock's next owner waits for this
/// thread twice, to die in one process and to tell in the other.
void AskForShortSlices() {
  SchedulingAttributes own{};
  if (::syscall(SYS_sched_getattr, 0, &own, sizeof own, 0) != 0 || own.policy != SCHED_OTHER) return;
  own.size = sizeof own;
  own.runtime = 100'000;
  ::syscall(SYS_sched_setattr, 0, &own, 0);
}

/// For a word on a shared mapping there is no std::atomic_ref before GCC 10.
uint32_t Exchange(Word* word, uint32_t value) {
  return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}

}  // namespace

Keeper::~Keeper() {
  if (!started_) return;
  MarkUnlinked();
  stop_.store(true);
  Wake();
  pthread_join(thread_, nullptr);
}

int64_t Keeper::Start() {
  head_.list.next = &head_.list;
  head_.futex_offset = -Mapping::Distance();
  head_.list_op_pending = nullptr;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStack);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int error = pthread_create(&thread_, &attributes, Run, this);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (error != 0) return -error;
  started_ = true;
  const auto* word = reinterpret_cast<const Word*>(&tid_);
  while (tid_.load() == 0) FutexWait(word, 0, {1, 0});
  return tid_.load();
}

void* Keeper::Run(void* self) {
  auto* keeper = static_cast<Keeper*>(self);
  AskForShortSlices();
  // Instead of libc's list, which this thread has no use for.
  ::syscall(SYS_set_robust_list, &keeper->head_, sizeof keeper->head_);
  keeper->tid_.store(static_cast<uint32_t>(::syscall(SYS_gettid)));
  FutexWake(reinterpret_cast<const Word*>(&keeper->tid_), INT_MAX);
  keeper->Loop();
  // The kernel walks the list now.
  return nullptr;
}

void Keeper::Loop() {
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
int64_t Keeper::Sleep(uint32_t control, const std::vector<Armed>& armed) {
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

void Keeper::Settle(const std::vector<Armed>& armed, int64_t woken) {
  // Those that the call has waited for are compared anew at its next begin.
  const size_t from = woken == -ETIMEDOUT ? std::min(armed.size(), kMost) : 0;
  for (size_t i = from; i < armed.size(); ++i) {
    const Armed& one = armed[i];
    // More than one may have been woken, of whom the call names one; a wake that is lost would
    // leave others asleep, so each is looked at.
    const int64_t probe = static_cast<int64_t>(i) == woken ? 0 : FutexProbe(one.word, one.expected);
    if (probe == -ETIMEDOUT) continue;
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(armed_.begin(), armed_.end(),
                                    [&](const Armed& other) { return other.id == one.id; });
    if (found == armed_.end()) {
      // Disarmed meanwhile: the wake is passed on.
      if (probe == 0) FutexWake(one.word, 1);
      continue;
    }
    armed_.erase(found);
    bell_->Ring(one.who);
  }
}

void Keeper::Wake() {
  control_.fetch_add(1);
  Futex(reinterpret_cast<const Word*>(&control_), FUTEX_WAKE_PRIVATE, 1, nullptr);
}

void Keeper::Arm(std::shared_ptr<Mapping> memory, Word* word, uint32_t expected, int32_t who) {
  {
    const std::lock_guard lock(mutex_);
    armed_.push_back({std::move(memory), word, expected, who, next_id_++});
  }
  Wake();
}

bool Keeper::Disarm(int32_t who) {
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

robust_list* Keeper::NodeOf(Word* word) const {
  return reinterpret_cast<robust_list*>(reinterpret_cast<uint8_t*>(word) - head_.futex_offset);
}

int64_t Keeper::Link(const std::shared_ptr<Mapping>& memory, Word* word) {
  const auto known = linked_.find(word);
  if (known != linked_.end()) {
    ++known->second.uses;
    return 0;
  }
  if (linked_.size() >= kNodes) return -ENOLCK;
  linked_.emplace(word, Linked{memory, word, 1});
  if (!memory->tracked()) return 0;
  robust_list* node = NodeOf(word);
  node->next = head_.list.next;
  // The kernel reads the list at any moment: the node is complete before it is there.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  head_.list.next = node;
  return 0;
}

void Keeper::Unlink(Word* word) {
  const auto known = linked_.find(word);
  if (known == linked_.end() || --known->second.uses > 0) return;
  if (known->second.memory->tracked()) {
    robust_list* const node = NodeOf(word);
    robust_list* before = &head_.list;
    while (before->next != node && before->next != &head_.list) before = before->next;
    if (before->next == node) before->next = node->next;
  }
  linked_.erase(known);
}

/// What the kernel does for the others: private memory, which only threads of this process share,
/// has no nodes.
void Keeper::MarkUnlinked() {
  for (const auto& [word, linked] : linked_) {
    if (linked.memory->tracked()) continue;
    uint32_t seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);
    while ((seen & FUTEX_TID_MASK) == tid_.load()) {
      const uint32_t died = (seen & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
      if (!__atomic_compare_exchange_n(word, &seen, died, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST)) {
        continue;
      }
      FutexWake(word, 1);
      break;
    }
  }
}

void Keeper::Release(Word* word, bool linked, uint32_t value, int count) {
  if (linked) head_.list_op_pending = NodeOf(word);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  Exchange(word, value);
  FutexWake(word, count);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  head_.list_op_pending = nullptr;
}

namespace {

Keeper* KeeperAt(Environment& environment, int index) {
  return static_cast<Keeper*>(environment.Kept(index));
}

/// A keeper; `out` gets its id.
int64_t KeeperOpen(Environment& environment, int bell, Integers out) {
  std::shared_ptr<Bell> rings = BellAt(environment, bell);
  if (rings == nullptr || out.empty()) return -EBADF;
  auto keeper = std::make_unique<Keeper>(std::move(rings));
  const int64_t tid = keeper->Start();
  if (tid < 0) return tid;
  out[0] = static_cast<int32_t>(tid);
  return environment.Keep(std::move(keeper));
}

int64_t KeeperLink(Environment& environment, int index, int region, int64_t offset) {
  Keeper* keeper = KeeperAt(environment, index);
  Word* word = WordAt(environment, region, offset);
  if (keeper == nullptr || word == nullptr) return -EFAULT;
  return keeper->Link(RegionAt(environment, region)->memory, word);
}

int64_t KeeperUnlink(Environment& environment, int index, int region, int64_t offset) {
  Keeper* keeper = KeeperAt(environment, index);
  Word* word = WordAt(environment, region, offset);
  if (keeper == nullptr || word == nullptr) return -EFAULT;
  keeper->Unlink(word);
  return 0;
}

int64_t KeeperRelease(Environment& environment, int index, int region, int64_t offset,
                      int32_t value, int32_t count) {
  Keeper* keeper = KeeperAt(environment, index);
  Word* word = WordAt(environment, region, offset);
  if (keeper == nullptr || word == nullptr) return -EFAULT;
  const bool linked = RegionAt(environment, region)->memory->tracked();
  keeper->Release(word, linked, static_cast<uint32_t>(value), count);
  return 0;
}

int64_t KeeperArm(Environment& environment, int index, int region, int64_t offset, int32_t expected,
                  int32_t who) {
  Keeper* keeper = KeeperAt(environment, index);
  Word* word = WordAt(environment, region, offset);
  if (keeper == nullptr || word == nullptr) return -EFAULT;
  keeper->Arm(RegionAt(environment, region)->memory, word, static_cast<uint32_t>(expected), who);
  return 0;
}

/// 1 if it was still armed, 0 if it has rung.
int64_t KeeperDisarm(Environment& environment, int index, int32_t who) {
  Keeper* keeper = KeeperAt(environment, index);
  return keeper == nullptr ? -EBADF : keeper->Disarm(who);
}

}  // namespace

void ExportKeeper(Exports& exports) {
  exports.Function<KeeperOpen>("keeperOpen")
      .Function<KeeperLink>("keeperLink")
      .Function<KeeperUnlink>("keeperUnlink")
      .Function<KeeperRelease>("keeperRelease")
      .Function<KeeperArm>("keeperArm")
      .Function<KeeperDisarm>("keeperDisarm");
}

}  // namespace octoipc
