// System V message queues: what the calls of msgop(2) need, whoever makes them.
#pragma once

#include <sys/ipc.h>
#include <sys/msg.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "numbers.h"
#include "octoipc/args.h"

namespace octoipc {

/// Where the next message may begin: at a multiple of its type's size.
inline size_t AlignedForMessage(size_t at) {
  return (at + sizeof(long) - 1) / sizeof(long) * sizeof(long);
}

/// Tells of a message that msgrcv(2) has left at `at`: its type, then its bytes. How far the next
/// one must be from there.
inline size_t TellReceived(Numbers found, int64_t index, size_t at, const uint8_t* message,
                           int64_t length) {
  long type = 0;
  std::memcpy(&type, message, sizeof type);
  Tell(found, index, at + sizeof type, length, type);
  return AlignedForMessage(sizeof type + static_cast<size_t>(length));
}

/// A message as msgsnd(2) takes it: its type, then its bytes. A short one needs no allocation.
class OutgoingMessage {
 public:
  OutgoingMessage(Bytes data, int64_t type) : size_(data.size()) {
    char* at = inline_;
    if (size_ > kInline) {
      heap_ = std::make_unique<char[]>(sizeof(long) + size_);
      at = heap_.get();
    }
    const long own_type = static_cast<long>(type);
    std::memcpy(at, &own_type, sizeof own_type);
    if (size_ > 0) std::memcpy(at + sizeof own_type, data.data(), size_);
  }

  const void* message() const { return heap_ ? heap_.get() : inline_; }
  size_t size() const { return size_; }

 private:
  static constexpr size_t kInline = 8192;
  size_t size_;
  std::unique_ptr<char[]> heap_;
  alignas(long) char inline_[sizeof(long) + kInline];
};

}  // namespace octoipc
