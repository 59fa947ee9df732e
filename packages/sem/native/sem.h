// The parts of this binding, one a file.
#pragma once

#include "octoipc/environment.h"

namespace octoipc {

/// Lifetime: JavaScript keeps the array that it has told of, until it tells of another.
class SemEnvironment : public Environment {
 public:
  using Environment::Environment;
  static SemEnvironment& Of(Environment& environment) {
    return static_cast<SemEnvironment&>(environment);
  }
  /// Operations on sets, as the next call takes them.
  Integers told;
};

void ExportRegion(Exports& exports);
void ExportKeeper(Exports& exports);
void ExportWatch(Exports& exports);
void ExportPosix(Exports& exports);
void ExportSysv(Exports& exports);
void ExportSysvWait(Exports& exports);

}  // namespace octoipc
