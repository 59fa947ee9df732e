// kill(2), tgkill(2), rt_sigqueueinfo(2) and what is like them.
#include "send.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "octoipc/retry.h"
#include "queued.h"

namespace octoipc {
namespace {

/// To one process; 0 asks whether there is one. Never to a group, whatever the number.
int64_t Kill(int pid, int number) {
  if (pid <= 0) return -EINVAL;
  return ValueOrError([&] { return ::kill(pid, number); });
}

/// To a group; 0 is that of the caller. kill(2) takes -1 for everyone, so there is no group 1.
int64_t KillGroup(int pgid, int number) {
  if (pgid < 0 || pgid == 1) return -EINVAL;
  return ValueOrError([&] { return ::kill(-pgid, number); });
}

int64_t KillThread(int tgid, int tid, int number) {
  return ValueOrError([&] { return ::syscall(SYS_tgkill, tgid, tid, number); });
}

/// sigqueue(3), with all 64 bits of a value; its high word is 0 where only 32 were given.
int64_t Queue(int pid, int number, int32_t low, int32_t high) {
  if (pid <= 0) return -EINVAL;
  const siginfo_t info = Queued(number, low, high);
  return ValueOrError([&] { return ::syscall(SYS_rt_sigqueueinfo, pid, number, &info); });
}

int64_t QueueToThread(int tgid, int tid, int number, int32_t low, int32_t high) {
  const siginfo_t info = Queued(number, low, high);
  return ValueOrError([&] { return ::syscall(SYS_rt_tgsigqueueinfo, tgid, tid, number, &info); });
}

int64_t ThreadIdOfCaller() { return ::syscall(SYS_gettid); }

}  // namespace

void ExportSending(Exports& exports) {
  exports.Function<Kill>("kill")
      .Function<KillGroup>("killGroup")
      .Function<KillThread>("killThread")
      .Function<Queue>("queue")
      .Function<QueueToThread>("queueToThread")
      .Function<ThreadIdOfCaller>("threadId");
}

}  // namespace octoipc
