// tracer PID NOT [fault CALL ERRNO WHEN | kill CALL WHEN]: follows the threads of a process, but for those
// in NOT (thread ids between commas, `-` for none), with all threads and processes that these make, until a
// process runs another program. Without more it prints each system call as `TID CALL ARGUMENT`; else the
// WHEN-th such call, counted over all of them, is not made and fails, or its process is killed before it,
// and that line is printed alone. Ends on SIGINT, or when nothing is left to follow.
//
// strace counts such calls for each thread alone, and follows all threads or one: V8's and libuv's would be
// hit with ours.
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kTracees = 4096 };

static const struct {
  long number;
  const char *name;
} kCalls[] = {
#include "calls.h"
};

/// Those whose call was taken away, until it returns.
static pid_t faulted[kTracees];
static const char *call;
static long fault;
static long when;
static long count;

static void End(int signal) {
  (void)signal;
  fflush(stdout);
  // What is followed runs on when its tracer is gone.
  _exit(0);
}

static const char *NameOf(uint64_t number) {
  for (size_t i = 0; i < sizeof kCalls / sizeof kCalls[0]; ++i) {
    if ((uint64_t)kCalls[i].number == number) return kCalls[i].name;
  }
  return "unknown";
}

/// Whether the runtime does not make such a call for itself: memory that is shared, stacks of threads, and
/// words that several processes wait for.
static int IsOurs(const char *name, const uint64_t *args) {
  if (strcmp(name, "mmap") == 0) return (args[3] & (MAP_SHARED | MAP_STACK)) != 0;
  if (strcmp(name, "futex") != 0) return 1;
  const uint64_t operation = args[1] & FUTEX_CMD_MASK;
  if ((args[1] & FUTEX_PRIVATE_FLAG) != 0) return 0;
  return operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET || operation == FUTEX_WAKE;
}

static void TakeAway(pid_t tid) {
#if defined(__x86_64__)
  ptrace(PTRACE_POKEUSER, tid, offsetof(struct user_regs_struct, orig_rax), -1L);
#elif defined(__aarch64__)
  int none = -1;
  struct iovec part = {&none, sizeof none};
  ptrace(PTRACE_SETREGSET, tid, NT_ARM_SYSTEM_CALL, &part);
#else
#error "no system call can be taken away on this architecture"
#endif
}

static void Fail(pid_t tid) {
#if defined(__x86_64__)
  ptrace(PTRACE_POKEUSER, tid, offsetof(struct user_regs_struct, rax), -fault);
#elif defined(__aarch64__)
  struct user_regs_struct registers;
  struct iovec part = {&registers, sizeof registers};
  ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &part);
  registers.regs[0] = (uint64_t)-fault;
  ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &part);
#endif
}

static void Enter(pid_t tid, uint64_t number, const uint64_t *args) {
  const char *name = NameOf(number);
  if (!IsOurs(name, args)) return;
  if (call == NULL) {
    printf("%d %s %lld\n", tid, name, (long long)args[0]);
    return;
  }
  if (strcmp(name, call) != 0 || ++count != when) return;
  printf("%d %s hit\n", tid, name);
  fflush(stdout);
  if (fault == 0) {
    syscall(SYS_tkill, tid, SIGKILL);
    return;
  }
  TakeAway(tid);
  for (size_t i = 0; i < kTracees; ++i) {
    if (faulted[i] != 0) continue;
    faulted[i] = tid;
    return;
  }
}

static void Leave(pid_t tid) {
  for (size_t i = 0; i < kTracees; ++i) {
    if (faulted[i] != tid) continue;
    faulted[i] = 0;
    Fail(tid);
  }
}

static void Stopped(pid_t tid, int status) {
  const int signal = WSTOPSIG(status);
  const int event = status >> 16;
  if (signal == (SIGTRAP | 0x80)) {
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof info, &info) > 0) {
      if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
        // On the stack: the record is packed as the kernel has it.
        uint64_t args[6];
        for (size_t i = 0; i < 6; ++i) args[i] = info.entry.args[i];
        Enter(tid, info.entry.nr, args);
      } else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
        Leave(tid);
      }
    }
    ptrace(PTRACE_SYSCALL, tid, 0, 0);
  } else if (event == PTRACE_EVENT_EXEC) {
    ptrace(PTRACE_DETACH, tid, 0, 0);
  } else if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
    ptrace(PTRACE_LISTEN, tid, 0, 0);
  } else {
    ptrace(PTRACE_SYSCALL, tid, 0, event == 0 ? (long)signal : 0L);
  }
}

static int IsListed(const char *list, long tid) {
  char *end;
  for (const char *at = list; *at != '\0'; at = *end == '\0' ? end : end + 1) {
    if (strtol(at, &end, 10) == tid) return 1;
    if (end == at) return 0;
  }
  return 0;
}

static int Attach(long pid, const char *except) {
  const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                       PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
  char path[64];
  snprintf(path, sizeof path, "/proc/%ld/task", pid);
  DIR *tasks = opendir(path);
  if (tasks == NULL) return -1;
  for (const struct dirent *task = readdir(tasks); task != NULL; task = readdir(tasks)) {
    const long tid = strtol(task->d_name, NULL, 10);
    if (tid <= 0 || IsListed(except, tid)) continue;
    if (ptrace(PTRACE_SEIZE, tid, 0, options) == 0) {
      ptrace(PTRACE_INTERRUPT, tid, 0, 0);
    } else if (tid == pid) {
      // Others may be gone already, or the kernel's.
      closedir(tasks);
      return -1;
    }
  }
  closedir(tasks);
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  if (argc > 5) {
    call = argv[4];
    fault = strcmp(argv[3], "fault") == 0 ? strtol(argv[5], NULL, 10) : 0;
    when = strtol(argv[argc - 1], NULL, 10);
  }
  static char buffer[1 << 16];
  setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
  // Only while it waits: what it does between is whole.
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  sigprocmask(SIG_BLOCK, &interrupt, NULL);
  signal(SIGINT, End);
  if (Attach(strtol(argv[1], NULL, 10), argv[2]) != 0) {
    fprintf(stderr, "%s\n", strerror(errno));
    return 1;
  }
  printf("attached\n");
  fflush(stdout);
  for (;;) {
    int status;
    sigprocmask(SIG_UNBLOCK, &interrupt, NULL);
    const pid_t tid = waitpid(-1, &status, __WALL);
    sigprocmask(SIG_BLOCK, &interrupt, NULL);
    if (tid < 0) break;
    if (WIFSTOPPED(status)) Stopped(tid, status);
  }
  fflush(stdout);
  return 0;
}
