// The system calls of an event counter: eventfd(2).
#include <sys/eventfd.h>
#include <unistd.h>

#include "octoipc/environment.h"
#include "octoipc/readiness.h"
#include "octoipc/retry.h"
#include "octoipc/unique_fd.h"

namespace octoipc {
namespace {

/// eventfd(2) that is taken from one by one, close-on-exec and non-blocking from birth.
int64_t Create(Environment& environment, uint32_t value) {
  const int flags = EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE;
  const int64_t made = ValueOrError([&] { return ::eventfd(value, flags); });
  if (made < 0) return made;
  UniqueFd fd(static_cast<int>(made));
  environment.Own(fd.get());
  return fd.release();
}

/// Adds to the counter; -EAGAIN where it would overflow.
int64_t Add(int fd, uint32_t count) {
  const uint64_t value = count;
  return Retry([&] { return ::write(fd, &value, sizeof value); });
}

/// Takes one from the counter; -EAGAIN where it is zero.
int64_t Take(int fd) {
  uint64_t value = 0;
  return Retry([&] { return ::read(fd, &value, sizeof value); });
}

void Register(Exports& exports) {
  ExportDescriptors(exports);
  ExportReadiness(exports);
  exports.Function<Create>("create").Function<Add>("add").Function<Take>("take");
}

}  // namespace
}  // namespace octoipc

OCTOIPC_ADDON(socket, octoipc::Environment, octoipc::Register)
