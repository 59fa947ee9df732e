// POSIX message queues: mq_overview(7).
//
// The system calls themselves, not libc's functions: those are in librt before glibc 2.34, and a
// queue's descriptor is a file descriptor on Linux anyway. The kernel takes names without their
// slash.
#include <fcntl.h>
#include <mqueue.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <string>

#include "mq.h"
#include "numbers.h"
#include "octoipc/retry.h"
#include "octoipc/unique_fd.h"

namespace octoipc {
namespace {

/// A deadline that is over: a call that would wait fails at once, with ETIMEDOUT, even where the
/// open file description is in blocking mode because somebody else, who shares it, wants it so.
/// Not constant: qemu-user writes it back, and says EFAULT where it cannot.
timespec past = {0, 0};

int64_t NotNow(int64_t result) { return result == -ETIMEDOUT ? -EAGAIN : result; }

/// mq_open(3) of an existing queue.
int64_t PosixOpen(Environment& environment, const std::string& name, int access) {
  const int64_t fd = Retry([&] {
    return ::syscall(SYS_mq_open, name.c_str() + 1, access | O_NONBLOCK | O_CLOEXEC, 0, nullptr);
  });
  if (fd >= 0) environment.Own(static_cast<int>(fd));
  return fd;
}

/// mq_open(3) of a new queue, whose mode is exact, whatever the umask. No attributes: the system's
/// defaults.
int64_t PosixCreate(Environment& environment, const std::string& name, int access, uint32_t mode,
                    int64_t max_messages, int64_t max_message_size) {
  mq_attr attributes{};
  attributes.mq_maxmsg = max_messages;
  attributes.mq_msgsize = max_message_size;
  const bool given = max_messages != 0 || max_message_size != 0;
  const int flags = access | O_CREAT | O_EXCL | O_NONBLOCK | O_CLOEXEC;
  const int64_t opened = Retry([&] {
    return ::syscall(SYS_mq_open, name.c_str() + 1, flags, mode, given ? &attributes : nullptr);
  });
  if (opened < 0) return opened;
  UniqueFd fd(static_cast<int>(opened));
  const int64_t changed = Retry([&] { return ::fchmod(fd.get(), mode); });
  if (changed < 0) {
    ::syscall(SYS_mq_unlink, name.c_str() + 1);
    return changed;
  }
  environment.Own(fd.get());
  return fd.release();
}

/// mq_unlink(3), whose EPERM is EACCES.
int64_t PosixUnlink(const std::string& name) {
  const int64_t result = Retry([&] { return ::syscall(SYS_mq_unlink, name.c_str() + 1); });
  return result == -EPERM ? -EACCES : result;
}

/// What a send or a receive of a queue in blocking mode sleeps without, and any other must not.
const timespec* Deadline(bool sleeps) { return sleeps ? nullptr : &past; }

/// mq_send(3) of the message that was sent last. Told of: the queue, the priority, whether it
/// sleeps.
int64_t PosixSendAgain(Environment& environment) {
  const MqEnvironment& state = MqEnvironment::Of(environment);
  const Told told(state.receiving.found);
  if (!told.usable()) return -EFAULT;
  const int fd = told.Id();
  const auto priority = static_cast<unsigned int>(told[1]);
  const timespec* deadline = Deadline(told[2] == 1);
  return NotNow(Retry([&] {
    return ::syscall(SYS_mq_timedsend, fd, state.sent.data(), state.sent.size(), priority,
                     deadline);
  }));
}

/// mq_send(3).
int64_t PosixSend(Environment& environment, Bytes data) {
  MqEnvironment::Of(environment).sent = data;
  return PosixSendAgain(environment);
}

/// mq_receive(3), again and again, for up to so many messages, each of which needs `room` bytes of
/// the memory from an offset on. How many came, or -errno if none did. Told of: the queue, the
/// offset, the room, how many, whether the first one is slept for.
int64_t PosixReceive(Environment& environment) {
  const auto& [memory, found] = MqEnvironment::Of(environment).receiving;
  const Told told(found);
  if (!told.usable() || told[1] < 0 || told[2] < 0) return -EFAULT;
  const int fd = told.Id();
  const int64_t room = told[2];
  const int64_t max = told[3];
  const timespec* deadline = Deadline(told[4] == 1);
  const size_t step = static_cast<size_t>(room);
  size_t at = static_cast<size_t>(told[1]);
  int64_t count = 0;
  if (!Fits(memory, static_cast<int64_t>(at), room)) return -EFAULT;
  while (count < max && Fits(memory, static_cast<int64_t>(at), room) && HasPlace(found, count)) {
    unsigned int priority = 0;
    const int64_t length = NotNow(Retry([&] {
      return ::syscall(SYS_mq_timedreceive, fd, memory.data() + at, step, &priority, deadline);
    }));
    if (length < 0) return count > 0 ? count : length;
    Tell(found, count, at, length, priority);
    at += static_cast<size_t>(length);
    ++count;
    deadline = &past;
  }
  return count;
}

/// mq_getattr(3): flags, maximum of messages, of bytes in each, messages now.
int64_t PosixAttributes(int fd, Numbers out) {
  if (out.size() < 4) return -EFAULT;
  mq_attr attributes{};
  const int64_t result =
      Retry([&] { return ::syscall(SYS_mq_getsetattr, fd, nullptr, &attributes); });
  if (result < 0) return result;
  out[0] = static_cast<double>(attributes.mq_flags);
  out[1] = static_cast<double>(attributes.mq_maxmsg);
  out[2] = static_cast<double>(attributes.mq_msgsize);
  out[3] = static_cast<double>(attributes.mq_curmsgs);
  return 0;
}

/// mq_setattr(3), which changes nothing but O_NONBLOCK.
int64_t PosixSetNonblocking(int fd, bool nonblocking) {
  mq_attr attributes{};
  attributes.mq_flags = nonblocking ? O_NONBLOCK : 0;
  return Retry([&] { return ::syscall(SYS_mq_getsetattr, fd, &attributes, nullptr); });
}

/// The access mode of an open descriptor: O_RDONLY, O_WRONLY or O_RDWR.
int64_t AccessMode(int fd) {
  const int64_t flags = Retry([&] { return ::fcntl(fd, F_GETFL); });
  return flags < 0 ? flags : flags & O_ACCMODE;
}

int64_t Limit(decltype(RLIMIT_NOFILE) resource) {
  rlimit limit{};
  const int64_t result = Retry([&] { return ::getrlimit(resource, &limit); });
  if (result < 0) return result;
  // No limit: as far as JavaScript counts.
  constexpr rlim_t kMost = 9007199254740991;
  return static_cast<int64_t>(limit.rlim_cur < kMost ? limit.rlim_cur : kMost);
}

int64_t MessageBytesLimit() { return Limit(RLIMIT_MSGQUEUE); }
int64_t DescriptorLimit() { return Limit(RLIMIT_NOFILE); }

}  // namespace

void ExportPosix(Exports& exports) {
  exports.Function<PosixOpen>("posixOpen")
      .Function<PosixCreate>("posixCreate")
      .Function<PosixUnlink>("posixUnlink")
      .Function<PosixSend>("posixSend")
      .Function<PosixSendAgain>("posixSendAgain")
      .Function<PosixReceive>("posixReceive")
      .Function<PosixAttributes>("posixAttributes")
      .Function<PosixSetNonblocking>("posixSetNonblocking")
      .Function<AccessMode>("accessMode")
      .Function<MessageBytesLimit>("messageBytesLimit")
      .Function<DescriptorLimit>("descriptorLimit")
      .Number("mainThread", ::syscall(SYS_gettid) == ::getpid() ? 1 : 0);
}

}  // namespace octoipc
