// The system calls of name records: fcntl_locking(2), in fcntl(2).
#include <fcntl.h>

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

void Register(Exports& exports) {
  ExportDescriptors(exports);
  exports.Function<TryLock>("tryLock");
}

}  // namespace
}  // namespace octoipc

OCTOIPC_ADDON(core, octoipc::Environment, octoipc::Register)
