// POSIX semaphores: sem_overview(7). Memory and waits are the same as a lock's; what is here is
// what libc alone knows.
#include <semaphore.h>
#include <string.h>

#include "sem.h"

namespace octoipc {
namespace {

/// Which layout sem_t has: what the words of binding.ts mean.
enum Flavour : int64_t { kUnknown = 0, kGlibc = 1, kMusl = 2 };

constexpr Flavour kFlavour =
#if !defined(__LP64__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    kUnknown;
#elif !defined(__linux__)
    kUnknown;
#elif defined(__GLIBC__)
    kGlibc;
#else
    kMusl;
#endif

/// sem_init(3) of a semaphore that processes share, which is what sem_open(3) makes, too.
int64_t SemInit(Bytes memory, uint32_t value) {
  if (memory.size() < sizeof(sem_t)) return -EFAULT;
  sem_t made;
  memset(&made, 0, sizeof made);
  if (::sem_init(&made, 1, value) != 0) return -errno;
  memcpy(memory.data(), &made, sizeof made);
  return 0;
}

}  // namespace

void ExportPosix(Exports& exports) {
  exports.Function<SemInit>("semInit")
      .Number("semFlavour", kFlavour)
      .Number("semSize", sizeof(sem_t))
      .Number("semAlign", alignof(sem_t));
}

}  // namespace octoipc
