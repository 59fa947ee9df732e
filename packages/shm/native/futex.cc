// Waiting on 32-bit words of shared memory, in all flavours: futex(2).
#include <sys/eventfd.h>
#include <time.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "futex_thread.h"
#include "octoipc/futex_ring.h"
#include "octoipc/retry.h"
#include "shm.h"

namespace octoipc {
namespace {

/// What waits for words in one environment: io_uring(7), or threads, one for each 127 waits.
///
/// Lifetime: until the environment ends. The descriptor of its bell is JavaScript's; a thread that
/// rings it was joined before it is closed.
struct FutexWaiter : Resource {
  explicit FutexWaiter(int fd) : bell(fd), ring(FutexRing::Open(fd, false)) {}
  const int bell;
  /// nullptr where the kernel has none.
  const std::unique_ptr<FutexRing> ring;
  /// Of the ring's, those whom JavaScript had no room for.
  std::vector<int32_t> woken;
  std::vector<std::unique_ptr<FutexThread>> threads;
};

FutexWaiter* At(Environment& environment, int index) {
  return static_cast<FutexWaiter*>(environment.Kept(index));
}

/// `out` gets the descriptor that becomes readable when somebody was woken.
int64_t FutexOpen(Environment& environment, Integers out) {
  if (out.empty()) return -EFAULT;
  const int64_t fd = ValueOrError([] { return ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); });
  if (fd < 0) return fd;
  out[0] = static_cast<int32_t>(fd);
  environment.Own(out[0]);
  return environment.Keep(std::make_unique<FutexWaiter>(out[0]));
}

uint32_t* WordOf(Integers words, int64_t index) {
  const bool fits = index >= 0 && static_cast<size_t>(index) < words.size();
  return fits ? reinterpret_cast<uint32_t*>(words.data() + index) : nullptr;
}

/// Begins to wait; the number of the thread that does.
int64_t FutexAdd(Environment& environment, int index, Integers words, int64_t at, int32_t expected,
                 int32_t who) {
  FutexWaiter* waiter = At(environment, index);
  uint32_t* word = WordOf(words, at);
  if (waiter == nullptr) return -EBADF;
  if (word == nullptr) return -EFAULT;
  if (waiter->ring != nullptr) {
    return waiter->ring->Add(word, static_cast<uint32_t>(expected), who, nullptr);
  }
  size_t number = 0;
  while (number < waiter->threads.size() && !waiter->threads[number]->HasRoom()) ++number;
  if (number == waiter->threads.size()) {
    waiter->threads.push_back(std::make_unique<FutexThread>(waiter->bell));
  }
  const int64_t added = waiter->threads[number]->Add(word, static_cast<uint32_t>(expected), who);
  return added < 0 ? added : static_cast<int64_t>(number);
}

/// Ends a wait that nobody was told of.
int64_t FutexRemove(Environment& environment, int index, int thread, int32_t who) {
  FutexWaiter* waiter = At(environment, index);
  if (waiter == nullptr) return -EBADF;
  if (waiter->ring != nullptr) {
    waiter->ring->Remove(who, true);
    return 0;
  }
  if (static_cast<size_t>(thread) >= waiter->threads.size()) return -EBADF;
  waiter->threads[static_cast<size_t>(thread)]->Remove(who);
  return 0;
}

/// Who was woken, up to the size of `who`; how many.
int64_t FutexTake(Environment& environment, int index, Integers who) {
  FutexWaiter* waiter = At(environment, index);
  if (waiter == nullptr) return -EBADF;
  // The bell is not read: readiness tells of each ring as an edge, and a read would be one more.
  size_t count = 0;
  if (waiter->ring != nullptr) {
    waiter->ring->Reap([&](int32_t one) { waiter->woken.push_back(one); });
    count = std::min(who.size(), waiter->woken.size());
    const auto end = waiter->woken.begin() + static_cast<std::ptrdiff_t>(count);
    std::copy(waiter->woken.begin(), end, who.begin());
    waiter->woken.erase(waiter->woken.begin(), end);
  }
  for (const auto& thread : waiter->threads) count += thread->Take(who.subspan(count));
  return static_cast<int64_t>(count);
}

/// Sleeps on the calling thread, for so many milliseconds at most; negative: until woken.
int64_t FutexSleep(Integers words, int64_t at, int32_t expected, int64_t milliseconds) {
  const uint32_t* word = WordOf(words, at);
  if (word == nullptr) return -EFAULT;
  // For as long as it takes, which spares the kernel a timer.
  if (milliseconds < 0) return FutexWait(word, static_cast<uint32_t>(expected), nullptr);
  const timespec time = {milliseconds / 1000, milliseconds % 1000 * 1'000'000};
  return FutexWait(word, static_cast<uint32_t>(expected), &time);
}

int64_t FutexNotify(Integers words, int64_t at, uint32_t count) {
  const uint32_t* word = WordOf(words, at);
  return word == nullptr ? -EFAULT : FutexWake(word, count);
}

}  // namespace

void ExportFutex(Exports& exports) {
  exports.Function<FutexOpen>("futexOpen")
      .Function<FutexAdd>("futexAdd")
      .Function<FutexRemove>("futexRemove")
      .Function<FutexTake>("futexTake")
      .Function<FutexSleep>("futexSleep")
      .Function<FutexNotify>("futexNotify");
}

}  // namespace octoipc
