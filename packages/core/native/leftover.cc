#include "leftover.h"

#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "octoipc/retry.h"
#include "octoipc/unique_fd.h"

namespace octoipc {
namespace {

bool IsSame(const struct stat& status, double device, double inode) {
  return static_cast<double>(status.st_dev) == device &&
         static_cast<double>(status.st_ino) == inode;
}

/// Whether there is no such object any more: what it was may have been removed, or be another's.
bool Gone(int64_t result) {
  return result == -ENOENT || result == -EINVAL || result == -EIDRM || result == -ENOTDIR;
}

bool RemoveFile(const std::string& path, double device, double inode) {
  struct stat status{};
  const int64_t looked = Retry([&] { return ::lstat(path.c_str(), &status); });
  if (looked < 0) return Gone(looked);
  if (!IsSame(status, device, inode)) return true;
  const int64_t removed = Retry([&] { return ::unlink(path.c_str()); });
  return removed == 0 || Gone(removed);
}

/// Opened for either, since its mode may allow but one.
bool RemoveQueue(const std::string& name, double device, double inode) {
  int64_t opened = -EACCES;
  for (const int access : {O_RDONLY, O_WRONLY}) {
    if (opened != -EACCES) break;
    opened = Retry([&] {
      return ::syscall(SYS_mq_open, name.c_str() + 1, access | O_NONBLOCK | O_CLOEXEC, 0, nullptr);
    });
  }
  // Its mode keeps its own owner out: its file does not, where the queues are mounted.
  if (opened == -EACCES) return RemoveFile("/dev/mqueue" + name, device, inode);
  if (opened < 0) return Gone(opened);
  const UniqueFd fd(static_cast<int>(opened));
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return false;
  if (!IsSame(status, device, inode)) return true;
  const int64_t removed = Retry([&] { return ::syscall(SYS_mq_unlink, name.c_str() + 1); });
  return removed == 0 || Gone(removed);
}

/// The id tells it from every other, those that have its key included.
bool RemoveSystemV(Removal removal, int id) {
  const int64_t removed = Retry([&] {
    switch (removal) {
      case Removal::kMsgctl:
        return ::msgctl(id, IPC_RMID, nullptr);
      case Removal::kSemctl:
        return ::semctl(id, 0, IPC_RMID);
      default:
        return ::shmctl(id, IPC_RMID, nullptr);
    }
  });
  return removed == 0 || Gone(removed);
}

}  // namespace

Leftover::~Leftover() {
  // What cannot be removed keeps its record, for reap.
  if (forgotten_ || !Remove()) return;
  ::unlink(record_.c_str());
  // Fails where others have records there.
  ::rmdir(record_.substr(0, record_.rfind('/')).c_str());
}

bool Leftover::Remove() const {
  switch (removal_) {
    case Removal::kUnlink:
      return RemoveFile(target_, first_, second_);
    case Removal::kMqUnlink:
      return RemoveQueue(target_, first_, second_);
    default:
      return RemoveSystemV(removal_, static_cast<int>(first_));
  }
}

}  // namespace octoipc
