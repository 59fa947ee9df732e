// The parts of this binding, one a file.
#pragma once

#include "octoipc/environment.h"

namespace octoipc {

void ExportPosix(Exports& exports);
void ExportNotify(Exports& exports);
void ExportSysv(Exports& exports);
void ExportSysvSync(Exports& exports);
void ExportSysvWait(Exports& exports);

}  // namespace octoipc
