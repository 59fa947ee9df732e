// The system calls of name records: fcntl_locking(2), in fcntl(2); and what becomes of temporary
// objects whose worker is terminated.
#include <fcntl.h>

#include <string>

#include "leftover.h"
#include "octoipc/environment.h"
#include "octoipc/retry.h"

namespace octoipc {
namespace {

/// An exclusive lock of the open file description (F_OFD_SETLK) on the whole file, without waiting:
/// it goes with the last descriptor, so with the process, however that ends. -EAGAIN if another has
/// it.
int64_t TryLock(int fd) {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return Retry([&] { return ::fcntl(fd, F_OFD_SETLK, &lock); });
}

/// What TryLock would say, without taking it (F_OFD_GETLK).
int64_t TestLock(int fd) {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const int64_t asked = Retry([&] { return ::fcntl(fd, F_OFD_GETLK, &lock); });
  if (asked < 0) return asked;
  return lock.l_type == F_UNLCK ? 0 : -EAGAIN;
}

/// open(2) of a new file that only its owner may read. Not by Node's fs: in a worker Node remembers
/// what fs has opened and closes it when the worker ends, whoever has the number by then.
int64_t Create(Environment& environment, const std::string& path) {
  const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const int64_t fd = Retry([&] { return ::open(path.c_str(), flags, 0600); });
  if (fd >= 0) environment.Own(static_cast<int>(fd));
  return fd;
}

/// Removes a temporary object when this environment ends, unless it is forgotten before; its index.
int64_t RemoveAtEnd(Environment& environment, int32_t removal, const std::string& target,
                    int64_t first, int64_t second, const std::string& record) {
  return environment.Keep(std::make_unique<Leftover>(static_cast<Removal>(removal), target,
                                                     static_cast<double>(first),
                                                     static_cast<double>(second), record));
}

/// JavaScript has seen to it.
int64_t ForgetAtEnd(Environment& environment, int64_t index) {
  auto* leftover = static_cast<Leftover*>(environment.Kept(index));
  if (leftover == nullptr) return -EBADF;
  leftover->Forget();
  environment.Drop(index);
  return 0;
}

void Register(Exports& exports) {
  ExportDescriptors(exports);
  exports.Function<TryLock>("tryLock")
      .Function<TestLock>("testLock")
      .Function<Create>("create")
      .Function<RemoveAtEnd>("removeAtEnd")
      .Function<ForgetAtEnd>("forgetAtEnd");
}

}  // namespace
}  // namespace octoipc

OCTOIPC_ADDON(core, octoipc::Environment, octoipc::Register)
