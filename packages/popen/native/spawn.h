// Starting a program with the semantics of vfork(2): the cost does not grow with the parent's
// memory.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace octoipc {

/// Where a start failed; TypeScript names the call.
enum class Stage : int32_t {
  kNone = 0,
  kPipe = 1,
  kClone = 2,
  kGroup = 3,
  kDirectory = 4,
  kNice = 5,
  kDescriptor = 6,
  kNull = 7,
  kLimit = 8,
  kProgram = 9,
  kKeeper = 10,
  kKernel = 11,
};

/// One of the child's descriptors. A source of -1 is /dev/null.
struct Placed {
  int target;
  int source;
};

/// The target is to be the same as another target.
struct Alias {
  int target;
  int other;
};

struct Limit {
  int resource;
  uint64_t soft;
  uint64_t hard;
};

/// All that the child needs, made ready before it exists: it may not allocate.
struct Plan {
  /// Paths to try in turn, as execvp(3) does.
  std::vector<const char*> candidates;
  std::vector<const char*> arguments;
  /// What /bin/sh is given for a script without a `#!` line; its second entry is the path.
  std::vector<const char*> script;
  const char* const* environment = nullptr;
  const char* directory = nullptr;
  std::vector<Placed> descriptors;
  std::vector<Alias> aliases;
  std::vector<Limit> limits;
  int nice = kKeepNice;
  /// A process group of its own.
  bool group = true;
  /// Killed when the thread that calls Spawn ends.
  bool die_with_thread = false;

  static constexpr int kKeepNice = 1000;
};

struct Started {
  pid_t pid = -1;
  /// Close-on-exec; the caller's.
  int pidfd = -1;
  Stage stage = Stage::kNone;
  /// errno of the stage.
  int error = 0;
  /// Which descriptor or limit it was.
  int detail = 0;
};

/// Starts the program. When it returns without an error the program runs: execve(2) has succeeded.
/// After an error there is no process, no zombie and no descriptor.
Started Spawn(Plan& plan);

}  // namespace octoipc
