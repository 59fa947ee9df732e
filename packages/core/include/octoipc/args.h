// From JavaScript's values to a system call function's arguments, and back.
//
// A system call function is a plain C++ function: numbers, strings and spans in, a value or -errno
// out. Call<Function> makes a Node-API callback of it. TypeScript has validated everything before;
// what still does not fit throws a TypeError here and never reaches the function.
#pragma once

#include <napi.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <tuple>
#include <utility>

namespace octoipc {

class Environment;

using Bytes = std::span<uint8_t>;
using Integers = std::span<int32_t>;
using Numbers = std::span<double>;

/// How one argument is read; specialise it for further types.
template <typename T>
struct Argument;

template <typename T>
bool ReadInteger(napi_env env, napi_value value, T* out) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok) return false;
  if (!(number >= static_cast<double>(std::numeric_limits<T>::min()) &&
        number <= static_cast<double>(std::numeric_limits<T>::max()))) {
    return false;
  }
  *out = static_cast<T>(number);
  return static_cast<double>(*out) == number;
}

template <>
struct Argument<int32_t> {
  static bool Read(napi_env env, napi_value value, int32_t* out) {
    return ReadInteger(env, value, out);
  }
};

template <>
struct Argument<uint32_t> {
  static bool Read(napi_env env, napi_value value, uint32_t* out) {
    return ReadInteger(env, value, out);
  }
};

/// A number of bytes or an offset: up to 2^53 - 1, as far as JavaScript counts exactly.
template <>
struct Argument<int64_t> {
  static bool Read(napi_env env, napi_value value, int64_t* out) {
    double number = 0;
    if (napi_get_value_double(env, value, &number) != napi_ok) return false;
    if (!(std::fabs(number) <= 9007199254740991.0)) return false;
    *out = static_cast<int64_t>(number);
    return static_cast<double>(*out) == number;
  }
};

template <>
struct Argument<bool> {
  static bool Read(napi_env env, napi_value value, bool* out) {
    return napi_get_value_bool(env, value, out) == napi_ok;
  }
};

template <>
struct Argument<std::string> {
  static bool Read(napi_env env, napi_value value, std::string* out) {
    size_t length = 0;
    if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) return false;
    out->resize(length);
    return napi_get_value_string_utf8(env, value, out->data(), length + 1, &length) == napi_ok;
  }
};

/// The memory of a typed array, for the time of this call only. A detached one is empty.
template <napi_typedarray_type kType, typename T>
bool ReadTypedArray(napi_env env, napi_value value, std::span<T>* out) {
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != kType) {
    return false;
  }
  *out = std::span<T>(static_cast<T*>(data), data == nullptr ? 0 : length);
  return true;
}

template <>
struct Argument<Bytes> {
  static bool Read(napi_env env, napi_value value, Bytes* out) {
    return ReadTypedArray<napi_uint8_array>(env, value, out);
  }
};

template <>
struct Argument<Integers> {
  static bool Read(napi_env env, napi_value value, Integers* out) {
    return ReadTypedArray<napi_int32_array>(env, value, out);
  }
};

template <>
struct Argument<Numbers> {
  static bool Read(napi_env env, napi_value value, Numbers* out) {
    return ReadTypedArray<napi_float64_array>(env, value, out);
  }
};

template <>
struct Argument<Napi::Function> {
  static bool Read(napi_env env, napi_value value, Napi::Function* out) {
    napi_valuetype type;
    if (napi_typeof(env, value, &type) != napi_ok || type != napi_function) return false;
    *out = Napi::Function(env, value);
    return true;
  }
};

inline napi_value ToValue(napi_env env, int64_t value) {
  napi_value result = nullptr;
  napi_create_int64(env, value, &result);
  return result;
}

/// Reads arguments of the types Js from a callback's info and hands them, after the callback's
/// data, to the body; a TypeError if one does not fit.
template <typename... Js, typename Body, size_t... kIndex>
napi_value WithArguments(napi_env env, napi_callback_info info, Body body,
                         std::index_sequence<kIndex...>) {
  constexpr size_t kCount = sizeof...(Js);
  size_t count = kCount;
  napi_value values[kCount == 0 ? 1 : kCount];
  void* data = nullptr;
  if (napi_get_cb_info(env, info, &count, values, nullptr, &data) != napi_ok) return nullptr;
  std::tuple<Js...> args;
  const bool fits =
      count >= kCount && (Argument<Js>::Read(env, values[kIndex], &std::get<kIndex>(args)) && ...);
  if (!fits) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE",
                          "an argument of a native function has the wrong type or range");
    return nullptr;
  }
  return ToValue(env, body(static_cast<Environment*>(data), std::get<kIndex>(args)...));
}

/// The Node-API callback of a system call function. A first parameter `Environment&` is supplied
/// from the callback's data, not by JavaScript.
template <auto kFunction>
struct Call;

template <typename... Args>
inline constexpr bool kWantsEnvironment = false;
template <typename... Args>
inline constexpr bool kWantsEnvironment<Environment&, Args...> = true;

template <typename... Args, int64_t (*kFunction)(Args...)>
  requires(!kWantsEnvironment<Args...>)
struct Call<kFunction> {
  static napi_value Invoke(napi_env env, napi_callback_info info) {
    return WithArguments<std::decay_t<Args>...>(
        env, info,
        [](Environment*, auto&... args) -> int64_t { return kFunction(std::move(args)...); },
        std::index_sequence_for<Args...>{});
  }
};

template <typename... Args, int64_t (*kFunction)(Environment&, Args...)>
struct Call<kFunction> {
  static napi_value Invoke(napi_env env, napi_callback_info info) {
    return WithArguments<std::decay_t<Args>...>(
        env, info,
        [](Environment* environment, auto&... args) -> int64_t {
          return kFunction(*environment, std::move(args)...);
        },
        std::index_sequence_for<Args...>{});
  }
};

}  // namespace octoipc
