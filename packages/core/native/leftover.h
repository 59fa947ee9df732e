// What a JavaScript environment leaves behind where it ends without running any more JavaScript.
#pragma once

#include <string>

#include "octoipc/environment.h"

namespace octoipc {

/// The system calls that remove objects, by the numbers that temporary.ts gives them.
enum class Removal { kUnlink, kMqUnlink, kMsgctl, kSemctl, kShmctl };

/// A temporary object, and its record.
///
/// Lifetime:
/// 1. From when the object is known until JavaScript has removed it, and says so.
/// 2. Destroyed before that, when a worker is terminated, it removes the object if it is still the
///    same, and then the record. While it does so the record's lock is held: the descriptor is
///    closed after all resources are gone.
class Leftover : public Resource {
 public:
  Leftover(Removal removal, std::string target, double first, double second, std::string record)
      : removal_(removal),
        target_(std::move(target)),
        first_(first),
        second_(second),
        record_(std::move(record)) {}
  Leftover(const Leftover&) = delete;
  Leftover& operator=(const Leftover&) = delete;
  ~Leftover() override;

  void Forget() { forgotten_ = true; }

 private:
  bool Remove() const;

  Removal removal_;
  std::string target_;
  /// Device and inode; or an id, which is not given out again soon.
  double first_, second_;
  std::string record_;
  bool forgotten_ = false;
};

}  // namespace octoipc
