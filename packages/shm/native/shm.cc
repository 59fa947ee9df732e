// Shared memory: shm_overview(7), svipc(7), memfd_create(2), mmap(2).
#include "shm.h"

#include "octoipc/environment.h"
#include "octoipc/readiness.h"

namespace octoipc {
namespace {

void Register(Exports& exports) {
  ExportDescriptors(exports);
  ExportReadiness(exports);
  ExportFutex(exports);
  ExportObjects(exports);
  ExportMappings(exports);
  ExportSysv(exports);
  ExportRings(exports);
  ExportRacing(exports);
}

}  // namespace
}  // namespace octoipc

OCTOIPC_ADDON(shm, octoipc::Environment, octoipc::Register)
