// The system calls of anonymous pipes: pipe(7).
#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

#include "octoipc/environment.h"
#include "octoipc/readiness.h"
#include "octoipc/retry.h"
#include "octoipc/unique_fd.h"
#include "transfer.h"

namespace octoipc {
namespace {

/// read(2) and write(2) move no more than this at once.
constexpr int64_t kLongest = 0x7ffff000;

int64_t SetNonblocking(int fd, bool nonblocking) {
  const int64_t flags = Retry([&] { return ::fcntl(fd, F_GETFL); });
  if (flags < 0) return flags;
  const int now = static_cast<int>(flags);
  const int then = nonblocking ? now | O_NONBLOCK : now & ~O_NONBLOCK;
  if (then == now) return 0;
  return Retry([&] { return ::fcntl(fd, F_SETFL, then); });
}

/// pipe2(2), close-on-exec from birth; an end that is ours to use is non-blocking. `ends` gets the
/// read end, then the write end.
int64_t Pipe(Environment& environment, Integers ends, bool packet, bool reader_nonblocking,
             bool writer_nonblocking) {
  if (ends.size() < 2) return -EINVAL;
  const bool both = reader_nonblocking && writer_nonblocking;
  int fds[2];
  const int flags = O_CLOEXEC | (packet ? O_DIRECT : 0) | (both ? O_NONBLOCK : 0);
  const int64_t made = Retry([&] { return ::pipe2(fds, flags); });
  if (made < 0) return made;
  UniqueFd reader(fds[0]);
  UniqueFd writer(fds[1]);
  if (!both && reader_nonblocking) SetNonblocking(reader.get(), true);
  if (!both && writer_nonblocking) SetNonblocking(writer.get(), true);
  environment.Own(reader.get());
  environment.Own(writer.get());
  ends[0] = reader.release();
  ends[1] = writer.release();
  return 0;
}

bool Within(const Bytes& bytes, int64_t offset, int64_t length) {
  return offset >= 0 && length >= 0 && static_cast<uint64_t>(offset) <= bytes.size() &&
         static_cast<uint64_t>(length) <= bytes.size() - static_cast<uint64_t>(offset);
}

/// preadv2(2) or pwritev2(2) with RWF_NOWAIT, by number: an old C library lacks one or the other.
int64_t Vectored(long call, int fd, const iovec& part) {
  constexpr int kNoWait = 0x8;
  return ::syscall(call, fd, &part, 1L, -1L, -1L, kNoWait);
}

/// read(2) that does not wait: of a non-blocking descriptor, or with RWF_NOWAIT where the open file
/// description is shared with others and must stay in blocking mode.
int64_t Read(int fd, Bytes into, int64_t offset, int64_t length, bool nowait) {
  if (!Within(into, offset, length)) return -EFAULT;
  iovec part = {into.data() + offset, static_cast<size_t>(std::min(length, kLongest))};
  return Retry([&] {
    return nowait ? Vectored(SYS_preadv2, fd, part) : ::read(fd, part.iov_base, part.iov_len);
  });
}

/// write(2) that does not wait. The runtime ignores SIGPIPE, so a reader that is gone is EPIPE.
int64_t Write(int fd, Bytes from, int64_t offset, int64_t length, bool nowait) {
  if (!Within(from, offset, length)) return -EFAULT;
  iovec part = {from.data() + offset, static_cast<size_t>(std::min(length, kLongest))};
  return Retry([&] {
    return nowait ? Vectored(SYS_pwritev2, fd, part) : ::write(fd, part.iov_base, part.iov_len);
  });
}

/// Each argument of a call from JavaScript, and above all the address of its memory, costs as much
/// as a third of a small read(2) itself. So this remembers the memory of the last Fill and Put.
///
/// Lifetime: JavaScript keeps that memory alive, and says "again" only while its view is as long as
/// it was; one whose memory was transferred away is empty.
class PipeEnvironment : public Environment {
 public:
  using Environment::Environment;
  static PipeEnvironment& Of(Environment& environment) {
    return static_cast<PipeEnvironment&>(environment);
  }
  Bytes filled;
  Bytes put;
};

/// read(2) into all of the memory that Fill was called with last.
int64_t FillAgain(Environment& environment, int fd) {
  const Bytes& into = PipeEnvironment::Of(environment).filled;
  const size_t length = std::min(into.size(), static_cast<size_t>(kLongest));
  return Retry([&] { return ::read(fd, into.data(), length); });
}

/// read(2) into all of the memory.
int64_t Fill(Environment& environment, int fd, Bytes into) {
  PipeEnvironment::Of(environment).filled = into;
  return FillAgain(environment, fd);
}

/// write(2) of all of the memory that Put was called with last.
int64_t PutAgain(Environment& environment, int fd) {
  const Bytes& from = PipeEnvironment::Of(environment).put;
  const size_t length = std::min(from.size(), static_cast<size_t>(kLongest));
  return Retry([&] { return ::write(fd, from.data(), length); });
}

/// write(2) of all of the memory.
int64_t Put(Environment& environment, int fd, Bytes from) {
  PipeEnvironment::Of(environment).put = from;
  return PutAgain(environment, fd);
}

/// The file type bits of fstat(2)'s st_mode.
int64_t FileType(int fd) {
  struct stat status{};
  const int64_t result = Retry([&] { return ::fstat(fd, &status); });
  return result < 0 ? result : static_cast<int64_t>(status.st_mode & S_IFMT);
}

/// F_GETFL: access mode and status flags.
int64_t StatusFlags(int fd) {
  return Retry([&] { return ::fcntl(fd, F_GETFL); });
}

/// FIONREAD: bytes that can be read now.
int64_t Available(int fd) {
  int count = 0;
  const int64_t result = Retry([&] { return ::ioctl(fd, FIONREAD, &count); });
  return result < 0 ? result : count;
}

int64_t Capacity(int fd) {
  return Retry([&] { return ::fcntl(fd, F_GETPIPE_SZ); });
}

int64_t SetCapacity(int fd, int bytes) {
  return Retry([&] { return ::fcntl(fd, F_SETPIPE_SZ, bytes); });
}

void Register(Exports& exports) {
  ExportDescriptors(exports);
  ExportReadiness(exports);
  ExportTransfer(exports);
  exports.Function<Pipe>("pipe")
      .Function<Read>("read")
      .Function<Write>("write")
      .Function<Fill>("fill")
      .Function<FillAgain>("fillAgain")
      .Function<Put>("put")
      .Function<PutAgain>("putAgain")
      .Function<FileType>("fileType")
      .Function<StatusFlags>("statusFlags")
      .Function<SetNonblocking>("setNonblocking")
      .Function<Available>("available")
      .Function<Capacity>("capacity")
      .Function<SetCapacity>("setCapacity")
      .Number("pipeBuf", PIPE_BUF)
      .Number("mainThread", ::syscall(SYS_gettid) == ::getpid() ? 1 : 0);
}

}  // namespace
}  // namespace octoipc

OCTOIPC_ADDON(pipe, octoipc::PipeEnvironment, octoipc::Register)
