// The parts of this binding, one a file.
#pragma once

#include <vector>

#include "numbers.h"
#include "octoipc/environment.h"

namespace octoipc {

/// To ask JavaScript for the address of a typed array takes a twentieth of a microsecond, and more
/// than a call's other arguments together. So some are told of once.
///
/// Lifetime: JavaScript keeps what it has told of, and says so when that is to be used no more:
/// when another takes its place, or when its memory was transferred away, and it is empty.
class MqEnvironment : public Environment {
 public:
  using Environment::Environment;
  static MqEnvironment& Of(Environment& environment) {
    return static_cast<MqEnvironment&>(environment);
  }
  /// Where messages are received; what a call is told, and then what it tells of them.
  struct {
    Bytes memory;
    Numbers found;
  } receiving;
  /// Where a System V message is received that goes, without its type, to memory of the caller's.
  std::vector<uint8_t> beside;
  /// The message that was sent last.
  Bytes sent;
};

void ExportPosix(Exports& exports);
void ExportNotify(Exports& exports);
void ExportSysv(Exports& exports);
void ExportSysvTransfer(Exports& exports);
void ExportSysvWait(Exports& exports);

}  // namespace octoipc
