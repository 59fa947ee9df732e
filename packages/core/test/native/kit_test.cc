// The header kit, one function a fact, driven by native.test.ts and the tests beside it. No part of
// the package.
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "octoipc/bell.h"
#include "octoipc/calling_thread.h"
#include "octoipc/cleanup.h"
#include "octoipc/environment.h"
#include "octoipc/readiness.h"
#include "octoipc/retry.h"
#include "octoipc/unique_fd.h"
#include "octoipc/waiting_thread.h"

namespace octoipc {
namespace {

// Arguments: each function gives back what it was given, so that JavaScript sees the conversion.

int64_t EchoInt32(int32_t value) { return value; }
int64_t EchoUint32(uint32_t value) { return value; }
int64_t EchoInt64(int64_t value) { return value; }
int64_t EchoBool(bool value) { return value ? 1 : 0; }
int64_t StringSize(std::string value) { return static_cast<int64_t>(value.size()); }

int64_t Checksum(Bytes bytes) {
  int64_t sum = 0;
  for (const uint8_t byte : bytes) sum = (sum * 31 + byte) & 0x7fffffff;
  return sum;
}

int64_t BytesSize(Bytes bytes) { return static_cast<int64_t>(bytes.size()); }

int64_t Fill(Integers integers, int32_t value) {
  for (int32_t& integer : integers) integer = value;
  return static_cast<int64_t>(integers.size());
}

// errno and retries.

/// Fails with this errno.
int64_t Fail(int error) {
  return ValueOrError([&] {
    errno = error;
    return -1;
  });
}

/// Interrupted so many times, then done: how often it was called.
int64_t Interrupted(int times) {
  int calls = 0;
  const int64_t result = Retry([&] {
    calls += 1;
    errno = EINTR;
    return calls > times ? 0 : -1;
  });
  return result < 0 ? result : calls;
}

/// Interrupted once and then failing otherwise.
int64_t InterruptedThen(int error) {
  bool first = true;
  return Retry([&] {
    errno = std::exchange(first, false) ? EINTR : error;
    return -1;
  });
}

// UniqueFd.

int64_t CloseByScope(int fd) {
  UniqueFd owner(fd);
  return owner.get();
}

/// Moves by construction and assignment; the descriptor is open until the last owner goes.
int64_t CloseByMove(int fd, int replaced) {
  UniqueFd first(fd);
  UniqueFd second(std::move(first));
  if (first || first.get() != -1) return -1;
  UniqueFd third(replaced);
  third = std::move(second);
  if (second || third.get() != fd) return -2;
  // What the assignment replaced is closed by now, and what it moved is not.
  if (::fcntl(replaced, F_GETFD) != -1) return -3;
  return ::fcntl(fd, F_GETFD) == -1 ? -4 : 0;
}

int64_t KeptByRelease(int fd) {
  UniqueFd owner(fd);
  return owner.release();
}

int64_t CloseByReset(int fd) {
  UniqueFd owner(fd);
  owner.reset();
  owner.reset();
  return owner.get();
}

/// errno after a close that fails: what it was before.
int64_t ErrnoAfterClose() {
  errno = EXDEV;
  {
    UniqueFd none(0x7fffffff);
  }
  return errno;
}

// Cleanup.

int64_t CleanedUp(bool dismiss) {
  int ran = 0;
  {
    Cleanup cleanup([&] { ran += 1; });
    if (dismiss) cleanup.Dismiss();
  }
  return ran;
}

// WaitingThread.

enum Wait : int32_t { kPoll, kRead, kMsgrcv, kSemop, kFutex, kNone };

/// Sleeps in one system call until there is something or it is told to look.
int64_t SleepIn(int32_t wait, int object, const WaitingThread& thread) {
  switch (wait) {
    case kPoll: {
      pollfd wake = {thread.wake_fd(), POLLIN, 0};
      return ValueOrError([&] { return ::poll(&wake, 1, -1); });
    }
    case kRead: {
      char byte;
      return ValueOrError([&] { return ::read(object, &byte, 1); });
    }
    case kMsgrcv: {
      struct {
        long type;
        char text[64];
      } message;
      return ValueOrError([&] { return ::msgrcv(object, &message, sizeof message.text, 0, 0); });
    }
    case kSemop: {
      sembuf take = {0, -1, 0};
      return ValueOrError([&] { return ::semop(object, &take, 1); });
    }
    case kFutex: {
      static int word = 0;
      return ValueOrError(
          [&] { return ::syscall(SYS_futex, &word, FUTEX_WAIT, 0, nullptr, nullptr, 0); });
    }
    default:
      return object;
  }
}

class Waiter : public WaitingThread {
 public:
  explicit Waiter(UniqueFd fd) : fd_(std::move(fd)) {}
  ~Waiter() override { Cancel(); }

