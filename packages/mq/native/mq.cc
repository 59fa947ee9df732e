// Message queues: mq_overview(7) and svipc(7).
#include "mq.h"

#include "octoipc/environment.h"
#include "octoipc/readiness.h"

namespace octoipc {
namespace {

void Register(Exports& exports) {
  ExportDescriptors(exports);
  ExportReadiness(exports);
  ExportPosix(exports);
  ExportNotify(exports);
  ExportSysv(exports);
  ExportSysvSync(exports);
  ExportSysvWait(exports);
}

}  // namespace
}  // namespace octoipc

OCTOIPC_ADDON(mq, octoipc::Environment, octoipc::Register)
