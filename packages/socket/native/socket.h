// What the parts of this binding export.
#pragma once

#include "octoipc/environment.h"

namespace octoipc {

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
