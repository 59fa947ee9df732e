// System V semaphore sets: how operations cross from JavaScript.
#pragma once

#include <sys/sem.h>

#include <vector>

#include "octoipc/args.h"

namespace octoipc {

/// Index, delta, flags.
inline constexpr size_t kNumbersPerOperation = 3;

std::vector<sembuf> OperationsOf(Integers numbers);

}  // namespace octoipc
