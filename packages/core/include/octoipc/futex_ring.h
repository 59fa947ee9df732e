// Waits for words without a thread: futex(2) by io_uring(7), where the kernel has that and allows
// it.
#pragma once

#include <errno.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "octoipc/retry.h"
#include "octoipc/unique_fd.h"

namespace octoipc {

/// linux/io_uring.h as it is since Linux 6.7; older headers lack some of it.
namespace uring {
constexpr long kSetup = 425;
constexpr long kEnter = 426;
constexpr long kRegister = 427;
constexpr uint32_t kCqSize = 1U << 3;
/// A thread that runs is not interrupted; one that sleeps in the kernel is, as if by a signal.
constexpr uint32_t kCoopTaskrun = 1U << 8;
constexpr uint32_t kSingleIssuer = 1U << 12;
/// Of the submission queue's flags: completions wait for the queue to have room again.
constexpr uint32_t kOverflow = 1U << 1;
constexpr unsigned kRegisterEventfd = 4;
constexpr unsigned kRegisterProbe = 8;
constexpr unsigned kGetEvents = 1;
constexpr int64_t kSqesAt = 0x10000000;
constexpr uint8_t kTimeout = 11;
constexpr uint8_t kAsyncCancel = 14;
constexpr uint8_t kFutexWait = 51;
constexpr int32_t kSize32 = 2;

struct SqOffsets {
  uint32_t head, tail, ring_mask, ring_entries, flags, dropped, array, spare;
  uint64_t user_address;
};
struct CqOffsets {
  uint32_t head, tail, ring_mask, ring_entries, overflow, cqes, flags, spare;
  uint64_t user_address;
};
struct Params {
  uint32_t sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features, wq_fd, spare[3];
  SqOffsets sq;
  CqOffsets cq;
};
struct Sqe {
  uint8_t opcode, flags;
  uint16_t priority;
  int32_t fd;
  uint64_t address2, address;
  uint32_t length, operation_flags;
  uint64_t user_data;
  uint32_t spare[2];
  uint64_t address3, spare3;
};
struct Cqe {
  uint64_t user_data;
  int32_t result;
  uint32_t flags;
};
struct Probe {
  uint8_t last, count;
  uint16_t spare;
  uint32_t spares[3];
  struct {
    uint8_t operation, spare;
    uint16_t flags;
    uint32_t spares;
  } operations[64];
};
static_assert(sizeof(Params) == 120 && sizeof(Sqe) == 64 && sizeof(Cqe) == 16);
}  // namespace uring

/// Any number of words that one thread waits for; a descriptor becomes readable when one was woken.
///
/// Lifetime:
/// 1. Used by the thread that opened it, and no other.
/// 2. A wait ends by itself, once, and is then among what `Reap` gives, or by `Remove`.
/// 3. No memory is read but by the kernel, and by it only while a wait begins. What is waited for
/// is
///    kept until then, and looked at every 20 ms if that was asked for.
/// 4. The destructor ends all waits; nobody is told.
class FutexRing {
 public:
  /// What became of a wait that was removed.
  enum class Removed { kUnknown, kPending, kWoken };

  /// nullptr where the kernel has no such ring (before Linux 6.7), or forbids it (as many
  /// containers do). `looks`: a word that changed with nobody woken is told of as well, within 20
  /// ms.
  static std::unique_ptr<FutexRing> Open(int bell, bool looks) {
    const char* wanted = ::getenv("OCTOIPC_FUTEX");
    if (wanted != nullptr && ::strcmp(wanted, "thread") == 0) return nullptr;
    std::unique_ptr<FutexRing> ring(new FutexRing(looks));
    return ring->Start(bell) ? std::move(ring) : nullptr;
  }

  FutexRing(const FutexRing&) = delete;
  FutexRing& operator=(const FutexRing&) = delete;
  ~FutexRing() {
    if (queues_ != nullptr) ::munmap(queues_, queues_length_);
    if (sqes_ != nullptr) ::munmap(sqes_, sqes_length_);
  }

  /// 0, or -errno. `keep` is what the word is in.
  int64_t Add(const uint32_t* word, uint32_t expected, int32_t who, std::shared_ptr<void> keep) {
    const uint64_t id = IdOf(who);
    uring::Sqe& wait = Next(uring::kFutexWait, id);
    wait.fd = uring::kSize32;
    wait.address = reinterpret_cast<uintptr_t>(word);
    wait.address2 = expected;
    wait.address3 = FUTEX_BITSET_MATCH_ANY;
    if (looks_ && !looking_) Look();
    const int64_t error = Submit(0);
    if (error < 0) return error;
    waits_.insert_or_assign(who, Wait{id, word, expected, std::move(keep)});
    return 0;
  }

