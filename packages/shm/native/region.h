// Memory that is mapped, and what is known of it where a signal handler can read it.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace octoipc {

/// What went wrong with an access; bits.
enum Fault : uint32_t {
  /// The object is shorter than the mapping: somebody has truncated it.
  kFaultTruncated = 1,
  /// A store through a read-only mapping.
  kFaultReadOnly = 2,
  /// The system had no memory for a page, or lost it.
  kFaultNoMemory = 4,
};

/// What the signal handler knows of one mapping. Nothing here is ever freed.
struct Slot {
  /// It never had one.
  static constexpr int kNoDescriptor = -1;
  /// Its handle has been closed.
  static constexpr int kClosed = -2;

  /// The next one that nobody has, while nobody has this one.
  Slot* next_vacant = nullptr;
  /// 0 while nobody may answer for it; written last, and cleared first.
  std::atomic<uintptr_t> start{0};
  std::atomic<size_t> length{0};
  std::atomic<size_t> page{0};
  /// The object's descriptor as long as its handle has it open, else one of the two below.
  std::atomic<int> fd{kNoDescriptor};
  std::atomic<bool> writable{false};
  /// Whether what may be done with it is being changed: a store that faults meanwhile is tried
  /// again.
  std::atomic<bool> changing{false};
  /// How many faults were answered for since it was last mapped: each may split the mapping, of
  /// which a process may have so many only.
  std::atomic<uint32_t> mends{0};
  std::atomic<uint32_t> faults{0};
  /// Where the first fault since the last look was, from the start of the mapping.
  std::atomic<size_t> first{0};
  /// The page of the latest fault, and how often in a row it was that one.
  std::atomic<uintptr_t> latest{0};
  std::atomic<uint32_t> repeats{0};
};

/// How many faults have been answered for in this process: who has seen the latest one need not ask
/// of a mapping whether it has any.
extern std::atomic<uint32_t> fault_count;

/// The mapping that an address belongs to; nullptr if it is none of ours. For signal handlers.
Slot* FindSlot(uintptr_t address);

/// Installs the handlers of SIGBUS and SIGSEGV, again where somebody has replaced them.
int64_t GuardFaults();

/// Lifetime:
/// 1. Shared by a handle and by the buffer that JavaScript has of it; unmapped when both are gone,
///    on whatever thread that is.
/// 2. `Retire` gives the object back earlier: the addresses stay reserved, but are plain zeroed
///    memory, so whoever still has them (a job of the thread pool) does no harm and takes none.
///    Faults are answered for until they are unmapped.
/// 3. munmap(2) detaches System V memory as well as shmdt(2) does, also where a fault has put other
///    pages in between.
class Region {
 public:
  struct Kind {
    bool writable;
    /// The size of its pages: larger than the system's for huge ones.
    size_t page;
  };

  /// mmap(2) of a whole object; 0 or -errno.
  static int64_t Map(int fd, size_t length, Kind kind, std::shared_ptr<Region>* out);
  /// shmat(2); 0 or -errno.
  static int64_t Attach(int id, size_t length, bool writable, std::shared_ptr<Region>* out);

  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;
  ~Region();

  uint8_t* data() const { return data_; }
  size_t length() const { return length_; }
  Slot* slot() const { return slot_; }

  void Retire();
  /// How a mapping can be made anew.
  enum class As {
    kWritable,
    kReadOnly,
    /// Read-only, and not counted among those who may write, so that it can be sealed.
    kBystander,
  };
  /// Maps the object anew at the same addresses, which changes what may be done with it, or brings
  /// back pages that a fault replaced.
  int64_t Remap(int fd, As as);
  /// Brings back the pages that faults have replaced, as what may be done with it says.
  int64_t Restore(int fd);
  /// fcntl(F_ADD_SEALS) while it cannot be written through this mapping; writable again where that
  /// fails.
  int64_t SealAgainstWriting(int fd, int seals);
  int64_t Reattach(int id);

 private:
  Region(uint8_t* data, size_t length, Kind kind);
  /// Tells the signal handler; false where no memory is left to do so.
  bool Register(int fd);
  size_t mapped() const { return (length_ + kind_.page - 1) / kind_.page * kind_.page; }

  uint8_t* data_;
  size_t length_;
  Kind kind_;
  Slot* slot_ = nullptr;
};

size_t SystemPage();

}  // namespace octoipc
