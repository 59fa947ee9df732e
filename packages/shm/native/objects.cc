// The objects that have a descriptor: POSIX shared memory, memfds, files.
//
// shm_open(3) is open(2) in /dev/shm; libc's function is in librt before glibc 2.34.
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <string>

#include "octoipc/retry.h"
#include "octoipc/unique_fd.h"
#include "region.h"
#include "shm.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

namespace octoipc {
namespace {

constexpr int64_t kHugetlbfsMagic = 0x958458f6;

int64_t Own(Environment& environment, UniqueFd fd) {
  environment.Own(fd.get());
  return fd.release();
}

/// open(2), close-on-exec, not through a symbolic link, and without waiting (a FIFO would).
int64_t OpenObject(Environment& environment, const std::string& path, bool writable) {
  const int flags = (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  const int64_t fd = Retry([&] { return ::open(path.c_str(), flags); });
  return fd < 0 ? fd : Own(environment, UniqueFd(static_cast<int>(fd)));
}

/// fallocate(2): the bytes are there from now on, or it is -ENOSPC at once and not a SIGBUS later.
/// A file system that knows no fallocate gives holes.
int64_t Reserve(int fd, int64_t from, int64_t to) {
  // A memfd is in a tmpfs without a limit: the kernel would begin, and end other processes first.
  struct sysinfo system{};
  struct statfs files{};
  if (::fstatfs(fd, &files) == 0 && files.f_type == TMPFS_MAGIC && ::sysinfo(&system) == 0 &&
      static_cast<uint64_t>(to - from) / system.mem_unit > system.totalram + system.totalswap) {
    return -ENOSPC;
  }
  const int64_t result = Retry([&] { return ::fallocate(fd, 0, from, to - from); });
  if (result != -EOPNOTSUPP) return result;
  return Retry([&] { return ::ftruncate(fd, to); });
}

/// pwrite(2) into what has its size: all or nothing.
int64_t Store(int fd, Bytes bytes, int64_t offset) {
  const int64_t stored = Retry([&] { return ::pwrite(fd, bytes.data(), bytes.size(), offset); });
  if (stored < 0) return stored;
  return stored == static_cast<int64_t>(bytes.size()) ? 0 : -EIO;
}

/// What it holds from its beginning on, the first word last: whoever sees that sees all of it.
int64_t Fill(int fd, Bytes content) {
  constexpr size_t kWord = 4;
  if (content.size() <= kWord) return content.empty() ? 0 : Store(fd, content, 0);
  const int64_t rest = Store(fd, content.subspan(kWord), kWord);
  return rest < 0 ? rest : Store(fd, content.first(kWord), 0);
}

/// The size, with the space for it, the content, and the mode, whatever the umask.
int64_t Prepare(int fd, int64_t size, uint32_t mode, Bytes content) {
  const int64_t reserved = Reserve(fd, 0, size);
  if (reserved < 0) return reserved;
  const int64_t filled = Fill(fd, content);
  if (filled < 0) return filled;
  return Retry([&] { return ::fchmod(fd, mode); });
}

/// A new object that has its name before it is complete: where there are none without a name.
int64_t CreateNamed(Environment& environment, const std::string& path, int64_t size, uint32_t mode,
                    Bytes content) {
  const int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  const int64_t opened = Retry([&] { return ::open(path.c_str(), flags, 0600); });
  if (opened < 0) return opened;
  UniqueFd fd(static_cast<int>(opened));
  const int64_t prepared = Prepare(fd.get(), size, mode, content);
  if (prepared < 0) {
    ::unlink(path.c_str());
    return prepared;
  }
  return Own(environment, std::move(fd));
}

/// A new object without a name, complete. `path` is to be its name, `folder` where that is; -EEXIST
/// if something has it already, -EOPNOTSUPP where the file system has no files without a name.
int64_t CreateNameless(Environment& environment, const std::string& folder, const std::string& path,
                       int64_t size, uint32_t mode, Bytes content) {
  // What is there already need not be made first.
  if (::faccessat(AT_FDCWD, path.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) return -EEXIST;
  const int64_t opened =
      Retry([&] { return ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600); });
  if (opened == -EISDIR) return -EOPNOTSUPP;
  if (opened < 0) return opened;
  UniqueFd fd(static_cast<int>(opened));
  const int64_t prepared = Prepare(fd.get(), size, mode, content);
  return prepared < 0 ? prepared : Own(environment, std::move(fd));
}

/// linkat(2): gives a nameless object its name. -EOPNOTSUPP without /proc.
int64_t GiveName(int fd, const std::string& path) {
  const std::string self = "/proc/self/fd/" + std::to_string(fd);
  const int64_t linked = Retry(
      [&] { return ::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW); });
  return linked == -ENOENT ? -EOPNOTSUPP : linked;
}

int64_t Unlink(const std::string& path) {
  return Retry([&] { return ::unlink(path.c_str()); });
}

/// memfd_create(2). Not executable where the kernel can say so (Linux 6.3), which implies that it
/// can be sealed: one that must not be is sealed against that. `huge` is the logarithm of the page
/// size, 0 for usual pages, -1 for the system's huge ones.
int64_t MemfdCreate(Environment& environment, const std::string& name, int64_t size, bool sealable,
                    int huge) {
  unsigned int flags = MFD_CLOEXEC;
  if (huge != 0) flags |= MFD_HUGETLB;
  if (huge > 0) flags |= static_cast<unsigned int>(huge) << MFD_HUGE_SHIFT;
  const auto create = [&](unsigned int more) {
    return Retry([&] { return ::syscall(SYS_memfd_create, name.c_str(), flags | more); });
  };
  int64_t made = create(MFD_NOEXEC_SEAL);
  bool seal = !sealable;
  if (made == -EINVAL) {
    made = create(sealable ? MFD_ALLOW_SEALING : 0);
    seal = false;
  }
  if (made < 0) return made;
  UniqueFd fd(static_cast<int>(made));
  const int64_t reserved = Reserve(fd.get(), 0, size);
  if (reserved < 0) return reserved;
  if (seal) ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SEAL);
  return Own(environment, std::move(fd));
}

/// Size, file type and mode, uid, gid, device, inode, access mode, page size of a descriptor.
int64_t FileStatus(int fd, Numbers out) {
  if (out.size() < 8) return -EFAULT;
  struct stat status{};
  const int64_t result = Retry([&] { return ::fstat(fd, &status); });
  if (result < 0) return result;
  const int64_t flags = Retry([&] { return ::fcntl(fd, F_GETFL); });
  if (flags < 0) return flags;
  struct statfs system{};
  const bool huge = ::fstatfs(fd, &system) == 0 && system.f_type == kHugetlbfsMagic;
  const double values[] = {static_cast<double>(status.st_size),
                           static_cast<double>(status.st_mode),
                           static_cast<double>(status.st_uid),
                           static_cast<double>(status.st_gid),
                           static_cast<double>(status.st_dev),
                           static_cast<double>(status.st_ino),
                           static_cast<double>((flags & O_PATH) != 0 ? O_PATH : flags & O_ACCMODE),
                           static_cast<double>(huge ? system.f_bsize : SystemPage())};
  std::copy(std::begin(values), std::end(values), out.begin());
  return 0;
}

/// fcntl(F_DUPFD_CLOEXEC): a descriptor that is the caller's.
int64_t Duplicate(int fd) {
  return Retry([&] { return ::fcntl(fd, F_DUPFD_CLOEXEC, 0); });
}

int64_t Truncate(int fd, int64_t size) {
  return Retry([&] { return ::ftruncate(fd, size); });
}

/// F_GET_SEALS, in fcntl(2); -EINVAL for what cannot be sealed.
int64_t GetSeals(int fd) {
  return Retry([&] { return ::fcntl(fd, F_GET_SEALS); });
}

int64_t AddSeals(int fd, int seals) {
  return Retry([&] { return ::fcntl(fd, F_ADD_SEALS, seals); });
}

}  // namespace

void ExportObjects(Exports& exports) {
  exports.Function<OpenObject>("openObject")
      .Function<CreateNameless>("createNameless")
      .Function<CreateNamed>("createNamed")
      .Function<GiveName>("giveName")
      .Function<Unlink>("unlink")
      .Function<MemfdCreate>("memfdCreate")
      .Function<FileStatus>("fileStatus")
      .Function<Reserve>("reserve")
      .Function<Duplicate>("duplicate")
      .Function<Truncate>("truncate")
      .Function<GetSeals>("getSeals")
      .Function<AddSeals>("addSeals");
}

}  // namespace octoipc
