// Messages with all that comes with them: recvmsg(2), recvmmsg(2), cmsg(3).
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "control.h"
#include "octoipc/environment.h"
#include "octoipc/retry.h"
#include "socket.h"

namespace octoipc {
namespace {

/// More memory than this is not kept for the end of a message that was long.
constexpr size_t kKept = 256 * 1024;

/// What is told of each message; the order is TypeScript's, too.
enum Found : size_t {
  kStart,
  kLength,  // bytes that came, in memory and then in its end
  kReal,    // bytes that it had
  kFlags,   // msg_flags
  kNameLength,
  kPid,  // -1: no credentials came
  kUid,
  kGid,
  kFds,      // descriptors that were kept
  kDropped,  // descriptors beyond those, which are closed
  kNumbersPerMessage
};

/// What is wanted, told in this order.
enum Wanted : size_t {
  kSocket,
  kOffset,
  kRoom,       // in memory, for each message
  kMost,       // messages
  kEnd,        // bytes of each beyond its room
  kMostOfFds,  // with each
  kNameRoom,
  kHow,        // flags of the call
  kCarriesFds  // whether messages can bring descriptors
};

/// One receive, as JavaScript wants it.
struct Receipt {
  int fd;
  int64_t offset;
  int64_t room;
  size_t most;
  size_t end;
  size_t fds;
  size_t name_room;
  int flags;
};

/// Takes over what came with one message: the first descriptors are the environment's, the others
/// are closed.
class Taker {
 public:
  Taker(SocketEnvironment& environment, Integers fds, int32_t* found)
      : environment_(environment), fds_(fds), found_(found) {}

  void Descriptor(int fd) {
    environment_.plenty_until = {};
    if (static_cast<size_t>(found_[kFds]) < fds_.size()) {
      environment_.Own(fd);
      fds_[static_cast<size_t>(found_[kFds]++)] = fd;
    } else {
      ::close(fd);
      ++found_[kDropped];
    }
  }

  void Sender(const ucred& identity) {
    found_[kPid] = identity.pid;
    found_[kUid] = static_cast<int32_t>(identity.uid);
    found_[kGid] = static_cast<int32_t>(identity.gid);
  }

  void Unwanted(int fd) { ::close(fd); }

