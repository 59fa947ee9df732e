// What the parts of this binding export.
#pragma once

#include <sys/mman.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>

#include "octoipc/environment.h"

namespace octoipc {

/// The kernel's SCM_MAX_FD: as many descriptors travel in one message.
inline constexpr size_t kMostFds = 253;

/// Room for all ancillary data that a peer can make the kernel deliver: with less, descriptors
/// would be lost, or, since CMSG_SPACE rounds up, one more would come than was asked for.
inline constexpr size_t kControlSize =
    CMSG_SPACE(kMostFds * sizeof(int)) + CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(64);

/// As many messages are received in one system call.
inline constexpr size_t kMostAtOnce = 16;

/// What recvmmsg(2) fills, and where the end of each message goes that is longer than its part of
/// the memory.
///
/// Lifetime: of its environment. The memory for ends is address space until a message needs it.
class Arrivals {
 public:
  Arrivals() = default;
  Arrivals(const Arrivals&) = delete;
  Arrivals& operator=(const Arrivals&) = delete;
  ~Arrivals() { Unmap(); }

  /// Has room for the ends of so many messages; false if there is no address space for them.
  bool Reserve(size_t count, size_t each) {
    each_ = each;
    if (count * each <= mapped_) return true;
    void* more = ::mmap(nullptr, count * each, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (more == MAP_FAILED) return false;
    Unmap();
    ends_ = static_cast<uint8_t*>(more);
    mapped_ = count * each;
    return true;
  }
  Bytes End(size_t index) const { return {ends_ + index * each_, each_}; }

  mmsghdr headers[kMostAtOnce] = {};
  iovec parts[kMostAtOnce][2] = {};
  alignas(cmsghdr) char controls[kMostAtOnce][kControlSize] = {};

 private:
  void Unmap() {
    if (mapped_ > 0) ::munmap(ends_, mapped_);
    mapped_ = 0;
  }

  uint8_t* ends_ = nullptr;
  size_t mapped_ = 0;
  size_t each_ = 0;
};

/// To ask JavaScript for the address of a typed array, or for each of many numbers, takes more than
/// all else of a small call. So some memory is told of once, and numbers cross in one array.
///
/// Lifetime: JavaScript keeps what it has told of, and says so when that is to be used no more:
/// when another takes its place, or when its memory was transferred away, and it is empty.
class SocketEnvironment : public Environment {
 public:
  using Environment::Environment;
  static SocketEnvironment& Of(Environment& environment) {
    return static_cast<SocketEnvironment&>(environment);
  }
  /// What a call is told, and then what it tells of each message.
  Integers numbers;
  /// Addresses and descriptors of the messages that were received last.
  Bytes names;
  Integers fds;
  /// Where messages are received.
  Bytes memory;
  /// Made at the first receive.
  std::unique_ptr<Arrivals> arrivals;
  /// What was sent last.
  Bytes sent;
  /// Until then there are descriptors for as many messages as can be received at once.
  std::chrono::steady_clock::time_point plenty_until;
};

/// Data, descriptors and credentials out of a socket, and plain data in: send(2), recv(2).
void ExportTransfer(Exports& exports);
/// Messages with all that comes with them: recvmsg(2), recvmmsg(2).
void ExportReceive(Exports& exports);
/// What has a path: names, their modes and locks.
void ExportNames(Exports& exports);

/// The part of an array that a call may use; empty where it does not fit.
inline bool Within(const Bytes& bytes, int64_t offset, int64_t length) {
  return offset >= 0 && length >= 0 && static_cast<uint64_t>(offset) <= bytes.size() &&
         static_cast<uint64_t>(length) <= bytes.size() - static_cast<uint64_t>(offset);
}

}  // namespace octoipc
