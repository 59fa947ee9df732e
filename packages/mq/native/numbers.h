// The layout of what a batched receive tells.
#pragma once

#include <cmath>
#include <cstdint>

#include "octoipc/args.h"

namespace octoipc {

/// For each message: where its bytes are, how many, and its priority or type.
inline constexpr size_t kNumbersPerMessage = 3;

/// As many numbers as a call is told.
inline constexpr size_t kMostTold = 8;

/// What a call is told: numbers in the array where it will tell of messages. To read it costs
/// nothing, to be passed each number by itself a tenth of a small call.
class Told {
 public:
  explicit Told(Numbers numbers) : numbers_(numbers) {}

  bool usable() const { return numbers_.size() >= kMostTold; }
  int64_t operator[](size_t index) const {
    const double number = numbers_[index];
    return std::fabs(number) <= 9007199254740991.0 ? static_cast<int64_t>(number) : -1;
  }
  int Id() const { return static_cast<int>((*this)[0]); }

 private:
  Numbers numbers_;
};

inline bool HasPlace(Numbers found, int64_t index) {
  return found.size() / kNumbersPerMessage > static_cast<size_t>(index);
}

inline void Tell(Numbers found, int64_t index, size_t at, int64_t length, int64_t tag) {
  double* message = found.data() + static_cast<size_t>(index) * kNumbersPerMessage;
  message[0] = static_cast<double>(at);
  message[1] = static_cast<double>(length);
  message[2] = static_cast<double>(tag);
}

/// Whether there is so much room in the memory from `offset` on.
inline bool Fits(Bytes memory, int64_t offset, int64_t room) {
  return offset >= 0 && room >= 0 && static_cast<uint64_t>(offset) <= memory.size() &&
         static_cast<uint64_t>(room) <= memory.size() - static_cast<uint64_t>(offset);
}

}  // namespace octoipc