  /// What became of a wait, of which nobody will be told from now on. `pass_on`: a wake that had
  /// come to it goes to the next who waits for the word.
  Removed Remove(int32_t who, bool pass_on) {
    const auto wait = waits_.find(who);
    if (wait != waits_.end() && Cancel(wait->second.id, who)) return Removed::kPending;
    const auto found = FindWoken(who);
    if (found == woken_.end()) return Removed::kUnknown;
    if (pass_on && found->was_woken) Wake(found->word);
    woken_.erase(found);
    return Removed::kWoken;
  }

  /// Calls `tell(who)` for each wait that was woken since the last time, or has a word of another
  /// value.
  template <typename Tell>
  void Reap(Tell tell) {
    Collect();
    // A wait of the same `who` may begin when it was told.
    for (const Woken& one : std::exchange(woken_, {})) tell(one.who);
  }

 private:
  static constexpr uint32_t kEntries = 8;
  static constexpr uint32_t kCompletions = 256;
  static constexpr uint64_t kNobody = ~uint64_t{0};
  static constexpr uint64_t kLook = ~uint64_t{1};

  struct Wait {
    uint64_t id;
    const uint32_t* word;
    uint32_t expected;
    std::shared_ptr<void> keep;
  };

  struct Woken {
    int32_t who;
    const uint32_t* word;
    /// It took a wake, which is lost if nobody uses it.
    bool was_woken;
  };

  explicit FutexRing(bool looks) : looks_(looks) {}

  bool Start(int bell) {
    uring::Params params{};
    params.flags = uring::kCqSize | uring::kSingleIssuer | uring::kCoopTaskrun;
    params.cq_entries = kCompletions;
    fd_ = UniqueFd(static_cast<int>(::syscall(uring::kSetup, kEntries, &params)));
    if (!fd_ || !HasFutex() || !Map(params)) return false;
    return ::syscall(uring::kRegister, fd_.get(), uring::kRegisterEventfd, &bell, 1) == 0;
  }

  bool HasFutex() const {
    uring::Probe probe{};
    const long asked = ::syscall(uring::kRegister, fd_.get(), uring::kRegisterProbe, &probe, 64);
    return asked == 0 && probe.last >= uring::kFutexWait &&
           (probe.operations[uring::kFutexWait].flags & 1) != 0;
  }

  bool Map(const uring::Params& params) {
    const size_t submissions = params.sq.array + params.sq_entries * sizeof(uint32_t);
    const size_t completions = params.cq.cqes + params.cq_entries * sizeof(uring::Cqe);
    queues_length_ = std::max(submissions, completions);
    sqes_length_ = params.sq_entries * sizeof(uring::Sqe);
    const auto map = [this](size_t length, int64_t at) -> void* {
      void* mapped =
          ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_.get(), at);
      return mapped == MAP_FAILED ? nullptr : mapped;
    };
    queues_ = static_cast<uint8_t*>(map(queues_length_, 0));
    sqes_ = static_cast<uring::Sqe*>(map(sqes_length_, uring::kSqesAt));
    if (queues_ == nullptr || sqes_ == nullptr) return false;
    const auto word = [this](uint32_t at) { return reinterpret_cast<uint32_t*>(queues_ + at); };
    sq_tail_ = word(params.sq.tail);
    sq_mask_ = *word(params.sq.ring_mask);
    sq_flags_ = word(params.sq.flags);
    cq_head_ = word(params.cq.head);
    cq_tail_ = word(params.cq.tail);
    cq_mask_ = *word(params.cq.ring_mask);
    cqes_ = reinterpret_cast<uring::Cqe*>(queues_ + params.cq.cqes);
    for (uint32_t i = 0; i < params.sq_entries; ++i) word(params.sq.array)[i] = i;
    return true;
  }

  uint64_t IdOf(int32_t who) { return next_id_++ << 32 | static_cast<uint32_t>(who); }

  /// An entry that the next Submit submits.
  uring::Sqe& Next(uint8_t opcode, uint64_t id) {
    uring::Sqe& entry = sqes_[(*sq_tail_ + prepared_++) & sq_mask_];
    entry = {};
    entry.opcode = opcode;
    entry.user_data = id;
    return entry;
  }

