// The system calls of programs at the other end of a pipe: clone(2), waitid(2), pidfd_open(2).
#include "child.h"
#include "octoipc/environment.h"
#include "octoipc/readiness.h"
#include "plan.h"

namespace octoipc {
namespace {

void Register(Exports& exports) {
  ExportDescriptors(exports);
  ExportReadiness(exports);
  ExportSpawn(exports);
  ExportChildren(exports);
}

}  // namespace
}  // namespace octoipc

OCTOIPC_ADDON(popen, octoipc::PopenEnvironment, octoipc::Register)
