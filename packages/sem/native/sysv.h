// System V semaphore sets: how operations cross from JavaScript.
#pragma once

#include <sys/sem.h>

#include <array>
#include <vector>

#include "octoipc/args.h"

namespace octoipc {

/// Index, delta, flags.
inline constexpr size_t kNumbersPerOperation = 3;

/// Operations as semop(2) takes them.
class OperationList {
 public:
  explicit OperationList(Integers numbers, int flags = 0);
  sembuf* data() { return many_.empty() ? few_.data() : many_.data(); }
  size_t size() const { return size_; }

 private:
  size_t size_;
  std::array<sembuf, 8> few_;
  std::vector<sembuf> many_;
};

}  // namespace octoipc
