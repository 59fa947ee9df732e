// The parts of this binding, one a file.
#pragma once

#include <memory>

#include "octoipc/environment.h"

namespace octoipc {

void ExportObjects(Exports& exports);
void ExportFutex(Exports& exports);
void ExportMappings(Exports& exports);
void ExportSysv(Exports& exports);
void ExportRings(Exports& exports);
void ExportRacing(Exports& exports);

class Region;
/// What a mapping of this environment has mapped; nullptr if it is closed.
std::shared_ptr<Region> RegionAt(Environment& environment, int index);

}  // namespace octoipc
