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

}  // namespace octoipc
