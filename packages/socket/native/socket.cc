// Sockets and their life: socket(2) to close(2). Addresses cross as the bytes of their sockaddr,
// which TypeScript makes and reads.
#include "socket.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "octoipc/environment.h"
#include "octoipc/readiness.h"
#include "octoipc/retry.h"
#include "octoipc/unique_fd.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

namespace octoipc {
namespace {

/// The descriptor, which the environment closes in the end if `owned`.
int64_t Made(Environment& environment, int64_t fd, bool owned) {
  if (fd >= 0 && owned) environment.Own(static_cast<int>(fd));
  return fd;
}

const sockaddr* AddressOf(const Bytes& address) {
  return reinterpret_cast<const sockaddr*>(address.data());
}

/// socket(2), close-on-exec from birth and non-blocking.
int64_t Socket(Environment& environment, int domain, int type, int protocol, bool owned) {
  return Made(environment, Retry([&] {
                return ::socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
              }),
              owned);
}

/// socketpair(2), close-on-exec from birth; `ends` gets the two descriptors.
int64_t SocketPair(Environment& environment, Integers ends, int domain, int type, int protocol,
                   bool owned) {
  if (ends.size() < 2) return -EINVAL;
  int fds[2];
  const int64_t made =
      Retry([&] { return ::socketpair(domain, type | SOCK_CLOEXEC, protocol, fds); });
  if (made < 0) return made;
  ends[0] = static_cast<int32_t>(Made(environment, fds[0], owned));
  ends[1] = static_cast<int32_t>(Made(environment, fds[1], owned));
  return 0;
}

int64_t Bind(int fd, Bytes address) {
  return Retry(
      [&] { return ::bind(fd, AddressOf(address), static_cast<socklen_t>(address.size())); });
}

int64_t Listen(int fd, int backlog) {
  return Retry([&] { return ::listen(fd, backlog); });
}

/// connect(2). Interrupted, it goes on by itself over TCP, and has to be begun anew over Unix
/// sockets: a second call does what is needed in either case.
int64_t Connect(int fd, Bytes address) {
  const auto connect = [&] {
    return ::connect(fd, AddressOf(address), static_cast<socklen_t>(address.size()));
  };
  int64_t result = ValueOrError(connect);
  if (result != -EINTR) return result;
  while (result == -EINTR) result = ValueOrError(connect);
  if (result == -EISCONN) return 0;
  return result == -EALREADY ? -EINPROGRESS : result;
}

/// accept4(2), close-on-exec from birth. `name` gets the peer's address, `length` its length.
int64_t Accept(Environment& environment, int fd, Bytes name, Integers length, int flags,
               bool owned) {
  if (length.empty()) return -EINVAL;
  socklen_t size = static_cast<socklen_t>(name.size());
  auto* address = name.empty() ? nullptr : reinterpret_cast<sockaddr*>(name.data());
  const int64_t made = Retry([&] {
    return ::accept4(fd, address, address == nullptr ? nullptr : &size, flags | SOCK_CLOEXEC);
  });
  length[0] = static_cast<int32_t>(size);
  return Made(environment, made, owned);
}

int64_t Shutdown(int fd, int how) {
  return Retry([&] { return ::shutdown(fd, how); });
}

/// getsockname(2), or getpeername(2) if `peer`: the address's length, which may be over the room.
int64_t Name(int fd, bool peer, Bytes out) {
  socklen_t size = static_cast<socklen_t>(out.size());
  auto* address = reinterpret_cast<sockaddr*>(out.data());
  const int64_t result = Retry(
      [&] { return peer ? ::getpeername(fd, address, &size) : ::getsockname(fd, address, &size); });
  return result < 0 ? result : static_cast<int64_t>(size);
}

/// getsockopt(2): how many bytes there are.
int64_t GetOption(int fd, int level, int option, Bytes out) {
  socklen_t size = static_cast<socklen_t>(out.size());
  const int64_t result = Retry([&] { return ::getsockopt(fd, level, option, out.data(), &size); });
  return result < 0 ? result : static_cast<int64_t>(size);
}

int64_t SetOption(int fd, int level, int option, Bytes value) {
  return Retry([&] {
    return ::setsockopt(fd, level, option, value.data(), static_cast<socklen_t>(value.size()));
  });
}

/// SO_PEERPIDFD: a pidfd of the peer, close-on-exec as the kernel makes all of them.
int64_t PeerPidfd(Environment& environment, int fd) {
  int pidfd = -1;
  socklen_t size = sizeof pidfd;
  const int64_t result =
      Retry([&] { return ::getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size); });
  return result < 0 ? result : Made(environment, pidfd, true);
}

int64_t Duplicate(Environment& environment, int fd, bool owned) {
  return Made(environment, Retry([&] { return ::fcntl(fd, F_DUPFD_CLOEXEC, 0); }), owned);
}

/// close(2) of a descriptor that no handle owns. Never repeated on EINTR: the descriptor is gone.
int64_t CloseUnowned(Environment& environment, int fd) {
  if (environment.Owns(fd)) return -EBUSY;
  const int64_t result = ValueOrError([&] { return ::close(fd); });
  return result == -EINTR ? 0 : result;
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

int64_t SetNonblocking(int fd, bool nonblocking) {
  const int64_t flags = StatusFlags(fd);
  if (flags < 0) return flags;
  const int now = static_cast<int>(flags);
  const int then = nonblocking ? now | O_NONBLOCK : now & ~O_NONBLOCK;
  if (then == now) return 0;
  return Retry([&] { return ::fcntl(fd, F_SETFL, then); });
}

int64_t SetCloseOnExec(int fd) {
  return Retry([&] { return ::fcntl(fd, F_SETFD, FD_CLOEXEC); });
}

/// FIONREAD: bytes that can be read now; of a datagram socket, those of the next one.
int64_t Available(int fd) {
  int count = 0;
  const int64_t result = Retry([&] { return ::ioctl(fd, FIONREAD, &count); });
  return result < 0 ? result : count;
}

void Register(Exports& exports) {
  ExportDescriptors(exports);
  ExportReadiness(exports);
  ExportTransfer(exports);
  ExportReceive(exports);
  ExportNames(exports);
  exports.Function<Socket>("socket")
      .Function<SocketPair>("socketpair")
      .Function<Bind>("bind")
      .Function<Listen>("listen")
      .Function<Connect>("connect")
      .Function<Accept>("accept")
      .Function<Shutdown>("shutdown")
      .Function<Name>("name")
      .Function<GetOption>("getOption")
      .Function<SetOption>("setOption")
      .Function<PeerPidfd>("peerPidfd")
      .Function<Duplicate>("duplicate")
      .Function<CloseUnowned>("closeUnowned")
      .Function<FileType>("fileType")
      .Function<StatusFlags>("statusFlags")
      .Function<SetNonblocking>("setNonblocking")
      .Function<SetCloseOnExec>("setCloseOnExec")
      .Function<Available>("available")
      .Number("mainThread", ::syscall(SYS_gettid) == ::getpid() ? 1 : 0);
}

}  // namespace
}  // namespace octoipc

OCTOIPC_ADDON(socket, octoipc::SocketEnvironment, octoipc::Register)
