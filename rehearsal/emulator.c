// What an emulator of another processor does not do, seen without any of the packages: a line `lacks: PACKAGE` for
// each package that cannot do without it. On the machine itself it prints none.
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

// A list of no locks, as the kernel takes it: three words.
static int knows_robust_lists(void) {
  static long list[3];
  list[0] = (long)list;
  return syscall(SYS_set_robust_list, list, sizeof list) == 0;
}

int main(void) {
  if (!knows_robust_lists()) puts("lacks: sem (set_robust_list)");
  return 0;
}
