// Names in the file system: unix(7).
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "octoipc/environment.h"
#include "octoipc/retry.h"
#include "octoipc/unique_fd.h"
#include "socket.h"

namespace octoipc {
namespace {

/// The mode of a socket that has no name yet: bind(2) gives its file that mode without the umask's
/// bits, and so never, for however short a time, more than it shall have.
int64_t LimitMode(int fd, uint32_t mode) {
  return Retry([&] { return ::fchmod(fd, mode); });
}

/// The exact mode of a socket's file, whatever the umask; never of anything else that has the path
/// by now. An O_PATH descriptor cannot be given to fchmod(2), but its path below /proc can to
/// chmod(2).
int64_t SetMode(const std::string& path, uint32_t mode) {
  const UniqueFd file(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return -errno;
  struct stat status{};
  const int64_t found = Retry([&] { return ::fstat(file.get(), &status); });
  if (found < 0) return found;
  if (!S_ISSOCK(status.st_mode)) return -ENOTSOCK;
  if ((status.st_mode & 07777) == mode) return 0;
  char link[32];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", file.get());
  return Retry([&] { return ::chmod(link, mode); });
}

/// A directory as a descriptor, by which names in it can be reached however long its path is.
int64_t OpenDirectory(Environment& environment, const std::string& path) {
  const int64_t fd = Retry([&] { return ::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC); });
  if (fd >= 0) environment.Own(static_cast<int>(fd));
  return fd;
}

/// Opens a file of locks, makes it if it is missing, and locks it: -EAGAIN where another has it.
/// The lock goes with the descriptor, however its process ends. F_OFD_SETLK of fcntl(2).
int64_t OpenLock(Environment& environment, const std::string& path) {
  const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
  const int64_t opened = Retry([&] { return ::open(path.c_str(), flags, 0600); });
  if (opened < 0) return opened;
  UniqueFd file(static_cast<int>(opened));
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const int64_t locked = Retry([&] { return ::fcntl(file.get(), F_OFD_SETLK, &lock); });
  if (locked < 0) return locked == -EACCES ? -EAGAIN : locked;
  environment.Own(file.get());
  return file.release();
}

}  // namespace

void ExportNames(Exports& exports) {
  exports.Function<LimitMode>("limitMode")
      .Function<SetMode>("setMode")
      .Function<OpenDirectory>("openDirectory")
      .Function<OpenLock>("openLock");
}

}  // namespace octoipc
