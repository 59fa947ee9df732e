// The binding of @octoipc/signal: watching, masks and dispositions as JavaScript asks for them.
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <mutex>

#include "dispositions.h"
#include "exchange.h"
#include "octoipc/environment.h"
#include "octoipc/readiness.h"
#include "octoipc/retry.h"
#include "send.h"
#include "thread_masks.h"

namespace octoipc {
namespace {

/// Lifetime: as long as a thread of JavaScript's has this binding.
class Presence : public Resource {
 public:
  Presence() : thread_(ThreadId()) {
    const std::lock_guard held(Exchange::Get().lock());
    Dispositions::Get();
    ThreadMasks::Get().Join(thread_);
  }
  ~Presence() override {
    const std::lock_guard held(Exchange::Get().lock());
    ThreadMasks::Get().Leave(thread_);
  }

 private:
  pid_t thread_;
};

class SignalEnvironment : public Environment {
 public:
  explicit SignalEnvironment(napi_env env) : Environment(env) {
    Keep(std::make_unique<Presence>());
  }
};

SignalSet SetOf(int32_t low, int32_t high) {
  return (static_cast<SignalSet>(static_cast<uint32_t>(high)) << 32) | static_cast<uint32_t>(low);
}

int64_t Tell(Integers out, SignalSet set) {
  if (out.size() < 2) return -EINVAL;
  out[0] = static_cast<int32_t>(set & 0xffffffff);
  out[1] = static_cast<int32_t>(set >> 32);
  return 0;
}

Subscriber* SubscriberOf(Environment& environment, int index) {
  return static_cast<Subscriber*>(environment.Kept(index));
}

int64_t Subscribe(Environment& environment) {
  auto subscriber = std::make_unique<Subscriber>();
  if (!subscriber->IsOpen()) return -errno;
  return environment.Keep(std::move(subscriber));
}

int64_t Unsubscribe(Environment& environment, int index) {
  environment.Drop(index);
  return 0;
}

int64_t SignalsFd(Environment& environment, int index) {
  return SubscriberOf(environment, index)->signals_fd();
}

int64_t BellFd(Environment& environment, int index) {
  return SubscriberOf(environment, index)->bell_fd();
}

/// Four sets in two words each: watched, replaced, full, single.
int64_t Configure(Environment& environment, int index, Integers sets) {
  if (sets.size() < 8) return -EINVAL;
  const Wishes wishes = {SetOf(sets[0], sets[1]), SetOf(sets[2], sets[3]), SetOf(sets[4], sets[5]),
                         SetOf(sets[6], sets[7])};
  return Exchange::Get().Configure(*SubscriberOf(environment, index), wishes);
}

int64_t Take(Environment& environment, int index, Integers records, uint32_t max) {
  const size_t room = std::min<size_t>(records.size() / kRecordSize, max);
  return Exchange::Get().Take(*SubscriberOf(environment, index),
                              reinterpret_cast<Record*>(records.data()), room);
}

int64_t Told(Environment& environment, int index, int32_t ticket) {
  Subscriber* subscriber = SubscriberOf(environment, index);
  if (subscriber != nullptr) Exchange::Get().Told(*subscriber, ticket);
  return 0;
}

/// Sleeps until something may have come.
int64_t Sleep(Environment& environment, int index, int milliseconds) {
  const Subscriber* subscriber = SubscriberOf(environment, index);
  pollfd fds[2] = {{subscriber->signals_fd(), POLLIN, 0}, {subscriber->bell_fd(), POLLIN, 0}};
  return ValueOrError([&] { return ::poll(fds, 2, milliseconds); });
}

int64_t Block(int32_t low, int32_t high) {
  const std::lock_guard held(Exchange::Get().lock());
  ThreadMasks::Get().Hold(SetOf(low, high));
  return 0;
}

int64_t Unblock(int32_t low, int32_t high) {
  const std::lock_guard held(Exchange::Get().lock());
  ThreadMasks::Get().Release(SetOf(low, high));
  return 0;
}

int64_t Blocked(Integers out) {
  const std::lock_guard held(Exchange::Get().lock());
  return Tell(out, ThreadMasks::Get().Held());
}

/// sigpending(2) of the calling thread and the process.
int64_t Pending(Integers out) {
  SignalSet set = 0;
  const int64_t asked =
      ValueOrError([&] { return ::syscall(SYS_rt_sigpending, &set, sizeof set); });
  return asked < 0 ? asked : Tell(out, set);
}

int64_t Ignore(int number) {
  const std::lock_guard held(Exchange::Get().lock());
  return Dispositions::Get().Ignore(number);
}

int64_t RestoreDefault(int number) {
  const std::lock_guard held(Exchange::Get().lock());
  return Dispositions::Get().Reset(number);
}

void Register(Exports& exports) {
  ExportDescriptors(exports);
  ExportReadiness(exports);
  ExportSending(exports);
  ExportProcesses(exports);
  exports.Function<Subscribe>("subscribe")
      .Function<Unsubscribe>("unsubscribe")
      .Function<SignalsFd>("signalsFd")
      .Function<BellFd>("bellFd")
      .Function<Configure>("configure")
      .Function<Take>("take")
      .Function<Told>("told")
      .Function<Sleep>("sleep")
      .Function<Block>("block")
      .Function<Unblock>("unblock")
      .Function<Blocked>("blocked")
      .Function<Pending>("pending")
      .Function<Ignore>("ignore")
      .Function<RestoreDefault>("restoreDefault")
      .Number("firstRealTime", FirstRealTime())
      .Number("lastRealTime", LastRealTime());
}

}  // namespace
}  // namespace octoipc

OCTOIPC_ADDON(signal, octoipc::SignalEnvironment, octoipc::Register)
