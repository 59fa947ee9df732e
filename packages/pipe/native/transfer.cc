#include "transfer.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "octoipc/retry.h"
#include "octoipc/unique_fd.h"
#include "octoipc/waiting_thread.h"

namespace octoipc {
namespace {

/// As much as one call moves: the default pipe-max-size.
constexpr int64_t kChunk = 1 << 20;

/// A socket of which a call waits for a tick of the kernel's clock at most, in blocking mode too:
/// its timeout (SO_RCVTIMEO, SO_SNDTIMEO) is the shortest there is meanwhile, and then what it was.
/// splice(2) has no flag for that. Whoever shares the socket sees it if a call of his begins
/// in the same microseconds, and has to wait.
class Hasty {
 public:
  /// What is no socket stays as it is.
  Hasty(int fd, int option) : fd_(fd), option_(option) {
    constexpr timeval kShortest = {0, 1};
    socklen_t size = sizeof before_;
    is_set_ = ::getsockopt(fd, SOL_SOCKET, option, &before_, &size) == 0 && !IsTick(before_) &&
              ::setsockopt(fd, SOL_SOCKET, option, &kShortest, sizeof kShortest) == 0;
  }
  Hasty(const Hasty&) = delete;
  Hasty& operator=(const Hasty&) = delete;
  ~Hasty() {
    if (is_set_) ::setsockopt(fd_, SOL_SOCKET, option_, &before_, sizeof before_);
  }

 private:
  /// Another call on the same socket has set it, and puts back what was there before.
  static bool IsTick(const timeval& time) {
    constexpr int kLongestTick = 10'000;
    return time.tv_sec == 0 && time.tv_usec > 0 && time.tv_usec <= kLongestTick;
  }

  int fd_;
  int option_;
  bool is_set_ = false;
  timeval before_ = {};
};

/// SIGPIPE, kept from this thread: a socket whose other end has left is EPIPE, and no more.
class NoPipeSignal {
 public:
  NoPipeSignal() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGPIPE);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  NoPipeSignal(const NoPipeSignal&) = delete;
  NoPipeSignal& operator=(const NoPipeSignal&) = delete;
  ~NoPipeSignal() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  /// Takes what a call has raised.
  void Take() {
    constexpr timespec kNow = {0, 0};
    constexpr size_t kKernelSet = 8;
    if (was_pending_) return;
    Retry([&] { return ::syscall(SYS_rt_sigtimedwait, &set_, nullptr, &kNow, kKernelSet); });
  }

 private:
  sigset_t set_;
  sigset_t before_;
  bool was_pending_ = false;
};

/// splice(2) that never waits for a pipe.
int64_t SpliceNow(int from, int to, int64_t length) {
  return Retry([&] {
    return ::splice(from, nullptr, to, nullptr, static_cast<size_t>(length),
                    SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
  });
}

/// splice(2) that never waits for a pipe, and for a socket a tick at most: bytes moved, 0 at the
/// end, or -errno.
int64_t Splice(int from, int to, int64_t length, bool sockets) {
  const int64_t size = std::min(length, kChunk);
  if (!sockets) return SpliceNow(from, to, size);
  const Hasty source(from, SO_RCVTIMEO);
  const Hasty sink(to, SO_SNDTIMEO);
  NoPipeSignal signal;
  const int64_t moved = SpliceNow(from, to, size);
  if (moved == -EPIPE) signal.Take();
  return moved;
}

/// tee(2) that never waits: bytes copied, 0 at the end, or -errno.
int64_t Tee(int from, int to, int64_t length) {
  const size_t size = static_cast<size_t>(std::min(length, kChunk));
  return Retry([&] { return ::tee(from, to, size, SPLICE_F_NONBLOCK); });
}

/// As many bytes as one call moves to a stream socket that poll(2) says is ready: all that it takes
/// in non-blocking mode; else a third of its buffer, which such a socket has free at least, as a
/// rule (many small pieces take more room than their bytes, and TCP_NOTSENT_LOWAT leaves less: then
/// a call waits for its tick). 0 for a socket of messages, or -errno.
int64_t StreamRoom(int fd) {
  constexpr int64_t kPage = 4096;
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) return -errno;
  if (type != SOCK_STREAM) return 0;
  const int64_t flags = Retry([&] { return ::fcntl(fd, F_GETFL); });
  if (flags < 0) return flags;
  if ((flags & O_NONBLOCK) != 0) return kChunk;
  int buffer = 0;
  size = sizeof buffer;
  if (::getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, &size) != 0) return -errno;
  return std::clamp(buffer / 3 / kPage * kPage, kPage, kChunk - kPage);
}

/// Whether a stream is at urgent data, which splice(2) does not pass: 1 or 0.
int64_t IsAtMark(int fd) { return ::sockatmark(fd) == 1 ? 1 : 0; }

/// A duplicate that is close-on-exec and owned by JavaScript.
int64_t Duplicate(Environment& environment, int fd) {
  const int64_t copy = Retry([&] { return ::fcntl(fd, F_DUPFD_CLOEXEC, 0); });
  if (copy >= 0) environment.Own(static_cast<int>(copy));
  return copy;
}

