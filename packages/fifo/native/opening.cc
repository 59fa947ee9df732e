#include "opening.h"

#include <fcntl.h>

#include <array>
#include <cstdio>
#include <memory>
#include <utility>

#include "octoipc/retry.h"
#include "octoipc/unique_fd.h"
#include "octoipc/waiting_thread.h"

namespace octoipc {
namespace {

/// open(2) in blocking mode, on a thread of its own. A reader that itself blocks in open(2), as
/// cat(1) and the shells do, is seen by nothing else: it has no descriptor yet, and inotify(7)
/// tells of an open only when it is over.
///
/// Lifetime:
/// 1. Holds a duplicate of a descriptor of the FIFO and opens that through /proc/self/fd: what was
///    checked is what is opened, whatever the path means by now.
/// 2. Owns what it has opened until that is taken.
/// 3. Cancelling gets the thread out of open(2) by a signal.
class Opening : public WaitingThread {
 public:
  Opening(UniqueFd fifo, int access) : fifo_(std::move(fifo)), access_(access) {}
  ~Opening() override { Cancel(); }

  int64_t Begin() {
    return Start([this](const WaitingThread&) { return Run(); });
  }

  /// Only after it has ended.
  int Take() { return opened_.release(); }

 private:
  int64_t Run() {
    std::array<char, 32> path;
    std::snprintf(path.data(), path.size(), "/proc/self/fd/%d", fifo_.get());
    while (!cancelled()) {
      const int64_t fd =
          ValueOrError([&] { return ::open(path.data(), access_ | O_CLOEXEC | O_NOCTTY); });
      if (fd == -EINTR) continue;
      if (fd < 0) return fd;
      opened_.reset(static_cast<int>(fd));
      // Nobody else has this open file description.
      return Retry([&] { return ::fcntl(opened_.get(), F_SETFL, O_NONBLOCK); });
    }
    return -ECANCELED;
  }

  UniqueFd fifo_;
  int access_;
  UniqueFd opened_;
};

Opening* OpeningAt(Environment& environment, int index) {
  return static_cast<Opening*>(environment.Kept(index));
}

/// Begins to open, to write or to read, the FIFO that a descriptor stands for; its index.
int64_t OpeningStart(Environment& environment, int fd, bool write) {
  UniqueFd fifo(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!fifo) return -errno;
  auto opening = std::make_unique<Opening>(std::move(fifo), write ? O_WRONLY : O_RDONLY);
  const int64_t started = opening->Begin();
  if (started < 0) return started;
  return environment.Keep(std::move(opening));
}

/// A descriptor, owned by JavaScript, that becomes readable when open(2) has returned.
int64_t OpeningDone(Environment& environment, int index) {
  Opening* opening = OpeningAt(environment, index);
  if (opening == nullptr) return -EBADF;
  const int64_t copy =
      ValueOrError([&] { return ::fcntl(opening->done_fd(), F_DUPFD_CLOEXEC, 0); });
  if (copy >= 0) environment.Own(static_cast<int>(copy));
  return copy;
}

/// 1 while it waits; then 0, or why it failed.
int64_t OpeningResult(Environment& environment, int index) {
  Opening* opening = OpeningAt(environment, index);
  if (opening == nullptr) return -EBADF;
  return opening->ended() ? opening->result() : 1;
}

/// What it has opened, non-blocking, owned by JavaScript from now on.
int64_t OpeningTake(Environment& environment, int index) {
  Opening* opening = OpeningAt(environment, index);
  if (opening == nullptr || !opening->ended()) return -EAGAIN;
  const int fd = opening->Take();
  if (fd < 0) return -EBADF;
  environment.Own(fd);
  return fd;
}

/// Ends it; what it opened and nobody took is closed.
int64_t OpeningDrop(Environment& environment, int index) {
  environment.Drop(index);
  return 0;
}

}  // namespace

void ExportOpening(Exports& exports) {
  exports.Function<OpeningStart>("openingStart")
      .Function<OpeningDone>("openingDone")
      .Function<OpeningResult>("openingResult")
      .Function<OpeningTake>("openingTake")
      .Function<OpeningDrop>("openingDrop");
}

}  // namespace octoipc
