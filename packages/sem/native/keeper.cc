#include "keeper.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

#include "futex.h"
#include "octoipc/platform.h"
#include "octoipc/readiness.h"
#include "sem.h"
#include "thread.h"

namespace octoipc {
namespace {

/// The kernel walks 2,048 nodes, and no more.
constexpr size_t kNodes = 2000;

/// So often it is looked after a thread that sleeps: who was not woken is within twice the time.
constexpr timespec kSlice = {0, 10'000'000};

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
/// thread to die.
void AskForShortSlices() {
  SchedulingAttributes own{};
  if (::syscall(SYS_sched_getattr, 0, &own, sizeof own, 0) != 0 || own.policy != SCHED_OTHER)
    return;
  own.size = sizeof own;
  own.runtime = 100'000;
  ::syscall(SYS_sched_setattr, 0, &own, 0);
}

const Word* WordOf(const std::atomic<uint32_t>& of) { return reinterpret_cast<const Word*>(&of); }

}  // namespace

Keeper::~Keeper() {
  if (!started_) return;
  MarkUntracked();
  duty_.store(kEnd);
  FutexWake(WordOf(duty_), 1);
  pthread_join(thread_, nullptr);
}

int64_t Keeper::Start() {
  if (!kHasSharedFutexes) return -kNotOnThisSystem;
  head_.list.next = &head_.list;
  head_.futex_offset = -Mapping::Distance();
  head_.list_op_pending = nullptr;
  const int64_t error = StartQuietThread(&thread_, Run, this);
  if (error < 0) return error;
  started_ = true;
  while (tid_.load() == 0) FutexWait(WordOf(tid_), 0, {1, 0});
  return untold_ == 0 ? tid_.load() : -static_cast<int64_t>(untold_);
}

void* Keeper::Run(void* self) {
  auto* keeper = static_cast<Keeper*>(self);
  AskForShortSlices();
  // Instead of libc's list, which this thread has no use for.
  const long told = ::syscall(SYS_set_robust_list, &keeper->head_, sizeof keeper->head_);
  keeper->untold_ = told == 0 ? 0 : errno;
  keeper->tid_.store(static_cast<uint32_t>(::syscall(SYS_gettid)));
  FutexWake(WordOf(keeper->tid_), INT_MAX);
  keeper->Loop();
  // The kernel walks the list now.
  return nullptr;
}

void Keeper::Loop() {
  for (;;) {
    const uint32_t duty = duty_.load();
    if (duty == kEnd) return;
    const timespec* time = duty == kRest ? nullptr : &kSlice;
    if (Futex(WordOf(duty_), FUTEX_WAIT, duty, time) == -ETIMEDOUT) Look();
  }
}

/// A word that has changed under somebody who has slept since the last look: he was not woken. All
/// who sleep on it look.
void Keeper::Look() {
  const uint32_t now = sleeps_.load();
  const bool same = now == std::exchange(seen_, now);
  if (!same) return;
  if ((now & 1) == 0) {
    uint32_t duty = kLook;
    duty_.compare_exchange_strong(duty, kRest);
    // Who begins to sleep counts first, and then looks at the duty.
    duty = kRest;
    if (sleeps_.load() != now) duty_.compare_exchange_strong(duty, kLook);
    return;
  }
  // It may be awake by now, and the memory gone, which is nothing to the kernel.
  const Word* const word = word_.load();
  const int64_t probe = FutexProbe(word, expected_.load());
  if (probe != -ETIMEDOUT && probe != -EFAULT) FutexWake(word, INT_MAX);
}

int64_t Keeper::Sleep(Word* word, uint32_t expected) {
  word_.store(word, std::memory_order_relaxed);
  expected_.store(expected, std::memory_order_relaxed);
  sleeps_.fetch_add(1);
  uint32_t duty = kRest;
  if (duty_.load() == kRest && duty_.compare_exchange_strong(duty, kLook)) {
    FutexWake(WordOf(duty_), 1);
  }
  const int64_t result = Futex(word, FUTEX_WAIT, expected, nullptr);
  sleeps_.fetch_add(1);
  return result;
}

robust_list* Keeper::NodeOf(Word* word) const {
  return reinterpret_cast<robust_list*>(reinterpret_cast<uint8_t*>(word) - head_.futex_offset);
}

int64_t Keeper::Add(const std::shared_ptr<Mapping>& memory, Word* word, robust_list** node) {
  *node = memory->tracked() ? NodeOf(word) : nullptr;
  const auto known = known_.find(word);
  if (known != known_.end()) {
    ++known->second.uses;
    return 0;
  }
  if (known_.size() >= kNodes) return -ENOLCK;
  known_.emplace(word, Known{memory, 1});
  return 0;
}

void Keeper::Remove(Word* word) {
  const auto known = known_.find(word);
  if (known == known_.end() || --known->second.uses > 0) return;
  if (known->second.memory->tracked()) Unlist(word);
  known_.erase(known);
}

void Keeper::ListAnnounced() {
  robust_list* const node = head_.list_op_pending;
  if (node == nullptr) return;
  node->next = head_.list.next;
  // The kernel reads the list at any moment, on another processor: the node is complete before it
  // is there, and it is there before it is not announced any more.
  __atomic_store_n(&head_.list.next, node, __ATOMIC_RELEASE);
  __atomic_store_n(&head_.list_op_pending, nullptr, __ATOMIC_RELEASE);
}

void Keeper::Unlist(Word* word) { Unlist(NodeOf(word)); }

void Keeper::Unlist(robust_list* node) {
  robust_list* before = &head_.list;
  while (before->next != node && before->next != &head_.list) before = before->next;
  if (before->next == node) __atomic_store_n(&before->next, node->next, __ATOMIC_RELEASE);
}

/// What the kernel does for the others: private memory, which only threads of this process share,
/// has no nodes.
void Keeper::MarkUntracked() {
  for (const auto& [word, known] : known_) {
    if (known.memory->tracked()) continue;
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

bool Keeper::Release(Word* word, bool tracked, uint32_t value, int count) {
  robust_list* const node = tracked ? NodeOf(word) : nullptr;
  if (tracked && head_.list_op_pending != node) {
    ListAnnounced();
    __atomic_store_n(&head_.list_op_pending, node, __ATOMIC_SEQ_CST);
    // The kernel passes over what is announced as well.
    Unlist(node);
  }
  bool own = false;
  uint32_t seen = __atomic_load_n(word, __ATOMIC_SEQ_CST);
  while (!own && (seen & FUTEX_TID_MASK) == tid_.load(std::memory_order_relaxed)) {
    own =
        __atomic_compare_exchange_n(word, &seen, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  }
  if (own) FutexWake(word, count);
  if (tracked) __atomic_store_n(&head_.list_op_pending, nullptr, __ATOMIC_RELEASE);
  return own;
}

namespace {

Keeper* KeeperAt(Environment& environment, int index) {
  return static_cast<Keeper*>(environment.Kept(index));
}

/// A keeper; `out` gets its id, and `holder.buffer` the bytes of the pointer that announces a word.
int64_t KeeperOpen(Environment& environment, Integers out, Napi::Object holder) {
  static_assert(sizeof(robust_list*) == sizeof(uint64_t), "JavaScript stores pointers of 64 bits");
  if (out.empty()) return -EFAULT;
  auto keeper = std::make_unique<Keeper>();
  const int64_t tid = keeper->Start();
  if (tid < 0) return tid;
  out[0] = static_cast<int32_t>(tid);
  napi_value buffer = nullptr;
  const auto nothing = [](napi_env, void*, void*) {};
  if (napi_create_external_arraybuffer(environment.env(), keeper->announced(),
                                       sizeof *keeper->announced(), nothing, nullptr,
                                       &buffer) != napi_ok) {
    return -EOPNOTSUPP;
  }
  napi_set_named_property(environment.env(), holder, "buffer", buffer);
  return environment.Keep(std::move(keeper));
}

/// `out` gets a pointer: what announces the word.
int64_t KeeperAdd(Environment& environment, int index, int region, int64_t offset, Bytes out) {
  Keeper* keeper = KeeperAt(environment, index);
  Word* word = WordAt(environment, region, offset);
  if (keeper == nullptr || word == nullptr || out.size() < sizeof(robust_list*)) return -EFAULT;
  robust_list* node = nullptr;
  const int64_t result = keeper->Add(RegionAt(environment, region)->memory, word, &node);
  memcpy(out.data(), &node, sizeof node);
  return result;
}

int64_t KeeperRemove(Environment& environment, int index, int region, int64_t offset) {
  Keeper* keeper = KeeperAt(environment, index);
  Word* word = WordAt(environment, region, offset);
  if (keeper == nullptr || word == nullptr) return -EFAULT;
  keeper->Remove(word);
  return 0;
}

int64_t KeeperList(Environment& environment, int index) {
  Keeper* keeper = KeeperAt(environment, index);
  if (keeper == nullptr) return -EFAULT;
  keeper->ListAnnounced();
  return 0;
}

int64_t KeeperUnlist(Environment& environment, int index, int region, int64_t offset) {
  Keeper* keeper = KeeperAt(environment, index);
  Word* word = WordAt(environment, region, offset);
  if (keeper == nullptr || word == nullptr) return -EFAULT;
  keeper->Unlist(word);
  return 0;
}

/// 1 if the word was this thread's.
int64_t KeeperRelease(Environment& environment, int index, int region, int64_t offset,
                      int32_t value, int32_t count) {
  Keeper* keeper = KeeperAt(environment, index);
  Word* word = WordAt(environment, region, offset);
  if (keeper == nullptr || word == nullptr) return -EFAULT;
  const bool tracked = RegionAt(environment, region)->memory->tracked();
  return keeper->Release(word, tracked, static_cast<uint32_t>(value), count) ? 1 : 0;
}

int64_t KeeperSleep(Environment& environment, int index, int region, int64_t offset,
                    int32_t expected) {
  Keeper* keeper = KeeperAt(environment, index);
  Word* word = WordAt(environment, region, offset);
  if (keeper == nullptr || word == nullptr) return -EFAULT;
  return keeper->Sleep(word, static_cast<uint32_t>(expected));
}

}  // namespace

void ExportKeeper(Exports& exports) {
  exports.Function<KeeperOpen>("keeperOpen")
      .Function<KeeperAdd>("keeperAdd")
      .Function<KeeperRemove>("keeperRemove")
      .Function<KeeperList>("keeperList")
      .Function<KeeperUnlist>("keeperUnlist")
      .Function<KeeperRelease>("keeperRelease")
      .Function<KeeperSleep>("keeperSleep");
}

}  // namespace octoipc
