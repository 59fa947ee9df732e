// System V message queues: svipc(7), msgget(2), msgop(2), msgctl(2).
#include "sysv.h"

#include <sys/ipc.h>
#include <sys/msg.h>

#include <string>

#include "mq.h"
#include "numbers.h"
#include "octoipc/ipc_owner.h"
#include "octoipc/retry.h"

// The kernel's own number (linux/msg.h); not every C library has it.
#ifndef MSG_COPY
#define MSG_COPY 040000
#endif

namespace octoipc {
namespace {

int64_t SysvGet(int32_t key, bool create, bool exclusive, uint32_t mode) {
  const int flags = (create ? IPC_CREAT : 0) | (exclusive ? IPC_EXCL : 0);
  return Retry([&] { return ::msgget(key, flags | static_cast<int>(mode)); });
}

/// msgctl(IPC_STAT), in the order of SYSV_STAT in binding.ts.
int64_t SysvStat(int id, Numbers out) {
  if (out.size() < 15) return -EFAULT;
  msqid_ds status{};
  const int64_t result = Retry([&] { return ::msgctl(id, IPC_STAT, &status); });
  if (result < 0) return result;
  const ipc_perm& owner = status.msg_perm;
  const double values[] = {
      static_cast<double>(KeyOf(owner)),      static_cast<double>(owner.mode & 0777),
      static_cast<double>(owner.uid),         static_cast<double>(owner.gid),
      static_cast<double>(owner.cuid),        static_cast<double>(owner.cgid),
      static_cast<double>(BytesIn(status)),   static_cast<double>(status.msg_qnum),
      static_cast<double>(status.msg_qbytes), static_cast<double>(status.msg_lspid),
      static_cast<double>(status.msg_lrpid),  static_cast<double>(status.msg_stime),
      static_cast<double>(status.msg_rtime),  static_cast<double>(status.msg_ctime),
      static_cast<double>(SequenceOf(owner))};
  std::copy(std::begin(values), std::end(values), out.begin());
  return 0;
}

/// msgctl(IPC_SET); what is negative stays as it is.
int64_t SysvSet(int id, int64_t mode, int64_t uid, int64_t gid, int64_t max_bytes) {
  msqid_ds status{};
  const int64_t result = Retry([&] { return ::msgctl(id, IPC_STAT, &status); });
  if (result < 0) return result;
  if (mode >= 0) status.msg_perm.mode = static_cast<decltype(status.msg_perm.mode)>(mode);
  if (uid >= 0) status.msg_perm.uid = static_cast<uid_t>(uid);
  if (gid >= 0) status.msg_perm.gid = static_cast<gid_t>(gid);
  if (max_bytes >= 0) status.msg_qbytes = static_cast<decltype(status.msg_qbytes)>(max_bytes);
  return Retry([&] { return ::msgctl(id, IPC_SET, &status); });
}

int64_t SysvRemove(int id) {
  return Retry([&] { return ::msgctl(id, IPC_RMID, nullptr); });
}

/// ftok(3); the key is never negative on Linux's error path, so the errno is told by `out`.
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
      .Function<Ftok>("ftok")
      .Number("noError", MSG_NOERROR)
      .Number("except", MSG_EXCEPT)
      .Number("copy", MSG_COPY);
}

}  // namespace octoipc
