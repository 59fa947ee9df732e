// splice(2) and tee(2).
#pragma once

#include "octoipc/environment.h"

namespace octoipc {

void ExportTransfer(Exports& exports);

}  // namespace octoipc
