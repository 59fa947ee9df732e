// What the parts of this binding export.
#pragma once

#include "octoipc/environment.h"

namespace octoipc {

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
  /// Where messages are received, and the end of a long one.
  Bytes memory;
  Bytes spill;
  /// What was sent last.
  Bytes sent;
};

/// Data, descriptors and credentials in and out of a socket: send(2), recv(2).
void ExportTransfer(Exports& exports);
/// What has a path: names, their modes and locks.
void ExportNames(Exports& exports);

/// The part of an array that a call may use; empty where it does not fit.
inline bool Within(const Bytes& bytes, int64_t offset, int64_t length) {
  return offset >= 0 && length >= 0 && static_cast<uint64_t>(offset) <= bytes.size() &&
         static_cast<uint64_t>(length) <= bytes.size() - static_cast<uint64_t>(offset);
}

}  // namespace octoipc
