// Data in and out of sockets: send(2), recv(2), and with addresses, descriptors and credentials
// sendmsg(2) and recvmsg(2), cmsg(3).
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "octoipc/environment.h"
#include "octoipc/retry.h"
#include "socket.h"

namespace octoipc {
namespace {

/// The kernel's SCM_MAX_FD: as many descriptors travel in one message.
constexpr size_t kMostFds = 253;

/// recv(2) and send(2) move no more than this at once.
constexpr int64_t kLongest = 0x7ffff000;

/// Room for all ancillary data that a peer can make the kernel deliver: with less, descriptors
/// would be lost, or, since CMSG_SPACE rounds up, one more would come than was asked for.
constexpr size_t kControlSize =
    CMSG_SPACE(kMostFds * sizeof(int)) + CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(64);

/// recv(2) into a part of memory.
int64_t Receive(int fd, Bytes into, int64_t offset, int64_t length, int flags) {
  if (!Within(into, offset, length)) return -EFAULT;
  return Retry([&] {
    return ::recv(fd, into.data() + offset, static_cast<size_t>(std::min(length, kLongest)), flags);
  });
}

/// send(2) of a part of memory. A peer that is gone is EPIPE, and no signal.
int64_t Send(int fd, Bytes from, int64_t offset, int64_t length, int flags) {
  if (!Within(from, offset, length)) return -EFAULT;
  return Retry([&] {
    return ::send(fd, from.data() + offset, static_cast<size_t>(std::min(length, kLongest)),
                  flags | MSG_NOSIGNAL);
  });
}

/// send(2) of a part of what was sent last. Told of: the descriptor, the part's offset and length,
/// flags.
int64_t SendAgain(Environment& environment) {
  const SocketEnvironment& state = SocketEnvironment::Of(environment);
  const Integers& told = state.numbers;
  if (told.size() < 4) return -EFAULT;
  return Send(told[0], state.sent, told[1], told[2], told[3]);
}

/// The same of other memory.
int64_t SendOf(Environment& environment, Bytes from) {
  SocketEnvironment::Of(environment).sent = from;
  return SendAgain(environment);
}

template <typename T>
void Append(msghdr* message, int type, const T* values, size_t count) {
  auto* header = reinterpret_cast<cmsghdr*>(static_cast<char*>(message->msg_control) +
                                            message->msg_controllen);
  std::memset(header, 0, CMSG_SPACE(count * sizeof(T)));
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = type;
  header->cmsg_len = CMSG_LEN(count * sizeof(T));
  std::memcpy(CMSG_DATA(header), values, count * sizeof(T));
  message->msg_controllen += CMSG_SPACE(count * sizeof(T));
}

/// sendmsg(2): descriptors if `fds` has any, credentials (pid, uid, gid) if there are three, an
/// address if it is not empty.
int64_t SendMessage(int fd, Bytes data, int64_t offset, int64_t length, Integers fds,
                    Integers credentials, Bytes address, int flags) {
  if (!Within(data, offset, length) || fds.size() > kMostFds) return -EINVAL;
  alignas(cmsghdr) char control[kControlSize];
  iovec part = {data.data() + offset, static_cast<size_t>(std::min(length, kLongest))};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (!address.empty()) {
    message.msg_name = address.data();
    message.msg_namelen = static_cast<socklen_t>(address.size());
  }
  message.msg_control = control;
  if (!fds.empty()) Append(&message, SCM_RIGHTS, fds.data(), fds.size());
  if (credentials.size() == 3) {
    const ucred identity = {credentials[0], static_cast<uid_t>(credentials[1]),
                            static_cast<gid_t>(credentials[2])};
    Append(&message, SCM_CREDENTIALS, &identity, 1);
  }
  if (message.msg_controllen == 0) message.msg_control = nullptr;
  return Retry([&] { return ::sendmsg(fd, &message, flags | MSG_NOSIGNAL); });
}

/// What ReceiveMessages tells of each message; the order is TypeScript's, too.
enum Found : size_t {
  kStart,
  kLength,  // bytes that came, in memory and then in the spill
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

/// Takes the descriptors of one message over: the first ones are the environment's, the others are
/// closed.
void TakeFds(SocketEnvironment& environment, const cmsghdr* header, Integers fds, int32_t* found) {
  const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  for (size_t i = 0; i < count; ++i) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
    if (static_cast<size_t>(found[kFds]) < fds.size()) {
      environment.Own(fd);
      fds[static_cast<size_t>(found[kFds]++)] = fd;
    } else {
      ::close(fd);
      ++found[kDropped];
    }
  }
}

void TakeControl(SocketEnvironment& environment, msghdr* message, Integers fds, int32_t* found) {
  for (cmsghdr* header = CMSG_FIRSTHDR(message); header != nullptr;
       header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level != SOL_SOCKET) continue;
    if (header->cmsg_type == SCM_RIGHTS) {
      TakeFds(environment, header, fds, found);
    } else if (header->cmsg_type == SCM_CREDENTIALS) {
      ucred identity;
      std::memcpy(&identity, CMSG_DATA(header), sizeof identity);
      found[kPid] = identity.pid;
      found[kUid] = static_cast<int32_t>(identity.uid);
      found[kGid] = static_cast<int32_t>(identity.gid);
    }
  }
}

/// recvmsg(2), again and again, for as many messages. Each needs `room` bytes of the memory from an
/// offset on; what one has beyond goes to the spill. Ends early after a message that is empty, that
/// used the spill or that brought descriptors: those are up to the caller. How many came, or -errno
/// if none did. Told of: the descriptor, the offset, the room, how many messages, how much of the
/// spill, how many descriptors, the room for each address, flags.
int64_t ReceiveMessages(Environment& base) {
  SocketEnvironment& environment = SocketEnvironment::Of(base);
  const Integers& numbers = environment.numbers;
  const Bytes& memory = environment.memory;
  if (numbers.size() < kNumbersPerMessage) return -EFAULT;
  const int fd = numbers[0];
  const int64_t offset = numbers[1];
  const int64_t room = numbers[2];
  const size_t most =
      std::min(static_cast<size_t>(std::max(numbers[3], 0)), numbers.size() / kNumbersPerMessage);
  const Bytes spill = environment.spill.first(
      std::min(static_cast<size_t>(std::max(numbers[4], 0)), environment.spill.size()));
  const Integers fds = environment.fds.first(
      std::min(static_cast<size_t>(std::max(numbers[5], 0)), environment.fds.size()));
  const size_t name_room = static_cast<size_t>(std::max(numbers[6], 0));
  const int flags = numbers[7];
  if (most * name_room > environment.names.size()) return -EFAULT;
  alignas(cmsghdr) char control[kControlSize];
  int64_t at = offset;
  size_t count = 0;
  while (count < most && Within(memory, at, room)) {
    int32_t* found = &numbers[count * kNumbersPerMessage];
    iovec parts[2] = {{memory.data() + at, static_cast<size_t>(room)},
                      {spill.data(), spill.size()}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = spill.empty() ? 1 : 2;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (name_room > 0) {
      message.msg_name = environment.names.data() + count * name_room;
      message.msg_namelen = static_cast<socklen_t>(name_room);
    }
    // Once one message is there, the call must not wait for the next.
    const int how = (count == 0 ? flags : flags | MSG_DONTWAIT) | MSG_CMSG_CLOEXEC;
    const int64_t result = Retry([&] { return ::recvmsg(fd, &message, how); });
    if (result < 0) return count > 0 ? static_cast<int64_t>(count) : result;
    const int64_t kept = std::min(result, room + static_cast<int64_t>(spill.size()));
    found[kStart] = static_cast<int32_t>(at);
    found[kLength] = static_cast<int32_t>(kept);
    found[kReal] = static_cast<int32_t>(result);
    found[kFlags] = message.msg_flags;
    found[kNameLength] = name_room > 0 ? static_cast<int32_t>(message.msg_namelen) : 0;
    found[kPid] = -1;
    found[kFds] = 0;
    found[kDropped] = 0;
    if (message.msg_controllen > 0) TakeControl(environment, &message, fds, found);
    at += std::min(kept, room);
    ++count;
    if (kept == 0 || kept > room || found[kFds] > 0 || found[kDropped] > 0 ||
        (message.msg_flags & MSG_CTRUNC) != 0) {
      break;
    }
  }
  return static_cast<int64_t>(count);
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

int64_t SpillInto(Environment& environment, Bytes memory) {
  SocketEnvironment::Of(environment).spill = memory;
  return 0;
}

}  // namespace

void ExportTransfer(Exports& exports) {
  exports.Function<Receive>("receive")
      .Function<Send>("send")
      .Function<SendMessage>("sendMessage")
      .Function<SendAgain>("sendAgain")
      .Function<SendOf>("sendOf")
      .Function<TellIn>("tellIn")
      .Function<ReceiveInto>("receiveInto")
      .Function<SpillInto>("spillInto")
      .Function<ReceiveMessages>("receiveMessages");
}

}  // namespace octoipc
