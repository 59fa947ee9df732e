// SIGBUS and SIGSEGV within our mappings: the access completes, and the mapping remembers.
//
// Process-wide: one handler for each of the two signals, which stays. It answers for addresses of
// our own mappings alone; every other fault goes to whoever handled it before: V8's handler of
// WebAssembly traps, a sanitizer, a crash reporter, or the default action. It allocates nothing,
// takes no lock and makes system calls only (mmap, mremap, fstat), which signal-safety(7) does not
// list all of, but which do nothing in user space.
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>

#include "region.h"

namespace octoipc {
namespace {

/// So often may one page fault in a row before it is no longer believed that mending it helps.
constexpr uint32_t kMostRepeats = 1000;

/// So many pages of one mapping are mended one by one. Each can be a mapping more, and a process
/// has 65,530 (vm.max_map_count).
constexpr uint32_t kMostMends = 1000;

/// So often is the handler put on top of one that came later.
constexpr size_t kMostPrevious = 8;

/// Who handled a signal before us; the latest last. `count` grows only after its entry is written.
struct Chain {
  struct sigaction previous[kMostPrevious];
  std::atomic<size_t> count{0};
};

Chain bus_chain;
Chain segv_chain;

/// In the static block with glibc, which allocates any other at its first use: a handler must not.
/// musl allocates it with the thread, and loads no library that asks for the static block.
#ifdef __GLIBC__
#define OCTOIPC_HANDLER_LOCAL thread_local __attribute__((tls_model("initial-exec")))
#else
#define OCTOIPC_HANDLER_LOCAL thread_local
#endif

/// How deep this thread is in our handler: a later handler that calls on to ours, which calls on
/// to it, would go round for ever.
OCTOIPC_HANDLER_LOCAL size_t depth = 0;

uintptr_t PageOf(uintptr_t address, size_t page) { return address & ~(page - 1); }

void Note(Slot* slot, uint32_t fault, uintptr_t address) {
  if (slot->faults.fetch_or(fault) == 0) {
    slot->first.store(address - slot->start.load(std::memory_order_relaxed));
  }
  fault_count.fetch_add(1);
}

/// Whether the same page faults again and again: mending does not help then.
bool IsHopeless(Slot* slot, uintptr_t page) {
  if (slot->latest.exchange(page) != page) {
    slot->repeats.store(0);
    return false;
  }
  return slot->repeats.fetch_add(1) > kMostRepeats;
}

/// Anonymous pages from one address to another.
bool Replace(uintptr_t from, uintptr_t to) {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
  return ::mmap(reinterpret_cast<void*>(from), to - from, PROT_READ | PROT_WRITE, flags, -1, 0) !=
         MAP_FAILED;
}

/// Whether pages are no longer to be mended one by one.
bool IsOften(Slot* slot) { return slot->mends.fetch_add(1) >= kMostMends; }

/// A page that cannot be had. All from there on, if the object ends before, or there is nobody left
/// to tell whether it does: one mapping instead of as many as there are pages. The whole, where the
/// process can have no mapping more: that splits none.
bool MendBus(Slot* slot, uintptr_t address) {
  const size_t page_size = slot->page.load();
  const uintptr_t page = PageOf(address, page_size);
  if (IsHopeless(slot, page)) return false;
  const uintptr_t start = slot->start.load();
  struct stat status{};
  const int fd = slot->fd.load();
  const bool known = fd >= 0 && ::fstat(fd, &status) == 0;
  const bool beyond = known && status.st_size <= static_cast<off_t>(page - start);
  Note(slot, beyond ? kFaultTruncated : kFaultNoMemory, address);
  const uintptr_t end = start + slot->length.load();
  const bool rest = IsOften(slot) || beyond || fd == Slot::kClosed;
  if (!rest && Replace(page, page + page_size)) return true;
  return Replace(page, end) || Replace(start, end);
}

/// Copies pages to where they are, so that they are nobody else's.
bool CopyInPlace(uintptr_t from, size_t length) {
  void* copy = ::mmap(nullptr, length, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (copy == MAP_FAILED) return false;
  std::memcpy(copy, reinterpret_cast<void*>(from), length);
  const void* moved =
      ::mremap(copy, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, reinterpret_cast<void*>(from));
  if (moved != MAP_FAILED) return true;
  ::munmap(copy, length);
  return false;
}

/// The object privately and writable, where it is: no store faults any more.
bool MapPrivately(int fd, uintptr_t start, size_t length) {
  const int flags = MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED;
  return ::mmap(reinterpret_cast<void*>(start), length, PROT_READ | PROT_WRITE, flags, fd, 0) !=
         MAP_FAILED;
}

/// A store where only reading is allowed: it goes into a copy of the page that is nobody else's; of
/// all pages at once, after many or where the process can have no mapping more. Huge pages are
/// copied, since a private mapping may lack some.
bool MendStore(Slot* slot, uintptr_t address) {
  const size_t page_size = slot->page.load();
  const uintptr_t page = PageOf(address, page_size);
  if (IsHopeless(slot, page)) return false;
  Note(slot, kFaultReadOnly, address);
  if (!IsOften(slot) && CopyInPlace(page, page_size)) return true;
  const uintptr_t start = slot->start.load();
  const size_t length = slot->length.load();
  const int fd = slot->fd.load();
  const bool usual = page_size == SystemPage();
  return (fd >= 0 && usual && MapPrivately(fd, start, length)) || CopyInPlace(start, length);
}

bool Mend(int number, const siginfo_t* info) {
  // What the kernel found, not what somebody sent.
  if (info->si_code <= 0 || info->si_code == SI_KERNEL) return false;
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  Slot* slot = FindSlot(address);
  if (slot == nullptr) return false;
  if (number == SIGBUS) return MendBus(slot, address);
  if (info->si_code != SEGV_ACCERR) return false;
  if (slot->changing.load()) {
    ::sched_yield();
    return true;
  }
  // Writable by now: another thread has mapped it anew since, so the store is to be tried again.
  if (slot->writable.load()) return !IsHopeless(slot, PageOf(address, slot->page.load()));
  return MendStore(slot, address);
}

/// What the system does where nobody handles the signal. A fault comes again when we return.
void DoDefault(int number, const siginfo_t* info) {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  ::sigaction(number, &action, nullptr);
  if (info->si_code <= 0) {
    ::syscall(SYS_tgkill, ::getpid(), static_cast<pid_t>(::syscall(SYS_gettid)), number);
  }
}

void CallPrevious(const Chain& chain, int number, siginfo_t* info, void* context) {
  const size_t count = chain.count.load(std::memory_order_acquire);
  if (depth > count) return DoDefault(number, info);
  const struct sigaction& previous = chain.previous[count - depth];
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(number, info, context);
  } else if (previous.sa_handler == SIG_DFL) {
    DoDefault(number, info);
  } else if (previous.sa_handler == SIG_IGN) {
    // A fault cannot be ignored: the system ends the process, and so do we.
    if (info->si_code > 0) DoDefault(number, info);
  } else {
    previous.sa_handler(number);
  }
}

void OnFault(int number, siginfo_t* info, void* context) {
  const int saved = errno;
  if (!Mend(number, info)) {
    depth += 1;
    CallPrevious(number == SIGBUS ? bus_chain : segv_chain, number, info, context);
    depth -= 1;
  }
  errno = saved;
}

int64_t Guard(int number, Chain& chain) {
  struct sigaction now{};
  if (::sigaction(number, nullptr, &now) != 0) return -errno;
  if ((now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == OnFault) return 0;
  const size_t count = chain.count.load();
  // Somebody goes on replacing it: then let them.
  if (count == kMostPrevious) return 0;
  chain.previous[count] = now;
  struct sigaction ours{};
  ours.sa_sigaction = OnFault;
  ours.sa_mask = now.sa_mask;
  // SA_NODEFER: the handler before us may itself rely on a fault, or jump out.
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | (now.sa_flags & SA_RESTART);
  chain.count.store(count + 1, std::memory_order_release);
  if (::sigaction(number, &ours, nullptr) == 0) return 0;
  chain.count.store(count, std::memory_order_release);
  return -errno;
}

}  // namespace

std::atomic<uint32_t> fault_count{0};

int64_t GuardFaults() {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  const int64_t bus = Guard(SIGBUS, bus_chain);
  return bus < 0 ? bus : Guard(SIGSEGV, segv_chain);
}

}  // namespace octoipc
