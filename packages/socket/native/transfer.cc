// Data in and out of sockets: send(2), recv(2), and with addresses, descriptors and credentials
// sendmsg(2), cmsg(3).
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "octoipc/environment.h"
#include "octoipc/retry.h"
#include "socket.h"

namespace octoipc {
namespace {

/// recv(2) and send(2) move no more than this at once.
constexpr int64_t kLongest = 0x7ffff000;

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
  // Not by its name: musl copies what goes beside the data into less room than 253 descriptors with
  // credentials take.
  return Retry([&] { return ::syscall(SYS_sendmsg, fd, &message, flags | MSG_NOSIGNAL); });
}

}  // namespace

void ExportTransfer(Exports& exports) {
  exports.Function<Receive>("receive")
      .Function<Send>("send")
      .Function<SendMessage>("sendMessage")
      .Function<SendAgain>("sendAgain")
      .Function<SendOf>("sendOf");
}

}  // namespace octoipc
