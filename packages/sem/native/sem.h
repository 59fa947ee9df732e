// The parts of this binding, one a file.
#pragma once

#include "octoipc/environment.h"

namespace octoipc {

void ExportRegion(Exports& exports);
void ExportKeeper(Exports& exports);
void ExportWatch(Exports& exports);
void ExportPosix(Exports& exports);
void ExportSysv(Exports& exports);
void ExportSysvWait(Exports& exports);

}  // namespace octoipc
