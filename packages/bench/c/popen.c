// popen PROGRAM MIB: start to exit of a program by posix_spawn(3) and waitpid(2), with so much memory
// resident in the parent.
#include <spawn.h>

#include "bench.h"

extern char** environ;

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const size_t size = strtoull(argv[2], NULL, 10) << 20;
  if (size > 0) memset(Memory(size), 1, size);
  char* const args[] = {argv[1], NULL};
  for (size_t count = NextCount(); count > 0; count = NextCount()) {
    const int64_t start = Now();
    for (size_t n = 0; n < count; n++) {
      pid_t pid;
      if (posix_spawn(&pid, argv[1], NULL, NULL, args, environ) != 0) Fail("posix_spawn");
      if (waitpid(pid, NULL, 0) != pid) Fail("waitpid");
    }
    ReportReceipt(start, (struct Receipt){Now(), 0});
  }
  return 0;
}
