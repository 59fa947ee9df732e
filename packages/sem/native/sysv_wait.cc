// semop(2) on a thread of ours. SEM_UNDO works there as on any other thread: threads that
// pthread_create(3) makes share one list of adjustments (CLONE_SYSVSEM), which the kernel undoes
// when the last of them has ended.
#include <sys/sem.h>

#include <memory>

#include "octoipc/bell.h"
#include "octoipc/calling_thread.h"
#include "octoipc/environment.h"
#include "sem.h"
#include "sysv.h"

namespace octoipc {
namespace {

CallingThread* WaitAt(Environment& environment, int index) {
  return static_cast<CallingThread*>(environment.Kept(index));
}

int64_t WaitOpen(Environment& environment, int bell, int32_t who) {
  std::shared_ptr<Bell> rings = BellAt(environment, bell);
  if (rings == nullptr) return -EBADF;
  return environment.Keep(std::make_unique<CallingThread>(std::move(rings), who));
}

int64_t WaitOperate(Environment& environment, int index, int id, Integers numbers) {
  CallingThread* wait = WaitAt(environment, index);
  if (wait == nullptr) return -EBADF;
  return wait->Begin([id, operations = OperationList(numbers)]() mutable {
    return ValueOrError([&] { return ::semop(id, operations.data(), operations.size()); });
  });
}

int64_t WaitResult(Environment& environment, int index) {
  CallingThread* wait = WaitAt(environment, index);
  return wait == nullptr ? -EBADF : wait->Result();
}

int64_t WaitStop(Environment& environment, int index) {
  CallingThread* wait = WaitAt(environment, index);
  return wait == nullptr ? -EBADF : wait->Stop();
}

}  // namespace

void ExportSysvWait(Exports& exports) {
  exports.Function<WaitOpen>("waitOpen")
      .Function<WaitOperate>("waitOperate")
      .Function<WaitResult>("waitResult")
      .Function<WaitStop>("waitStop");
}

}  // namespace octoipc
