// A thread that lives as long as the process, for what must not depend on the thread that asks.
#pragma once

#include <sys/types.h>

#include "octoipc/unique_fd.h"
#include "spawn.h"

namespace octoipc {

/// Lifetime:
/// 1. Process-wide, started when first needed, and never joined: its end is what tells the kernel
/// to
///    kill the children of `dieWithParent` (PR_SET_PDEATHSIG follows the thread that has forked,
///    not the process), so it must end with the process and not before. The addon is linked with -z
///    nodelete, so its code stays; its state is never destroyed.
/// 2. It takes the end of children whose environment has ended.
/// 3. All signals are blocked on it.
class Keeper {
 public:
  /// Starts a child that dies with this process, on the keeper's thread; with a group of its own,
  /// the rest of the group dies too.
  static Started Spawn(Plan& plan);

  /// Takes a child over: its end, when it comes.
  static void Adopt(UniqueFd pidfd, pid_t pid);

  /// Whether there are children whose number must be forgotten before their end is taken.
  static bool Guards();

  /// To be called before a child's end is taken: its number may be another's after that.
  static void Forget(pid_t pid);
};

}  // namespace octoipc
