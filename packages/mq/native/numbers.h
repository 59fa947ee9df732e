// A Float64Array as an argument: where a call leaves several numbers.
#pragma once

#include "octoipc/args.h"

namespace octoipc {

using Numbers = std::span<double>;

template <>
struct Argument<Numbers> {
  static bool Read(napi_env env, napi_value value, Numbers* out) {
    return ReadTypedArray<napi_float64_array>(env, value, out);
  }
};

/// What a batched receive tells of each message: where its bytes are, how many, and its priority or
/// type.
inline constexpr size_t kNumbersPerMessage = 3;

}  // namespace octoipc
