// The layout of what a batched receive tells.
#pragma once

#include <cstddef>

namespace octoipc {

/// For each message: where its bytes are, how many, and its priority or type.
inline constexpr size_t kNumbersPerMessage = 3;

}  // namespace octoipc
