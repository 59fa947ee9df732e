// Message queues: mq_overview(7) and svipc(7).
#include "mq.h"

#include "octoipc/environment.h"
#include "octoipc/readiness.h"

namespace octoipc {
namespace {

int64_t ReceiveInto(Environment& environment, Bytes memory) {
  MqEnvironment::Of(environment).receiving.memory = memory;
  return 0;
}

int64_t TellIn(Environment& environment, Numbers found) {
  MqEnvironment::Of(environment).receiving.found = found;
  return 0;
}

void Register(Exports& exports) {
  exports.Function<ReceiveInto>("receiveInto").Function<TellIn>("tellIn");
  ExportDescriptors(exports);
  ExportReadiness(exports);
  ExportPosix(exports);
  ExportNotify(exports);
  ExportSysv(exports);
  ExportSysvTransfer(exports);
  ExportSysvWait(exports);
}

}  // namespace
}  // namespace octoipc

OCTOIPC_ADDON(mq, octoipc::MqEnvironment, octoipc::Register)