/// Sleeps until the descriptor is ready or the thread is cancelled; false when cancelled.
bool SleepUntil(const WaitingThread& thread, int fd, short events) {
  while (!thread.cancelled()) {
    pollfd fds[2] = {{fd, events, 0}, {thread.wake_fd(), POLLIN, 0}};
    if (ValueOrError([&] { return ::poll(fds, 2, -1); }) > 0 && fds[0].revents != 0) return true;
  }
  return false;
}

/// A transfer from or to something that is not a pipe. A disk, a terminal or a socket in blocking
/// mode may make splice(2) sleep whatever its flags say, so it runs on a thread of its own.
///
/// Lifetime: holds duplicates of both descriptors, so whoever closes the originals ends nothing
/// here.
class Transfer : public WaitingThread {
 public:
  Transfer(UniqueFd from, UniqueFd to, int64_t length)
      : from_(std::move(from)), to_(std::move(to)), left_(length) {}
  ~Transfer() override { Cancel(); }

  int64_t Begin() {
    return Start([this](const WaitingThread&) { return Run(); });
  }

  int64_t moved() const { return moved_.load(std::memory_order_relaxed); }

 private:
  int64_t Run() {
    while (left_ > 0) {
      if (!SleepUntil(*this, from_.get(), POLLIN) || !SleepUntil(*this, to_.get(), POLLOUT)) {
        return -ECANCELED;
      }
      const int64_t count = Move();
      if (count == 0) return IsAtMark(from_.get()) == 1 ? -ENOTSUP : 0;
      if (count == -EAGAIN || count == -EINTR) {
        if (count == -EAGAIN && !WaitForRoom()) return -ECANCELED;
        continue;
      }
      if (count < 0) return count;
      left_ -= count;
      moved_.fetch_add(count, std::memory_order_relaxed);
    }
    return 0;
  }

  /// One call, which does not keep the pipe's own lock while a socket has no room: whoever uses the
  /// pipe meanwhile would wait for that.
  int64_t Move() {
    const int64_t room = StreamRoom(to_.get());
    const int64_t size = std::min({left_, kChunk, room > 0 ? room : kChunk});
    const Hasty source(from_.get(), SO_RCVTIMEO);
    const Hasty sink(to_.get(), SO_SNDTIMEO);
    return ValueOrError([&] {
      return ::splice(from_.get(), nullptr, to_.get(), nullptr, static_cast<size_t>(size),
                      SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    });
  }

  /// Both ends looked ready and yet nothing moved (another process took the bytes or the room): a
  /// short sleep, so that this is no busy loop.
  bool WaitForRoom() {
    pollfd wake = {wake_fd(), POLLIN, 0};
    ::poll(&wake, 1, 1);
    return !cancelled();
  }

  UniqueFd from_;
  UniqueFd to_;
  int64_t left_;
  std::atomic<int64_t> moved_{0};
};

UniqueFd Copy(int fd) {
  return UniqueFd(static_cast<int>(Retry([&] { return ::fcntl(fd, F_DUPFD_CLOEXEC, 0); })));
}

Transfer* TransferAt(Environment& environment, int index) {
  return static_cast<Transfer*>(environment.Kept(index));
}

/// Starts a transfer on a thread; its index, or -errno.
int64_t TransferStart(Environment& environment, int from, int to, int64_t length) {
  UniqueFd source = Copy(from);
  if (!source) return -errno;
  UniqueFd sink = Copy(to);
  if (!sink) return -errno;
  auto transfer = std::make_unique<Transfer>(std::move(source), std::move(sink), length);
  const int64_t started = transfer->Begin();
  if (started < 0) return started;
  return environment.Keep(std::move(transfer));
}

/// A descriptor, owned by JavaScript, that becomes readable when the transfer has ended.
int64_t TransferDone(Environment& environment, int index) {
  Transfer* transfer = TransferAt(environment, index);
  return transfer == nullptr ? -EBADF : Duplicate(environment, transfer->done_fd());
}

/// Bytes moved so far.
int64_t TransferMoved(Environment& environment, int index) {
  Transfer* transfer = TransferAt(environment, index);
  return transfer == nullptr ? -EBADF : transfer->moved();
}

/// -EAGAIN while it runs; then 0, or why it stopped.
int64_t TransferResult(Environment& environment, int index) {
  Transfer* transfer = TransferAt(environment, index);
  if (transfer == nullptr) return -EBADF;
  return transfer->ended() ? transfer->result() : -EAGAIN;
}

/// Stops the thread; `TransferMoved` is final from then on.
int64_t TransferCancel(Environment& environment, int index) {
  Transfer* transfer = TransferAt(environment, index);
  if (transfer == nullptr) return -EBADF;
  transfer->Cancel();
  return 0;
}

int64_t TransferDrop(Environment& environment, int index) {
  environment.Drop(index);
  return 0;
}

}  // namespace

void ExportTransfer(Exports& exports) {
  exports.Function<Splice>("splice")
      .Function<Tee>("tee")
      .Function<StreamRoom>("streamRoom")
      .Function<IsAtMark>("isAtMark")
      .Number("chunk", kChunk)
      .Function<Duplicate>("duplicate")
      .Function<TransferStart>("transferStart")
      .Function<TransferDone>("transferDone")
      .Function<TransferMoved>("transferMoved")
      .Function<TransferResult>("transferResult")
      .Function<TransferCancel>("transferCancel")
      .Function<TransferDrop>("transferDrop");
}

}  // namespace octoipc
