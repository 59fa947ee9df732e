// A process that outlives this one for a moment, and kills the groups that it has left behind.
#pragma once

#include <sys/types.h>

#include <set>

#include "octoipc/unique_fd.h"
#include "spawn.h"

namespace octoipc {

/// Lifetime:
/// 1. A /bin/sh that reads from a socket whose other end this process alone holds; it is there
/// while
///    there are groups to kill, and ends when the last is forgotten.
/// 2. The end of file, which comes however this process ends, makes it kill what it still knows.
/// 3. Used by the keeper's lock holder only. If somebody kills it, or it does not keep up, another
/// takes its place.
class Guard {
 public:
  /// 0, or an errno: there is no guard then.
  int Begin();

  /// To be killed with this process, if Begin has succeeded.
  void Watch(pid_t group);

  /// Whether it was watched.
  bool Forget(pid_t group);

  bool idle() const { return groups_.empty(); }

  /// Tells the guard to end; its pidfd, or none if there is no guard.
  UniqueFd End();

 private:
  void Tell(char what, pid_t group);
  Started Start(int socket) const;
  int Replace();
  void Kill();
  bool IsGone() const;

  UniqueFd socket_;
  UniqueFd pidfd_;
  std::set<pid_t> groups_;
  /// False once it was not told of something.
  bool knows_all_ = true;
};

}  // namespace octoipc