  int64_t Begin(int32_t wait, int object) {
    if (fd_) object = fd_.get();
    return Start([wait, object](const WaitingThread& thread) -> int64_t {
      // JavaScript finds it in /proc by this name, and sees there that it sleeps.
      pthread_setname_np(pthread_self(), "kit-waiter");
      int64_t result = -EINTR;
      while (result == -EINTR && !thread.cancelled()) result = SleepIn(wait, object, thread);
      return thread.cancelled() ? -ECANCELED : result;
    });
  }

 private:
  UniqueFd fd_;
};

Waiter* WaiterAt(Environment& environment, int index) {
  return static_cast<Waiter*>(environment.Kept(index));
}

int64_t ThreadStart(Environment& environment, int wait, int object) {
  UniqueFd fd;
  if (wait == kRead) fd = UniqueFd(::fcntl(object, F_DUPFD_CLOEXEC, 0));
  auto waiter = std::make_unique<Waiter>(std::move(fd));
  const int64_t started = waiter->Begin(wait, object);
  return started < 0 ? started : environment.Keep(std::move(waiter));
}

int64_t ThreadDone(Environment& environment, int index) {
  Waiter* waiter = WaiterAt(environment, index);
  if (waiter == nullptr) return -EBADF;
  const int64_t copy = ValueOrError([&] { return ::fcntl(waiter->done_fd(), F_DUPFD_CLOEXEC, 0); });
  if (copy >= 0) environment.Own(static_cast<int>(copy));
  return copy;
}

int64_t ThreadResult(Environment& environment, int index) {
  Waiter* waiter = WaiterAt(environment, index);
  if (waiter == nullptr) return -EBADF;
  return waiter->ended() ? waiter->result() : -EAGAIN;
}

int64_t ThreadCancel(Environment& environment, int index) {
  Waiter* waiter = WaiterAt(environment, index);
  if (waiter == nullptr) return -EBADF;
  waiter->Cancel();
  return 0;
}

int64_t Drop(Environment& environment, int index) {
  environment.Drop(index);
  return 0;
}

// Bell and CallingThread: a call is a msgrcv(2), or gives a number at once.

int64_t CallOpen(Environment& environment, int bell, int32_t who) {
  std::shared_ptr<Bell> rings = BellAt(environment, bell);
  if (rings == nullptr) return -EBADF;
  return environment.Keep(std::make_unique<CallingThread>(std::move(rings), who));
}

CallingThread* CallAt(Environment& environment, int index) {
  return static_cast<CallingThread*>(environment.Kept(index));
}

int64_t CallBegin(Environment& environment, int index, int32_t wait, int object) {
  return CallAt(environment, index)->Begin([wait, object]() -> int64_t {
    pthread_setname_np(pthread_self(), "kit-caller");
    if (wait == kNone) return object;
    char message[sizeof(long) + 64];
    return ValueOrError([&] { return ::msgrcv(object, message, 64, 0, 0); });
  });
}

int64_t CallResult(Environment& environment, int index) {
  return CallAt(environment, index)->Result();
}

int64_t CallStop(Environment& environment, int index) { return CallAt(environment, index)->Stop(); }

/// Rings from this thread.
int64_t RingOnce(Environment& environment, int bell, int32_t who) {
  std::shared_ptr<Bell> rings = BellAt(environment, bell);
  if (rings == nullptr) return -EBADF;
  rings->Ring(who);
  return 0;
}

int64_t SilenceBell(Environment& environment, int bell) {
  std::shared_ptr<Bell> rings = BellAt(environment, bell);
  if (rings == nullptr) return -EBADF;
  rings->Silence();
  return 0;
}

// Kernel objects to wait for.

int64_t Pipe(Environment& environment, Integers ends) {
  if (ends.size() < 2) return -EINVAL;
  int fds[2];
  const int64_t made = Retry([&] { return ::pipe2(fds, O_CLOEXEC | O_NONBLOCK); });
  if (made < 0) return made;
  for (int i = 0; i < 2; ++i) environment.Own(ends[i] = fds[i]);
  return 0;
}

int64_t SetBlocking(int fd) {
  return ValueOrError([&] { return ::fcntl(fd, F_SETFL, 0); });
}

int64_t SetInheritable(int fd) {
  return ValueOrError([&] { return ::fcntl(fd, F_SETFD, 0); });
}

int64_t Read(int fd, Bytes into) {
  return Retry([&] { return ::read(fd, into.data(), into.size()); });
}

int64_t Write(int fd, Bytes from) {
  return Retry([&] { return ::write(fd, from.data(), from.size()); });
}

int64_t MessageQueue() {
  return ValueOrError([] { return ::msgget(IPC_PRIVATE, 0600); });
}

int64_t Send(int queue) {
  struct {
    long type;
    char text[3];
  } message = {1, {'a', 'b', 'c'}};
  return Retry([&] { return ::msgsnd(queue, &message, sizeof message.text, IPC_NOWAIT); });
}

int64_t RemoveQueue(int queue) {
  return ValueOrError([&] { return ::msgctl(queue, IPC_RMID, nullptr); });
}

int64_t Semaphore() {
  return ValueOrError([] { return ::semget(IPC_PRIVATE, 1, 0600); });
}

int64_t RemoveSemaphore(int id) {
  return ValueOrError([&] { return ::semctl(id, 0, IPC_RMID); });
}

void Register(Exports& exports) {
  ExportDescriptors(exports);
  ExportReadiness(exports);
  exports.Function<EchoInt32>("int32")
      .Function<EchoUint32>("uint32")
      .Function<EchoInt64>("int64")
      .Function<EchoBool>("bool")
      .Function<StringSize>("stringSize")
      .Function<Checksum>("checksum")
      .Function<BytesSize>("bytesSize")
      .Function<Fill>("fill")
      .Function<Fail>("fail")
      .Function<Interrupted>("interrupted")
      .Function<InterruptedThen>("interruptedThen")
      .Function<CloseByScope>("closeByScope")
      .Function<CloseByMove>("closeByMove")
      .Function<KeptByRelease>("keptByRelease")
      .Function<CloseByReset>("closeByReset")
      .Function<ErrnoAfterClose>("errnoAfterClose")
      .Function<CleanedUp>("cleanedUp");
  ExportBell(exports);
  exports.Function<CallOpen>("callOpen")
      .Function<CallBegin>("callBegin")
      .Function<CallResult>("callResult")
      .Function<CallStop>("callStop")
      .Function<RingOnce>("ringOnce")
      .Function<SilenceBell>("silenceBell");
  exports.Function<ThreadStart>("threadStart")
      .Function<ThreadDone>("threadDone")
      .Function<ThreadResult>("threadResult")
      .Function<ThreadCancel>("threadCancel")
      .Function<Drop>("drop")
      .Function<Pipe>("pipe")
      .Function<SetBlocking>("setBlocking")
      .Function<SetInheritable>("setInheritable")
      .Function<Read>("read")
      .Function<Write>("write")
      .Function<MessageQueue>("messageQueue")
      .Function<Send>("send")
      .Function<RemoveQueue>("removeQueue")
      .Function<Semaphore>("semaphore")
      .Function<RemoveSemaphore>("removeSemaphore")
      .Number("poller", kPoll)
      .Number("reader", kRead)
      .Number("msgrcv", kMsgrcv)
      .Number("semop", kSemop)
      .Number("futex", kFutex)
      .Number("none", kNone);
}

}  // namespace
}  // namespace octoipc

OCTOIPC_ADDON(kit_test, octoipc::Environment, octoipc::Register)
