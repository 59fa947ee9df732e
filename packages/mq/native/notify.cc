// mq_notify(3), told by a descriptor: neither a signal of the user's is taken over nor a thread
// started.
//
// SIGEV_THREAD is a fiction of libc: what the kernel does for it is to put a cookie of 32 bytes
// into a netlink socket, whose last byte says what happened. libc keeps a thread that reads that
// socket; here the socket is one more descriptor that readiness watches.
#include <linux/netlink.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "mq.h"
#include "octoipc/retry.h"

namespace octoipc {
namespace {

constexpr size_t kCookieLength = 32;

/// What the kernel writes over the cookie's last byte (linux/mqueue.h, ipc/mqueue.c).
constexpr int64_t kRemoved = 2;

using Cookie = std::array<uint8_t, kCookieLength>;

/// Marks our cookies: what else comes through the socket is not from mq_notify.
Cookie OurCookie() {
  Cookie cookie{};
  std::memcpy(cookie.data(), "octoipc mq_notify", 17);
  return cookie;
}

int64_t NotifySocket(Environment& environment) {
  const int64_t fd = Retry(
      [] { return ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE); });
  if (fd >= 0) environment.Own(static_cast<int>(fd));
  return fd;
}

/// Registers this process for the next message that comes while the queue is empty.
int64_t NotifyRegister(int queue, int socket) {
  Cookie cookie = OurCookie();
  sigevent event{};
  event.sigev_notify = SIGEV_THREAD;
  event.sigev_signo = socket;
  event.sigev_value.sival_ptr = cookie.data();
  return Retry([&] { return ::syscall(SYS_mq_notify, queue, &event); });
}

int64_t NotifyUnregister(int queue) {
  return Retry([&] { return ::syscall(SYS_mq_notify, queue, nullptr); });
}

/// What happened to the registration: 1 a message came, 2 it was removed; -EAGAIN if nothing did.
int64_t NotifyRead(int socket) {
  for (;;) {
    Cookie cookie{};
    const int64_t length =
        Retry([&] { return ::recv(socket, cookie.data(), cookie.size(), MSG_DONTWAIT); });
    if (length < 0) return length;
    const Cookie ours = OurCookie();
    if (length == static_cast<int64_t>(kCookieLength) &&
        std::memcmp(cookie.data(), ours.data(), kCookieLength - 1) == 0) {
      return cookie.back() == kRemoved ? 2 : 1;
    }
  }
}

}  // namespace

void ExportNotify(Exports& exports) {
  exports.Function<NotifySocket>("notifySocket")
      .Function<NotifyRegister>("notifyRegister")
      .Function<NotifyUnregister>("notifyUnregister")
      .Function<NotifyRead>("notifyRead");
}

}  // namespace octoipc
