// The system calls of named pipes: fifo(7).
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>

#include "octoipc/environment.h"
#include "octoipc/readiness.h"
#include "octoipc/retry.h"
#include "octoipc/unique_fd.h"
#include "opening.h"

namespace octoipc {
namespace {

constexpr mode_t kPermissions = 07777;

/// Whether this is what mkfifo(3) has just made: a FIFO, under no other name.
bool IsNew(const struct stat& status) { return S_ISFIFO(status.st_mode) && status.st_nlink == 1; }

/// chmod(2) of what has this path now, if it is what we made. Not fchmod(2): that takes a
/// descriptor that is open for reading or writing, and opening would let a waiting peer in.
int64_t SetMode(const std::string& path, mode_t mode) {
  UniqueFd named(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!named) return -errno;
  struct stat status{};
  if (::fstat(named.get(), &status) != 0) return -errno;
  if (!IsNew(status)) return -EEXIST;
  std::array<char, 32> link;
  std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", named.get());
  return Retry([&] { return ::chmod(link.data(), mode); });
}

/// mkfifo(3) with exactly these permissions. What the umask has taken is given back afterwards, so
/// they are never wider than asked.
int64_t Mkfifo(const std::string& path, int mode) {
  const auto wanted = static_cast<mode_t>(mode);
  const int64_t made = Retry([&] { return ::mkfifo(path.c_str(), wanted); });
  if (made < 0) return made;
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return -errno;
  if (!IsNew(status)) return -EEXIST;
  if ((status.st_mode & kPermissions) == wanted) return 0;
  const int64_t result = SetMode(path, wanted);
  if (result < 0 && result != -EEXIST) ::unlink(path.c_str());
  return result;
}

/// The file type bits of fstat(2)'s st_mode.
int64_t FileType(int fd) {
  struct stat status{};
  const int64_t result = Retry([&] { return ::fstat(fd, &status); });
  return result < 0 ? result : static_cast<int64_t>(status.st_mode & S_IFMT);
}

/// Opens a FIFO without waiting, owned by JavaScript; what is none is closed again, and -EINVAL.
int64_t Open(Environment& environment, const std::string& path, bool write) {
  const int flags = (write ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY;
  const int64_t fd = Retry([&] { return ::open(path.c_str(), flags); });
  if (fd < 0) return fd;
  UniqueFd opened(static_cast<int>(fd));
  const int64_t type = FileType(opened.get());
  if (type != S_IFIFO) return type < 0 ? type : -EINVAL;
  environment.Own(opened.get());
  return opened.release();
}

/// A descriptor that stands for what has this path, a symbolic link itself too, and opens nothing.
int64_t OpenPath(Environment& environment, const std::string& path) {
  const int64_t fd = Retry([&] { return ::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC); });
  if (fd >= 0) environment.Own(static_cast<int>(fd));
  return fd;
}

/// The uid of who owns it.
int64_t Owner(int fd) {
  struct stat status{};
  const int64_t result = Retry([&] { return ::fstat(fd, &status); });
  return result < 0 ? result : static_cast<int64_t>(status.st_uid);
}

/// Whether a writer has come since this end was opened: 1 or 0. poll(2) tells of data, and of
/// writers that came and went, but not of one that has written nothing yet. tee(2) does: it is
/// EAGAIN where there is a writer, and 0 where there is none; it takes nothing.
int64_t HasWriter(int fd) {
  pollfd one = {fd, POLLIN, 0};
  const int64_t count = Retry([&] { return ::poll(&one, 1, 0); });
  if (count != 0) return count < 0 ? count : 1;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return -errno;
  UniqueFd reader(ends[0]);
  UniqueFd writer(ends[1]);
  const int64_t seen = Retry([&] { return ::tee(fd, writer.get(), 1, SPLICE_F_NONBLOCK); });
  if (seen == -EAGAIN) return 1;
  return seen > 0 ? 1 : seen;
}

/// Sleeps until something happens at the read end of a FIFO, even while poll(2) goes on saying
/// POLLHUP because the last writer has left: 1, or 0 after so many milliseconds. epoll(7) tells, at
/// first, how things are, and from then on what is new.
int64_t SleepUntilEdge(int fd, int milliseconds) {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return -errno;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) != 0) return -errno;
  const int64_t before = Retry([&] { return ::epoll_wait(epoll.get(), &event, 1, 0); });
  if (before < 0) return before;
  if (before > 0 && (event.events & EPOLLIN) != 0) return 1;
  // Not repeated after a signal: the caller knows the deadline.
  const int64_t count =
      ValueOrError([&] { return ::epoll_wait(epoll.get(), &event, 1, milliseconds); });
  return count == -EINTR ? 0 : count;
}

void Register(Exports& exports) {
  ExportDescriptors(exports);
  ExportReadiness(exports);
  ExportOpening(exports);
  exports.Function<Mkfifo>("mkfifo")
      .Function<Open>("open")
      .Function<OpenPath>("openPath")
      .Function<FileType>("fileType")
      .Function<Owner>("owner")
      .Function<HasWriter>("hasWriter")
      .Function<SleepUntilEdge>("sleepUntilEdge")
      .Number("pipeBuf", PIPE_BUF);
}

}  // namespace
}  // namespace octoipc

OCTOIPC_ADDON(fifo, octoipc::Environment, octoipc::Register)
