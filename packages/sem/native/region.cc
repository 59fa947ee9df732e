#include "region.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <mutex>
#include <string>
#include <vector>

#include "octoipc/platform.h"
#include "octoipc/readiness.h"
#include "octoipc/retry.h"
#include "octoipc/unique_fd.h"
#include "sem.h"

namespace octoipc {
namespace {

size_t PageSize() {
  static const size_t size = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

size_t Rounded(size_t bytes) { return (bytes + PageSize() - 1) / PageSize() * PageSize(); }

/// Reservations of few pages, without the memory. Process-wide.
///
/// Lifetime: never destroyed, threads may be at it while the process ends; a few pages at most.
class SpareReservations {
 public:
  static SpareReservations& Get() {
    static auto* const spare = new SpareReservations();
    return *spare;
  }

  /// nullptr if there is none of so many bytes.
  uint8_t* Take(size_t pages) {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(spare_.rbegin(), spare_.rend(),
                                    [=](const Spare& each) { return each.pages == pages; });
    if (found == spare_.rend()) return nullptr;
    uint8_t* const taken = found->reserved;
    spare_.erase(std::next(found).base());
    return taken;
  }

  /// Whether it is kept. The memory is taken off it; its nodes are nobody's any more.
  bool Give(uint8_t* reserved, size_t pages) {
    if (pages > Rounded(kLargest)) return false;
    const std::lock_guard lock(mutex_);
    if (spare_.size() >= kMost && !MakeRoom(pages)) return false;
    if (::mmap(reserved, pages, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
               -1, 0) == MAP_FAILED) {
      return false;
    }
    spare_.push_back({reserved, pages});
    return true;
  }

 private:
  struct Spare {
    uint8_t* reserved;
    /// Bytes of its pages.
    size_t pages;
  };

  /// Those of one size shall not be in the way of another for ever: its oldest one goes.
  bool MakeRoom(size_t pages) {
    const auto other = std::find_if(spare_.begin(), spare_.end(),
                                    [=](const Spare& each) { return each.pages != pages; });
    if (other == spare_.end()) return false;
    ::munmap(other->reserved, static_cast<size_t>(Mapping::Distance()) + other->pages);
    spare_.erase(other);
    return true;
  }

  static constexpr size_t kMost = 8;
  /// Of what has slots.
  static constexpr size_t kLargest = 20 * 1024;
  std::mutex mutex_;
  std::vector<Spare> spare_;
};

/// Whether an address is in a shared mapping, by /proc/self/maps: proc(5).
bool IsShared(const void* address) {
  FILE* maps = ::fopen("/proc/self/maps", "re");
  if (maps == nullptr) return false;
  char line[512];
  bool shared = false;
  const auto at = reinterpret_cast<unsigned long>(address);
  while (::fgets(line, sizeof line, maps) != nullptr) {
    unsigned long from = 0;
    unsigned long to = 0;
    char permissions[5] = "";
    if (::sscanf(line, "%lx-%lx %4s", &from, &to, permissions) == 3 && at >= from && at < to) {
      shared = permissions[3] == 's';
      break;
    }
  }
  ::fclose(maps);
  return shared;
}

}  // namespace

int64_t Mapping::Distance() {
  static const int64_t distance =
      std::max<int64_t>(64 * 1024, 4 * static_cast<int64_t>(PageSize()));
  return distance;
}

size_t Mapping::to_page_end() const {
  return PageSize() - reinterpret_cast<uintptr_t>(start_) % PageSize();
}

Mapping::~Mapping() {
  if (reserved_ == nullptr) return;
  if (tracked_ && SpareReservations::Get().Give(reserved_, pages_)) return;
  ::munmap(reserved_, length_);
}

/// Private pages for the nodes, and before them address space for the memory.
bool Mapping::Reserve(size_t bytes) {
  pages_ = Rounded(bytes);
  length_ = static_cast<size_t>(Distance()) + pages_;
  reserved_ = SpareReservations::Get().Take(pages_);
  if (reserved_ != nullptr) {
    tracked_ = true;
    return true;
  }
  void* at = ::mmap(nullptr, length_, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return false;
  reserved_ = static_cast<uint8_t*>(at);
  tracked_ = true;
  return true;
}

std::shared_ptr<Mapping> Mapping::OfFile(int fd, size_t bytes, bool tracked, int64_t* error) {
  std::shared_ptr<Mapping> mapping(new Mapping);
  void* at = MAP_FAILED;
  if (!tracked) mapping->pages_ = mapping->length_ = Rounded(bytes);
  if (!tracked || mapping->Reserve(bytes)) {
    at = ::mmap(mapping->reserved_, mapping->pages_, PROT_READ | PROT_WRITE,
                MAP_SHARED | (tracked ? MAP_FIXED : 0), fd, 0);
  }
  if (at == MAP_FAILED) {
    *error = -errno;
    return nullptr;
  }
  mapping->reserved_ = mapping->start_ = static_cast<uint8_t*>(at);
  mapping->bytes_ = bytes;
  return mapping;
}

/// mremap(2) of an old size of 0 makes a second mapping of the same shared pages; private memory is
/// EINVAL.
std::shared_ptr<Mapping> Mapping::OfMemory(uint8_t* memory, size_t bytes, int64_t* error) {
  std::shared_ptr<Mapping> mapping(new Mapping);
  const size_t within = reinterpret_cast<uintptr_t>(memory) % PageSize();
  const auto aliased = [&] {
    if (!mapping->Reserve(within + bytes)) return false;
    void* at = ::mremap(memory - within, 0, mapping->pages_, MREMAP_MAYMOVE | MREMAP_FIXED,
                        mapping->reserved_);
    if (at == MAP_FAILED) {
      // Shared memory of a kind that cannot be mapped twice (huge pages) must not pass for private.
      const int saved = errno;
      errno = saved == EINVAL && IsShared(memory) ? EOPNOTSUPP : saved;
      return false;
    }
    // EACCES where the object was opened for reading only: a store would be a signal.
    return ::mprotect(at, mapping->pages_, PROT_READ | PROT_WRITE) == 0;
  };
  if (!aliased()) {
    *error = -errno;
    return nullptr;
  }
  mapping->start_ = mapping->reserved_ + within;
  mapping->bytes_ = bytes;
  return mapping;
}

std::shared_ptr<Mapping> Mapping::Borrowed(uint8_t* memory, size_t bytes) {
  std::shared_ptr<Mapping> mapping(new Mapping);
  mapping->start_ = memory;
  mapping->bytes_ = bytes;
  return mapping;
}

namespace {

/// What a mapping weighs for the garbage collector: without this, dropped handles would use up the
/// mappings that a process may have before a collection found them.
constexpr int64_t kWeight = 32 * 1024;

void Weigh(napi_env env, int64_t change) {
  int64_t total = 0;
  napi_adjust_external_memory(env, change, &total);
}

/// Keeps a mapping; `holder.buffer` becomes an ArrayBuffer over it.
int64_t KeepMapping(Environment& environment, std::shared_ptr<Mapping> mapping,
                    Napi::Object holder) {
  napi_env env = environment.env();
  napi_value buffer = nullptr;
  // Who unmaps is the region, not the collector.
  const auto nothing = [](napi_env, void*, void*) {};
  if (napi_create_external_arraybuffer(env, mapping->start(), mapping->bytes(), nothing, nullptr,
                                       &buffer) != napi_ok) {
    return -EOPNOTSUPP;
  }
  auto region = std::make_unique<Region>(std::move(mapping));
  region->view = Napi::Persistent(Napi::Object(env, buffer));
  napi_set_named_property(env, holder, "buffer", buffer);
  Weigh(env, kWeight);
  return environment.Keep(std::move(region));
}

int64_t RegionOfFile(Environment& environment, int fd, int64_t bytes, bool tracked,
                     Napi::Object holder) {
  int64_t error = 0;
  auto mapping = Mapping::OfFile(fd, static_cast<size_t>(bytes), tracked, &error);
  return mapping == nullptr ? error : KeepMapping(environment, std::move(mapping), holder);
}

int64_t RegionOfMemory(Environment& environment, Bytes memory, Napi::Object holder) {
  if (memory.empty()) return -EFAULT;
  int64_t error = 0;
  auto mapping = Mapping::OfMemory(memory.data(), memory.size(), &error);
  if (mapping == nullptr) return error;
  // Pages behind the end of an object that was cut short: the kernel looks, and says so.
  for (size_t at = 0; at < memory.size(); at += at == 0 ? mapping->to_page_end() : PageSize()) {
    // A wait for no time could take a wake that is somebody else's; this moves nobody.
    const auto* word = reinterpret_cast<const Word*>(mapping->start() + at);
    if (FutexWaiters(word, 0) == -EFAULT) return -EFAULT;
  }
  return KeepMapping(environment, std::move(mapping), holder);
}

/// `view` keeps the memory.
int64_t RegionBorrow(Environment& environment, Bytes memory, Napi::Object view) {
  if (memory.empty()) return -EFAULT;
  auto region = std::make_unique<Region>(Mapping::Borrowed(memory.data(), memory.size()));
  region->view = Napi::Persistent(view);
  return environment.Keep(std::move(region));
}

int64_t RegionClose(Environment& environment, int index) {
  Region* region = RegionAt(environment, index);
  if (region == nullptr) return -EBADF;
  const Napi::Object view = region->view.Value();
  bool is_buffer = false;
  napi_is_arraybuffer(environment.env(), view, &is_buffer);
  if (is_buffer) {
    napi_detach_arraybuffer(environment.env(), view);
    Weigh(environment.env(), -kWeight);
  }
  environment.Drop(index);
  return 0;
}

int64_t FileOpen(Environment& environment, const std::string& path) {
  const int64_t fd =
      Retry([&] { return ::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK); });
  if (fd >= 0) environment.Own(static_cast<int>(fd));
  return fd;
}

/// How many bytes a regular file has; -EINVAL if it is none.
int64_t FileSize(int fd) {
  struct stat status;
  if (::fstat(fd, &status) != 0) return -errno;
  return S_ISREG(status.st_mode) ? static_cast<int64_t>(status.st_size) : -EINVAL;
}

/// A new file that has its name only once it is complete: O_TMPFILE, then linkat(2). The mode is
/// exact.
int64_t FileCreate(Environment& environment, const std::string& path, Bytes content, int64_t size,
                   uint32_t mode) {
  // What nobody could wait for is not made.
  if (!kHasSharedFutexes) return -kNotOnThisSystem;
  const std::string folder = path.substr(0, path.rfind('/'));
  const int64_t made =
      Retry([&] { return ::open(folder.c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600); });
  if (made < 0) return made;
  UniqueFd fd(static_cast<int>(made));
  // Its pages are reserved now: a store into a full file system would be a signal.
  const int reserved = ::posix_fallocate(fd.get(), 0, size);
  if (reserved != 0) return -reserved;
  const int64_t written =
      Retry([&] { return ::pwrite(fd.get(), content.data(), content.size(), 0); });
  if (written < 0) return written;
  if (::fchmod(fd.get(), mode) != 0) return -errno;
  const std::string link = "/proc/self/fd/" + std::to_string(fd.get());
  if (::linkat(AT_FDCWD, link.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    return -errno;
  }
  environment.Own(fd.get());
  return fd.release();
}

/// Negative milliseconds: for as long as it takes, which spares the kernel a timer.
int64_t WordWait(Environment& environment, int region, int64_t offset, int32_t expected,
                 int64_t milliseconds) {
  const Word* word = WordAt(environment, region, offset);
  if (word == nullptr) return -EFAULT;
  if (milliseconds < 0) {
    return Futex(word, FUTEX_WAIT, static_cast<uint32_t>(expected), nullptr);
  }
  const timespec time = {milliseconds / 1000, milliseconds % 1000 * 1'000'000};
  return FutexWait(word, static_cast<uint32_t>(expected), time);
}

int64_t WordWake(Environment& environment, int region, int64_t offset, int32_t count) {
  const Word* word = WordAt(environment, region, offset);
  return word == nullptr ? -EFAULT : FutexWake(word, count);
}

int64_t WordWaiters(Environment& environment, int region, int64_t offset, int32_t value) {
  const Word* word = WordAt(environment, region, offset);
  return word == nullptr ? -EFAULT : FutexWaiters(word, static_cast<uint32_t>(value));
}

}  // namespace

void ExportRegion(Exports& exports) {
  exports.Function<RegionOfFile>("regionOfFile")
      .Function<RegionOfMemory>("regionOfMemory")
      .Function<RegionBorrow>("regionBorrow")
      .Function<RegionClose>("regionClose")
      .Function<FileOpen>("fileOpen")
      .Function<FileSize>("fileSize")
      .Function<FileCreate>("fileCreate")
      .Function<WordWait>("wordWait")
      .Function<WordWake>("wordWake")
      .Function<WordWaiters>("wordWaiters");
}

}  // namespace octoipc
