// System V shared memory: svipc(7), shmget(2), shmctl(2). Attaching is in region.cc.
#include <sys/ipc.h>
#include <sys/shm.h>

#include <string>

#include "octoipc/ipc_owner.h"
#include "octoipc/retry.h"
#include "shm.h"

namespace octoipc {
namespace {

/// shmget(2), whose mode the umask does not change.
int64_t SysvGet(int32_t key, int64_t size, bool create, bool exclusive, uint32_t mode, bool huge) {
  const int flags =
      (create ? IPC_CREAT : 0) | (exclusive ? IPC_EXCL : 0) | (huge ? SHM_HUGETLB : 0);
  return Retry(
      [&] { return ::shmget(key, static_cast<size_t>(size), flags | static_cast<int>(mode)); });
}

/// shmctl(IPC_STAT), in the order that sysv-status.ts has.
int64_t SysvStat(int id, Numbers out) {
  if (out.size() < 15) return -EFAULT;
  shmid_ds status{};
  const int64_t result = Retry([&] { return ::shmctl(id, IPC_STAT, &status); });
  if (result < 0) return result;
  const ipc_perm& owner = status.shm_perm;
  const double values[] = {static_cast<double>(KeyOf(owner)),
                           static_cast<double>(owner.mode),
                           static_cast<double>(owner.uid),
                           static_cast<double>(owner.gid),
                           static_cast<double>(owner.cuid),
                           static_cast<double>(owner.cgid),
                           static_cast<double>(status.shm_segsz),
                           static_cast<double>(status.shm_nattch),
                           static_cast<double>(status.shm_cpid),
                           static_cast<double>(status.shm_lpid),
                           static_cast<double>(status.shm_atime),
                           static_cast<double>(status.shm_dtime),
                           static_cast<double>(status.shm_ctime),
                           static_cast<double>(SequenceOf(owner)),
                           static_cast<double>(SHMLBA)};
  std::copy(std::begin(values), std::end(values), out.begin());
  return 0;
}

/// shmctl(IPC_SET); what is negative stays as it is.
int64_t SysvSet(int id, int64_t mode, int64_t uid, int64_t gid) {
  shmid_ds status{};
  const int64_t result = Retry([&] { return ::shmctl(id, IPC_STAT, &status); });
  if (result < 0) return result;
  if (mode >= 0) status.shm_perm.mode = static_cast<decltype(status.shm_perm.mode)>(mode);
  if (uid >= 0) status.shm_perm.uid = static_cast<uid_t>(uid);
  if (gid >= 0) status.shm_perm.gid = static_cast<gid_t>(gid);
  return Retry([&] { return ::shmctl(id, IPC_SET, &status); });
}

int64_t SysvRemove(int id) {
  return Retry([&] { return ::shmctl(id, IPC_RMID, nullptr); });
}

int64_t SysvLock(int id, bool lock) {
  return Retry([&] { return ::shmctl(id, lock ? SHM_LOCK : SHM_UNLOCK, nullptr); });
}

/// ftok(3); -1 is a key as well as a failure, which errno tells apart.
int64_t Ftok(const std::string& path, int project, Integers out) {
  if (out.empty()) return -EFAULT;
  errno = 0;
  const key_t key = ::ftok(path.c_str(), project);
  const int error = errno;
  if (key == -1 && error != 0) return -error;
  out[0] = key;
  return 0;
}

}  // namespace

void ExportSysv(Exports& exports) {
  exports.Function<SysvGet>("sysvGet")
      .Function<SysvStat>("sysvStat")
      .Function<SysvSet>("sysvSet")
      .Function<SysvRemove>("sysvRemove")
      .Function<SysvLock>("sysvLock")
      .Function<Ftok>("ftok");
}

}  // namespace octoipc
