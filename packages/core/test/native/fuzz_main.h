// The program of a fuzzed function where there is no libFuzzer: FUZZ ROUNDS SEED. Inputs are random
// numbers, many of them small.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

#ifndef OCTOIPC_LIBFUZZER
int main(int argc, char** argv) {
  if (argc < 3) return 2;
  std::mt19937 numbers(static_cast<uint32_t>(std::strtoul(argv[2], nullptr, 10)));
  for (long round = std::strtol(argv[1], nullptr, 10); round > 0; --round) {
    std::vector<uint8_t> input(numbers() % 200);
    for (auto& byte : input) {
      byte = static_cast<uint8_t>(numbers() % 2 != 0 ? numbers() : numbers() % 8);
    }
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  return 0;
}
#endif
