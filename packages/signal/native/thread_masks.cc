#include "thread_masks.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <set>
#include <vector>

#include "octoipc/retry.h"
#include "octoipc/unique_fd.h"

namespace octoipc {
namespace {

/// When a thread that is found blocking everything counts as one that always does. libc and libuv
/// block everything while they make threads and processes: such a thread runs, or waits for a
/// processor, for long on a busy machine, and each look counts little. One that sleeps so is a
/// library's.
constexpr int kDeafAfter = 4000;
constexpr int kAsleep = 100;
constexpr int kAwake = 1;
/// How many rounds there are at most: for a thread that does not run, since a debugger holds it, or
/// in the middle of a fork of a large process.
constexpr int kPatience = 20'000;
/// And of those in which each is visited once: for one that ends just before.
constexpr int kTourPatience = 2000;
constexpr timespec kPause = {0, 50'000};

/// What the visiting signal's handler reads. It is published before a visit.
std::atomic<SignalSet> wanted{0};
std::atomic<SignalSet> wanted_of_helpers{0};
std::atomic<SignalSet> unwanted{0};
/// How many visits there have been.
std::atomic<uint64_t> visits{0};
/// The threads of JavaScript's.
std::array<std::atomic<pid_t>, 1024> scripted{};

bool IsScripted(pid_t thread) {
  for (const auto& one : scripted) {
    if (one.load(std::memory_order_relaxed) == thread) return true;
  }
  return thread == ::getpid();
}

/// Runs in the thread that is visited. When it returns, the thread has the mask of its context,
/// whose first word is all that the kernel looks at.
void OnVisit(int, siginfo_t*, void* context) {
  const int error = errno;
  SignalSet mask = 0;
  // In this order: what one of JavaScript's threads holds, a helper goes on blocking.
  void* where = &static_cast<ucontext_t*>(context)->uc_sigmask;
  memcpy(&mask, where, kContextBytes);
  mask &= ~unwanted.load(std::memory_order_acquire);
  mask |= wanted.load(std::memory_order_acquire);
  if (!IsScripted(ThreadId())) mask |= wanted_of_helpers.load(std::memory_order_acquire);
  memcpy(where, &mask, kContextBytes);
  visits.fetch_add(1, std::memory_order_release);
  errno = error;
}

/// The threads of this process; none where /proc is missing.
std::vector<pid_t> Threads() {
  std::vector<pid_t> threads;
  DIR* directory = ::opendir("/proc/self/task");
  if (directory == nullptr) return threads;
  while (const dirent* entry = ::readdir(directory)) {
    const long thread = strtol(entry->d_name, nullptr, 10);
    if (thread > 0) threads.push_back(static_cast<pid_t>(thread));
  }
  ::closedir(directory);
  return threads;
}

struct ThreadState {
  SignalSet blocked;
  bool asleep;
};

/// What a thread blocks and does, by proc(5); nothing known where it has ended.
std::optional<ThreadState> StateOf(pid_t thread) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/status", thread);
  const UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  char text[4096];
  const int64_t length = Retry([&] { return ::read(file.get(), text, sizeof text - 1); });
  if (length <= 0) return std::nullopt;
  text[length] = '\0';
  const char* blocked = strstr(text, "\nSigBlk:");
  const char* state = strstr(text, "\nState:\t");
  if (blocked == nullptr || state == nullptr) return std::nullopt;
  return ThreadState{strtoull(blocked + strlen("\nSigBlk:"), nullptr, 16),
                     state[strlen("\nState:\t")] == 'S'};
}

bool IsFree(int number) {
  struct sigaction now{};
  return ::sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_DFL;
}

/// A signal to visit threads by: one whose default is to do nothing, and then others that nobody
/// uses. A standard one, since those are sent even where RLIMIT_SIGPENDING is reached.
int FindVisitor(SignalSet avoid) {
  constexpr int kStandard[] = {
      SIGURG,
#ifdef SIGSTKFLT
      SIGSTKFLT,
#endif
      SIGWINCH,
#ifdef SIGPWR
      SIGPWR,
#endif
  };
  for (const int number : kStandard) {
    if (!Contains(avoid, number) && IsFree(number)) return number;
  }
  for (int number = LastRealTime(); number >= FirstRealTime(); --number) {
    if (!Contains(avoid, number) && IsFree(number)) return number;
  }
  return 0;
}

}  // namespace

ThreadMasks& ThreadMasks::Get() {
  static auto* masks = new ThreadMasks();
  return *masks;
}

void ThreadMasks::Join(pid_t thread) {
  for (auto& one : scripted) {
    pid_t vacant = 0;
    if (one.compare_exchange_strong(vacant, thread)) break;
  }
  own_[thread] = CurrentMask() & ~watched_;
  Publish();
}

void ThreadMasks::Leave(pid_t thread) {
  const SignalSet before = helpers_;
  own_.erase(thread);
  for (auto& one : scripted) {
    pid_t expected = thread;
    if (one.compare_exchange_strong(expected, 0)) break;
  }
  Publish();
  Visit(0, before & ~helpers_ & ~watched_);
  EndVisits();
}

void ThreadMasks::Block(SignalSet signals) {
  const SignalSet added = signals & ~watched_;
  watched_ |= added;
  Publish();
  ChangeMask(SIG_BLOCK, added);
  Visit(added, 0);
}

void ThreadMasks::Unblock(SignalSet signals) {
  const SignalSet removed = signals & watched_;
  watched_ &= ~removed;
  Publish();
  Visit(0, removed);
  EndVisits();
  ChangeMask(SIG_UNBLOCK, removed & ~Held());
}

void ThreadMasks::Hold(SignalSet signals) {
  const SignalSet before = helpers_ | watched_;
  own_[ThreadId()] |= signals;
  Publish();
  ChangeMask(SIG_BLOCK, signals);
  Visit(signals & ~before, 0);
}

void ThreadMasks::Release(SignalSet signals) {
  const SignalSet before = helpers_;
  own_[ThreadId()] &= ~signals;
  Publish();
  Visit(0, before & ~helpers_ & ~watched_);
  EndVisits();
  ChangeMask(SIG_UNBLOCK, signals & ~watched_);
}

SignalSet ThreadMasks::Held() const {
  const auto own = own_.find(ThreadId());
  return own == own_.end() ? 0 : own->second;
}

SignalSet ThreadMasks::HeldByAny() const {
  SignalSet held = 0;
  for (const auto& [thread, own] : own_) {
    if (IsScripted(thread)) held |= own;
  }
  return held;
}

void ThreadMasks::Publish() {
  helpers_ = HeldByAny();
  wanted.store(watched_, std::memory_order_release);
  wanted_of_helpers.store(helpers_, std::memory_order_release);
}

bool ThreadMasks::PrepareVisits(SignalSet add) {
  const SignalSet avoid = watched_ | helpers_ | add;
  if (visitor_ != 0) {
    struct sigaction now{};
    ::sigaction(visitor_, nullptr, &now);
    const bool ours = now.sa_sigaction == OnVisit;
    if (ours && !Contains(avoid, visitor_)) return true;
    // Somebody else uses it now, or wants it.
    if (ours) ::sigaction(visitor_, &visitor_before_, nullptr);
  }
  visitor_ = FindVisitor(avoid);
  if (visitor_ == 0) return false;
  struct sigaction ours{};
  ours.sa_sigaction = OnVisit;
  ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigfillset(&ours.sa_mask);
  return ::sigaction(visitor_, &ours, &visitor_before_) == 0;
}

void ThreadMasks::EndVisits() {
  if (visitor_ == 0 || (watched_ | helpers_) != 0) return;
  struct sigaction now{};
  ::sigaction(visitor_, nullptr, &now);
  if (now.sa_sigaction == OnVisit) ::sigaction(visitor_, &visitor_before_, nullptr);
  visitor_ = 0;
}

void ThreadMasks::Visit(SignalSet add, SignalSet remove) {
  if ((add | remove) == 0 || !PrepareVisits(add)) return;
  // An emulator's real-time signals are others for the kernel, and no look at a thread tells which
  // it blocks: this one blocks all of those at hand now.
  const std::optional<ThreadState> state = StateOf(ThreadId());
  const SignalSet real_time = ~(Bit(FirstRealTime()) - 1);
  const bool differs = state && ((state->blocked ^ CurrentMask()) & real_time) != 0;
  const SignalSet hidden = differs ? (add | remove) & real_time : 0;
  // The handler cannot tell by whose will its thread blocks: what some do goes by itself.
  SignalSet disputed = 0;
  for (const auto& [thread, own] : own_) disputed |= own & remove;
  for (int number = 1; number <= kLastSignal; ++number) {
    if (!Contains(disputed, number)) continue;
    Rounds(0, Bit(number) & ~hidden);
    Tour(0, Bit(number) & hidden);
  }
  Rounds(add & ~hidden, remove & ~hidden & ~disputed);
  Tour(add & hidden, remove & hidden & ~disputed);
}

void ThreadMasks::Rounds(SignalSet add, SignalSet remove) {
  if ((add | remove) == 0) return;
  unwanted.store(remove, std::memory_order_release);
  // Twice clean in a row: a thread may have made another one just before it was visited, after the
  // list was read.
  int clean = 0;
  for (int round = 0; clean < 2 && round < kPatience; ++round) {
    clean = Round(add, remove, round == 0) ? clean + 1 : 0;
    if (clean == 0) ::nanosleep(&kPause, nullptr);
  }
  unwanted.store(0, std::memory_order_release);
}

void ThreadMasks::Tour(SignalSet add, SignalSet remove) {
  if ((add | remove) == 0) return;
  unwanted.store(remove, std::memory_order_release);
  std::set<pid_t> visited = {ThreadId()};
  for (const auto& [thread, own] : own_) {
    if ((own & remove) != 0) visited.insert(thread);
  }
  uint64_t expected = visits.load(std::memory_order_acquire);
  // Twice in a row: as above.
  int clean = 0;
  for (int round = 0; clean < 2 && round < kTourPatience; ++round) {
    bool is_over = true;
    for (const pid_t thread : Threads()) {
      if (visited.contains(thread) || IsDeaf(thread)) continue;
      is_over = false;
      const std::optional<ThreadState> state = StateOf(thread);
      if (!state) continue;
      if (Contains(state->blocked, visitor_) && !IsScripted(thread)) {
        FoundDeaf(thread, state->asleep);
      } else if (::syscall(SYS_tgkill, ::getpid(), thread, visitor_) == 0) {
        deaf_.erase(thread);
        visited.insert(thread);
        ++expected;
      }
    }
    if (visits.load(std::memory_order_acquire) < expected) is_over = false;
    clean = is_over ? clean + 1 : 0;
    if (clean == 0) ::nanosleep(&kPause, nullptr);
  }
  unwanted.store(0, std::memory_order_release);
}

bool ThreadMasks::Round(SignalSet add, SignalSet remove, bool first) {
  const pid_t self = ThreadId();
  const std::vector<pid_t> threads = Threads();
  // What has ended is forgotten with its number.
  const auto ended = [&](const auto& entry) {
    return std::find(threads.begin(), threads.end(), entry.first) == threads.end();
  };
  if (!threads.empty()) {
    std::erase_if(deaf_, ended);
    std::erase_if(own_, ended);
  }
  bool clean = true;
  for (const pid_t thread : threads) {
    if (thread != self && !Look(thread, add, remove, first)) clean = false;
  }
  return clean;
}

bool ThreadMasks::IsDeaf(pid_t thread) const {
  const auto deaf = deaf_.find(thread);
  return deaf != deaf_.end() && deaf->second >= kDeafAfter;
}

void ThreadMasks::FoundDeaf(pid_t thread, bool asleep) {
  deaf_[thread] += asleep ? kAsleep : kAwake;
}

bool ThreadMasks::Look(pid_t thread, SignalSet add, SignalSet remove, bool first) {
  if (IsDeaf(thread)) return true;
  const std::optional<ThreadState> state = StateOf(thread);
  if (!state) return true;
  const SignalSet mask = state->blocked;
  const bool is_scripted = IsScripted(thread);
  if (Contains(mask, visitor_)) {
    // Blocks everything: for good, as threads of libraries do, or for the moment.
    if (is_scripted) {
      ::syscall(SYS_tgkill, ::getpid(), thread, visitor_);
      return false;
    }
    FoundDeaf(thread, state->asleep);
    return IsDeaf(thread);
  }
  deaf_.erase(thread);
  const auto found = own_.find(thread);
  SignalSet own = found == own_.end() ? 0 : found->second;
  SignalSet missing = add & ~mask;
  if (is_scripted) {
    missing &= watched_;
  } else if (first && (add & mask) != 0) {
    own = own_[thread] |= add & mask;
  }
  const SignalSet surplus = mask & remove & ~own & ~(is_scripted ? 0 : helpers_);
  if ((missing | surplus) == 0) return true;
  ::syscall(SYS_tgkill, ::getpid(), thread, visitor_);
  return false;
}

}  // namespace octoipc
