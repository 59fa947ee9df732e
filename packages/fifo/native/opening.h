// Opening a FIFO when the other side is not there yet.
#pragma once

#include "octoipc/environment.h"

namespace octoipc {

void ExportOpening(Exports& exports);

}  // namespace octoipc
