// Semaphores and locks: sem_overview(7), svipc(7), futex(7).
#include "sem.h"

#include "octoipc/bell.h"
#include "octoipc/readiness.h"

namespace octoipc {
namespace {

void Register(Exports& exports) {
  ExportDescriptors(exports);
  ExportReadiness(exports);
  ExportBell(exports);
  ExportRegion(exports);
  ExportKeeper(exports);
  ExportWatch(exports);
  ExportPosix(exports);
  ExportSysv(exports);
  ExportSysvWait(exports);
}

}  // namespace
}  // namespace octoipc

OCTOIPC_ADDON(sem, octoipc::SemEnvironment, octoipc::Register)
