// What comes with a message beside its bytes: cmsg(3).
#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif

namespace octoipc {

/// Hands over what came with a message: `sink.Descriptor(fd)` for each descriptor, which is the
/// sink's from then on, `sink.Sender(ucred)` for who has sent it, `sink.Unwanted(fd)` for what
/// nobody asks for. The kernel writes whole headers; no length is believed beyond what there is,
/// all the same.
template <typename Sink>
void TakeControl(msghdr* message, Sink&& sink) {
  const uint8_t* const end =
      static_cast<const uint8_t*>(message->msg_control) + message->msg_controllen;
  for (cmsghdr* header = CMSG_FIRSTHDR(message); header != nullptr;
       header = CMSG_NXTHDR(message, header)) {
    const uint8_t* const data = CMSG_DATA(header);
    const size_t told = header->cmsg_len;
    if (told < CMSG_LEN(0)) return;
    const size_t length = std::min(told - CMSG_LEN(0), static_cast<size_t>(end - data));
    const auto each = [&](auto&& take) {
      for (size_t at = 0; at + sizeof(int) <= length; at += sizeof(int)) {
        int fd = -1;
        std::memcpy(&fd, data + at, sizeof fd);
        take(fd);
      }
    };
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
      each([&](int fd) { sink.Descriptor(fd); });
    } else if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_PIDFD) {
      // Of a socket with SO_PASSPIDFD. Where there was no number left, it is an error's.
      each([&](int fd) {
        if (fd >= 0) sink.Unwanted(fd);
      });
    } else if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS &&
               length >= sizeof(ucred)) {
      ucred sender;
      std::memcpy(&sender, data, sizeof sender);
      sink.Sender(sender);
    }
    // Behind what is longer than there is, nothing can follow.
    if (told - CMSG_LEN(0) > length) return;
  }
}

}  // namespace octoipc
