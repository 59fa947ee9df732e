// From what JavaScript passes to a plan of a start, and what came of it back.
#pragma once

#include "octoipc/environment.h"

namespace octoipc {

void ExportSpawn(Exports& exports);

}  // namespace octoipc