  int64_t Submit(unsigned flags) {
    const uint32_t before = *sq_tail_;
    const uint32_t count = std::exchange(prepared_, 0);
    __atomic_store_n(sq_tail_, before + count, __ATOMIC_RELEASE);
    const int64_t submitted =
        Retry([&] { return ::syscall(uring::kEnter, fd_.get(), count, 0, flags, nullptr, 0); });
    if (submitted == count) return 0;
    // What was not taken is not to be taken later.
    const int64_t taken = std::max<int64_t>(submitted, 0);
    __atomic_store_n(sq_tail_, before + static_cast<uint32_t>(taken), __ATOMIC_RELEASE);
    looking_ = false;
    if (taken > 0) return 0;
    return submitted < 0 ? submitted : -EAGAIN;
  }

  void Look() {
    looking_ = true;
    uring::Sqe& timer = Next(uring::kTimeout, kLook);
    timer.address = reinterpret_cast<uintptr_t>(&kSlice);
    timer.length = 1;
  }

  /// Takes what is complete; also what had no room.
  void Collect() {
    Take();
    while ((__atomic_load_n(sq_flags_, __ATOMIC_ACQUIRE) & uring::kOverflow) != 0) {
      Submit(uring::kGetEvents);
      Take();
    }
    if (std::exchange(late_, false)) LookAtAll();
  }

  void Take() {
    uint32_t head = *cq_head_;
    for (; head != __atomic_load_n(cq_tail_, __ATOMIC_ACQUIRE); ++head) {
      const uring::Cqe& one = cqes_[head & cq_mask_];
      if (one.user_data == kLook) {
        looking_ = false;
        late_ = true;
      } else if (one.user_data != kNobody) {
        Ended(one.user_data, one.result);
      }
    }
    __atomic_store_n(cq_head_, head, __ATOMIC_RELEASE);
  }

  void Ended(uint64_t id, int32_t result) {
    const auto who = static_cast<int32_t>(static_cast<uint32_t>(id));
    const auto wait = waits_.find(who);
    if (wait == waits_.end() || wait->second.id != id) return;
    if (result != -ECANCELED) woken_.push_back({who, wait->second.word, result == 0});
    waits_.erase(wait);
  }

  /// Whether the wait had not ended; then it has now.
  bool Cancel(uint64_t id, int32_t who) {
    bool asked = false;
    for (;;) {
      // What the kernel has not taken, for want of memory, is asked for again.
      if (!asked) Next(uring::kAsyncCancel, kNobody).address = id;
      if (Submit(uring::kGetEvents) == 0) asked = true;
      Take();
      const auto wait = waits_.find(who);
      if (wait == waits_.end() || wait->second.id != id) return FindWoken(who) == woken_.end();
    }
  }

  std::vector<Woken>::iterator FindWoken(int32_t who) {
    return std::find_if(woken_.begin(), woken_.end(),
                        [who](const Woken& one) { return one.who == who; });
  }

  static void Wake(const uint32_t* word) {
    ::syscall(SYS_futex, word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
  }

  /// Compares every word anew; the kernel does.
  void LookAtAll() {
    std::vector<std::pair<int32_t, Wait>> all(waits_.begin(), waits_.end());
    for (const auto& [who, wait] : all) {
      const timespec none = {0, 0};
      const int64_t same = ValueOrError([&] {
        return ::syscall(SYS_futex, wait.word, FUTEX_WAIT, wait.expected, &none, nullptr, 0);
      });
      if (same == -ETIMEDOUT || same == -EINTR || waits_.find(who) == waits_.end()) continue;
      if (Cancel(wait.id, who)) {
        woken_.push_back({who, wait.word, same == 0});
      } else if (same == 0) {
        // Each of both has taken a wake.
        Wake(wait.word);
      }
    }
    if (waits_.empty() || looking_) return;
    Look();
    Submit(0);
  }

  /// struct __kernel_timespec.
  static constexpr int64_t kSlice[2] = {0, 20'000'000};

  const bool looks_;
  UniqueFd fd_;
  uint8_t* queues_ = nullptr;
  size_t queues_length_ = 0;
  uring::Sqe* sqes_ = nullptr;
  size_t sqes_length_ = 0;
  uint32_t* sq_tail_ = nullptr;
  uint32_t sq_mask_ = 0;
  uint32_t* sq_flags_ = nullptr;
  uint32_t* cq_head_ = nullptr;
  uint32_t* cq_tail_ = nullptr;
  uint32_t cq_mask_ = 0;
  uring::Cqe* cqes_ = nullptr;
  uint32_t prepared_ = 0;
  uint64_t next_id_ = 1;
  /// A timeout of 20 ms is under way; it has come, and nobody has looked yet.
  bool looking_ = false;
  bool late_ = false;
  std::unordered_map<int32_t, Wait> waits_;
  std::vector<Woken> woken_;
};

}  // namespace octoipc
