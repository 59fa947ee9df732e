// What an emulator of another processor does not do, seen without any of the packages: a line `lacks: PACKAGE` for
// each package that cannot do without it. On the machine itself it prints none.
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int child(void *unused) {
  (void)unused;
  _exit(0);
}

static int makes_pidfds(void) {
  static char stack[64 * 1024] __attribute__((aligned(16)));
  int pidfd = -1;
  const int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
  const pid_t pid = clone(child, stack + sizeof stack, flags, NULL, &pidfd);
  if (pid < 0) return 0;
  waitpid(pid, NULL, 0);
  return pidfd >= 0 && close(pidfd) == 0;
}

// A list of no locks, as the kernel takes it: three words.
static int knows_robust_lists(void) {
  static long list[3];
  list[0] = (long)list;
  return syscall(SYS_set_robust_list, list, sizeof list) == 0;
}

int main(void) {
  if (!makes_pidfds()) puts("lacks: popen (clone with CLONE_PIDFD)");
  if (!knows_robust_lists()) puts("lacks: sem (set_robust_list)");
  return 0;
}
