#include "plan.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <vector>

#include "child.h"
#include "keeper.h"
#include "octoipc/retry.h"
#include "octoipc/unique_fd.h"
#include "spawn.h"

namespace octoipc {
namespace {

/// What one of the child's descriptors is to be.
enum Kind : int32_t {
  /// A descriptor of ours, whose number is the value.
  kOurs = 0,
  kDevNull = 1,
  /// A new pipe; the value becomes our end.
  kReads = 2,
  kWrites = 3,
  /// The same as the child's descriptor of this number.
  kSame = 4,
};

enum Flags : int32_t { kGroup = 1, kDieWithParent = 2, kInherit = 4 };

/// NUL-terminated strings, one after the other, in JavaScript's memory.
std::vector<const char*> Strings(Bytes block) {
  std::vector<const char*> strings;
  const char* at = reinterpret_cast<const char*>(block.data());
  const char* const end = at + block.size();
  while (at < end) {
    const void* nul = std::memchr(at, 0, static_cast<size_t>(end - at));
    if (nul == nullptr) break;
    strings.push_back(at);
    at = static_cast<const char*>(nul) + 1;
  }
  return strings;
}

/// A non-blocking pipe of ours as the child expects it, in blocking mode: O_NONBLOCK belongs to the
/// open file description, so the child gets one of its own, opened anew by /proc. None for what is
/// no such pipe, and where /proc does not help: then both share one.
UniqueFd ReopenBlocking(int fd) {
  struct stat status{};
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_NONBLOCK) == 0) return UniqueFd();
  if (::fstat(fd, &status) != 0 || !S_ISFIFO(status.st_mode)) return UniqueFd();
  char path[32];
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  // O_NONBLOCK once more, or the opening itself might wait for the other end of a FIFO.
  UniqueFd again(::open(path, (flags & O_ACCMODE) | O_NONBLOCK | O_CLOEXEC));
  if (again) ::fcntl(again.get(), F_SETFL, flags & (O_APPEND | O_DIRECT));
  return again;
}

/// The child's descriptors, and ours: all closed again unless the start succeeds.
class Stdio {
 public:
  explicit Stdio(Integers triples) : triples_(triples) {}

  /// 0 or an errno; `detail` is the child's number then.
  int Open(Plan& plan, int* detail) {
    for (size_t i = 0; i + 2 < triples_.size(); i += 3) {
      const int target = triples_[i];
      const int value = triples_[i + 2];
      *detail = target;
      switch (triples_[i + 1]) {
        case kDevNull:
          plan.descriptors.push_back({target, -1});
          break;
        case kSame:
          plan.aliases.push_back({target, value});
          break;
        case kOurs: {
          UniqueFd again = ReopenBlocking(value);
          plan.descriptors.push_back({target, again ? again.get() : value});
          if (again) theirs_.push_back(std::move(again));
          break;
        }
        default: {
          const int error = OpenPipe(plan, i);
          if (error != 0) return error;
        }
      }
    }
    return 0;
  }

  /// Our ends are JavaScript's from now on, as numbers that nobody owns yet.
  void GiveAway() {
    for (Ours& ours : ours_) triples_[ours.index + 2] = ours.end.release();
  }

 private:
  struct Ours {
    size_t index;
    UniqueFd end;
  };

  /// Ours is non-blocking; the child's is not.
  int OpenPipe(Plan& plan, size_t i) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return errno;
    const bool reads = triples_[i + 1] == kReads;
    UniqueFd theirs(ends[reads ? 0 : 1]);
    UniqueFd ours(ends[reads ? 1 : 0]);
    if (::fcntl(ours.get(), F_SETFL, O_NONBLOCK) != 0) return errno;
    plan.descriptors.push_back({triples_[i], theirs.get()});
    theirs_.push_back(std::move(theirs));
    ours_.push_back({i, std::move(ours)});
    return 0;
  }

  Integers triples_;
  std::vector<UniqueFd> theirs_;
  std::vector<Ours> ours_;
};

/// A number of a limit: NaN is the one that holds now, Infinity none at all.
uint64_t LimitOf(double value, uint64_t now) {
  if (std::isnan(value)) return now;
  return std::isinf(value) ? std::numeric_limits<uint64_t>::max() : static_cast<uint64_t>(value);
}

/// Triples of resource, soft and hard limit.
std::vector<Limit> Limits(Numbers triples) {
  std::vector<Limit> limits;
  for (size_t i = 0; i + 2 < triples.size(); i += 3) {
    const int resource = static_cast<int>(triples[i]);
    uint64_t now[2] = {0, 0};
    syscall(SYS_prlimit64, 0, resource, nullptr, now);
    limits.push_back({resource, LimitOf(triples[i + 1], now[0]), LimitOf(triples[i + 2], now[1])});
  }
  return limits;
}

int64_t Report(Integers result, const Started& started) {
  if (result.size() < 4) return -EINVAL;
  result[0] = started.pid;
  result[1] = started.pidfd;
  result[2] = static_cast<int32_t>(started.stage);
  result[3] = started.detail;
  return -static_cast<int64_t>(started.error);
}

/// Starts a program. `stdio` has three numbers for each of the child's descriptors: its number, the
/// kind, the value; `result` gets the pid, the pidfd, and the stage and detail of a failure.
int64_t SpawnChild(Environment& environment, Bytes candidates, Bytes arguments, Bytes variables,
                   Bytes directory, Integers stdio, Numbers limits, int nice, int flags,
                   Integers result) {
  Plan plan;
  plan.candidates = Strings(candidates);
  plan.arguments = Strings(arguments);
  if (plan.candidates.empty() || plan.arguments.empty()) return -EINVAL;
  plan.script = {"/bin/sh", nullptr};
  plan.script.insert(plan.script.end(), plan.arguments.begin() + 1, plan.arguments.end());
  plan.script.push_back(nullptr);
  plan.arguments.push_back(nullptr);
  std::vector<const char*> given = Strings(variables);
  given.push_back(nullptr);
  plan.environment = (flags & kInherit) != 0 ? environ : given.data();
  const std::vector<const char*> folder = Strings(directory);
  if (!folder.empty()) plan.directory = folder[0];
  plan.limits = Limits(limits);
  plan.nice = nice;
  plan.group = (flags & kGroup) != 0;
  Stdio opened(stdio);
  Started started;
  started.error = opened.Open(plan, &started.detail);
  if (started.error != 0) {
    started.stage = Stage::kPipe;
    return Report(result, started);
  }
  started = (flags & kDieWithParent) != 0 ? Keeper::Spawn(plan) : Spawn(plan);
  if (started.error == 0) {
    static_cast<PopenEnvironment&>(environment).children().Add(started.pidfd, started.pid);
    opened.GiveAway();
  }
  return Report(result, started);
}

/// pipe2(2), both ends blocking and close-on-exec, owned by JavaScript: for two children.
int64_t Pipe(Environment& environment, Integers ends) {
  if (ends.size() < 2) return -EINVAL;
  int fds[2];
  const int64_t made = Retry([&] { return ::pipe2(fds, O_CLOEXEC); });
  if (made < 0) return made;
  for (int i = 0; i < 2; ++i) {
    environment.Own(fds[i]);
    ends[i] = fds[i];
  }
  return 0;
}

}  // namespace

void ExportSpawn(Exports& exports) { exports.Function<SpawnChild>("spawn").Function<Pipe>("pipe"); }

}  // namespace octoipc