 private:
  SocketEnvironment& environment_;
  const Integers fds_;
  int32_t* const found_;
};

/// How many descriptors this process can have beyond those that it has; 0 where the kernel does not
/// count them (before Linux 6.2).
size_t NumbersLeft() {
  struct stat folder{};
  rlimit limit{};
  if (::stat("/proc/self/fd", &folder) != 0 || ::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const auto open = static_cast<rlim_t>(folder.st_size);
  return open == 0 || open >= limit.rlim_cur ? 0 : limit.rlim_cur - open;
}

/// To look costs as much as to receive three messages. In this time nobody uses up what is left
/// where there is plenty.
constexpr auto kPlentyFor = std::chrono::milliseconds(1);

/// How many messages may be received at once, whatever descriptors they bring: what the kernel
/// cannot install is lost, so three quarters of the numbers that are left stay.
size_t MostWithFds(SocketEnvironment& environment) {
  const auto now = std::chrono::steady_clock::now();
  if (now < environment.plenty_until) return kMostAtOnce;
  const size_t most = NumbersLeft() / (4 * (kMostFds + 1));
  if (most >= kMostAtOnce) environment.plenty_until = now + kPlentyFor;
  return most;
}

/// Where the message of this index goes: `at` of the memory.
void Prepare(SocketEnvironment& environment, const Receipt& wanted, size_t index, int64_t at) {
  Arrivals& arrivals = *environment.arrivals;
  iovec* parts = arrivals.parts[index];
  const Bytes end = arrivals.End(index);
  parts[0] = {environment.memory.data() + at, static_cast<size_t>(wanted.room)};
  parts[1] = {end.data(), wanted.end};
  msghdr& message = arrivals.headers[index].msg_hdr;
  message = {};
  message.msg_iov = parts;
  message.msg_iovlen = wanted.end == 0 ? 1 : 2;
  message.msg_control = arrivals.controls[index];
  message.msg_controllen = kControlSize;
  if (wanted.name_room == 0) return;
  message.msg_name = environment.names.data() + index * wanted.name_room;
  message.msg_namelen = static_cast<socklen_t>(wanted.name_room);
}

/// Tells of a message of so many bytes, the first of which are at `at` of the memory; how many
/// those are.
int64_t Tell(SocketEnvironment& environment, const Receipt& wanted, size_t index, int64_t at,
             int64_t length) {
  msghdr& message = environment.arrivals->headers[index].msg_hdr;
  const int64_t kept = std::min(length, wanted.room + static_cast<int64_t>(wanted.end));
  int32_t* found = &environment.numbers[index * kNumbersPerMessage];
  found[kStart] = static_cast<int32_t>(at);
  found[kLength] = static_cast<int32_t>(kept);
  found[kReal] = static_cast<int32_t>(length);
  found[kFlags] = message.msg_flags;
  found[kNameLength] = wanted.name_room > 0 ? static_cast<int32_t>(message.msg_namelen) : 0;
  found[kPid] = -1;
  found[kFds] = 0;
  found[kDropped] = 0;
  if (message.msg_controllen > 0) {
    const Integers fds = environment.fds.subspan(index * kMostFds, wanted.fds);
    TakeControl(&message, Taker(environment, fds, found));
  }
  return std::min(kept, wanted.room);
}

int64_t ReceiveOne(SocketEnvironment& environment, const Receipt& wanted) {
  Prepare(environment, wanted, 0, wanted.offset);
  msghdr* message = &environment.arrivals->headers[0].msg_hdr;
  const int64_t length =
      Retry([&] { return ::recvmsg(wanted.fd, message, wanted.flags | MSG_CMSG_CLOEXEC); });
  if (length < 0) return length;
  Tell(environment, wanted, 0, wanted.offset, length);
  return 1;
}

/// As many as are there; where the other side has ended, that is told in place of all that could
/// have followed, as messages without bytes. Each has its room at first, and is moved to the end of
/// the one before.
int64_t ReceiveSeveral(SocketEnvironment& environment, const Receipt& wanted) {
  const auto count = static_cast<unsigned int>(wanted.most);
  mmsghdr* headers = environment.arrivals->headers;
  for (size_t i = 0; i < count; ++i) {
    Prepare(environment, wanted, i, wanted.offset + static_cast<int64_t>(i) * wanted.room);
  }
  // Once one message is there, the call must not wait for the next.
  const int flags = wanted.flags | MSG_CMSG_CLOEXEC | MSG_WAITFORONE;
  const int64_t came = Retry([&] { return ::recvmmsg(wanted.fd, headers, count, flags, nullptr); });
  int64_t at = wanted.offset;
  for (int64_t i = 0; i < came; ++i) {
    const auto index = static_cast<size_t>(i);
    const int64_t start = wanted.offset + i * wanted.room;
    const int64_t kept = Tell(environment, wanted, index, at, headers[index].msg_len);
    if (start != at) {
      uint8_t* memory = environment.memory.data();
      std::memmove(memory + at, memory + start, static_cast<size_t>(kept));
    }
    at += kept;
  }
  return came;
}

/// recvmsg(2), or recvmmsg(2) for more than one message. How many came, or -errno.
int64_t ReceiveMessages(Environment& base) {
  SocketEnvironment& environment = SocketEnvironment::Of(base);
  const Integers& told = environment.numbers;
  if (told.size() < kNumbersPerMessage * kMostAtOnce) return -EFAULT;
  const auto size = [&](Wanted which) { return static_cast<size_t>(std::max(told[which], 0)); };
  Receipt wanted = {
      .fd = told[kSocket],
      .offset = told[kOffset],
      .room = told[kRoom],
      .most = std::clamp<size_t>(size(kMost), 1, kMostAtOnce),
      .end = size(kEnd),
      .fds = std::min(size(kMostOfFds), kMostFds),
      .name_room = size(kNameRoom),
      .flags = told[kHow],
  };
  if (environment.fds.size() < kMostAtOnce * kMostFds ||
      environment.names.size() < kMostAtOnce * wanted.name_room) {
    return -EFAULT;
  }
  if (wanted.most > 1 && told[kCarriesFds] != 0) {
    wanted.most = std::clamp<size_t>(MostWithFds(environment), 1, wanted.most);
  }
  if (environment.arrivals == nullptr) environment.arrivals = std::make_unique<Arrivals>();
  Arrivals& arrivals = *environment.arrivals;
  if (wanted.most > 1 && (!Within(environment.memory, wanted.offset,
                                  wanted.room * static_cast<int64_t>(wanted.most)) ||
                          !arrivals.Reserve(wanted.most, wanted.end))) {
    wanted.most = 1;
  }
  if (wanted.most > 1) return ReceiveSeveral(environment, wanted);
  if (!Within(environment.memory, wanted.offset, wanted.room)) return -EFAULT;
  if (!arrivals.Reserve(1, wanted.end)) return -ENOMEM;
  return ReceiveOne(environment, wanted);
}

/// Copies the end of a long message into a part of memory.
int64_t TakeEnd(Environment& base, int index, Bytes into, int64_t offset) {
  const SocketEnvironment& environment = SocketEnvironment::Of(base);
  if (index < 0 || static_cast<size_t>(index) >= kMostAtOnce || environment.arrivals == nullptr ||
      !Within(into, offset, 0)) {
    return -EFAULT;
  }
  const Bytes end = environment.arrivals->End(static_cast<size_t>(index));
  const Bytes part = into.subspan(static_cast<size_t>(offset));
  if (part.size() > end.size()) return -EFAULT;
  std::memcpy(part.data(), end.data(), part.size());
  if (part.size() > kKept) {
    // Whole pages only; that they are kept costs nothing but memory.
    const auto begin = (reinterpret_cast<uintptr_t>(end.data()) + 0xffff) & ~uintptr_t{0xffff};
    const auto stop = reinterpret_cast<uintptr_t>(end.data() + part.size()) & ~uintptr_t{0xffff};
    ::madvise(reinterpret_cast<void*>(begin), stop - begin, MADV_DONTNEED);
  }
  return 0;
}

int64_t TellIn(Environment& environment, Integers numbers, Bytes names, Integers fds) {
  SocketEnvironment& state = SocketEnvironment::Of(environment);
  state.numbers = numbers;
  state.names = names;
  state.fds = fds;
  return 0;
}

int64_t ReceiveInto(Environment& environment, Bytes memory) {
  SocketEnvironment::Of(environment).memory = memory;
  return 0;
}

}  // namespace

void ExportReceive(Exports& exports) {
  exports.Function<TellIn>("tellIn")
      .Function<ReceiveInto>("receiveInto")
      .Function<ReceiveMessages>("receiveMessages")
      .Function<TakeEnd>("takeEnd");
}

}  // namespace octoipc
