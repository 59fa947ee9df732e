// Signals on their way out.
#pragma once

#include <cstdint>

#include "octoipc/environment.h"

namespace octoipc {

void ExportSending(Exports& exports);
void ExportProcesses(Exports& exports);

}  // namespace octoipc
