// What an emulator of another processor does not do, seen without any of the packages: a line `lacks: PACKAGE` for
// each package that cannot do without it. On the machine itself it prints none.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char fifo[256];
static int set = -1;
static volatile int error_of_call = -1;

static void on_signal(int number) { (void)number; }

static void *in_open(void *unused) {
  (void)unused;
  error_of_call = open(fifo, O_WRONLY) < 0 ? errno : 0;
  return NULL;
}

static void *in_semop(void *unused) {
  (void)unused;
  struct sembuf down = {0, -1, 0};
  error_of_call = semop(set, &down, 1) < 0 ? errno : 0;
  return NULL;
}

// Whether the highest real-time signal, sent again and again, gets a thread out of a system call.
static int is_interrupted(void *(*call)(void *)) {
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGRTMAX, &action, NULL);
  pthread_t thread;
  error_of_call = -1;
  if (pthread_create(&thread, NULL, call, NULL) != 0) abort();
  const struct timespec pause = {0, 10 * 1000 * 1000};
  for (int tries = 0; error_of_call < 0 && tries < 300; ++tries) {
    nanosleep(&pause, NULL);
    pthread_kill(thread, SIGRTMAX);
  }
  return error_of_call == EINTR;
}

// A deadline is read, and never written: it may be constant.
static int takes_constant_deadline(void) {
  static const struct timespec deadline = {0, 0};
  char name[64];
  snprintf(name, sizeof name, "/octoipc-emulator-%d", getpid());
  const mqd_t queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, NULL);
  if (queue == (mqd_t)-1) return 0;
  mq_unlink(name);
  const int sent = mq_timedsend(queue, "x", 1, 0, &deadline);
  mq_close(queue);
  return sent == 0;
}

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

int main(void) {
  if (!makes_pidfds()) puts("lacks: popen (clone with CLONE_PIDFD)");
  if (!takes_constant_deadline()) puts("lacks: mq (mq_timedsend with a constant deadline)");
  snprintf(fifo, sizeof fifo, "emulator-%d", getpid());
  if (mkfifo(fifo, 0600) != 0) abort();
  const int opens = is_interrupted(in_open);
  unlink(fifo);
  if (!opens) puts("lacks: fifo (a signal that ends open)");
  set = semget(IPC_PRIVATE, 1, 0600);
  if (set < 0) abort();
  const int operates = is_interrupted(in_semop);
  semctl(set, 0, IPC_RMID);
  if (!operates) puts("lacks: sem (a signal that ends semop)");
  fflush(stdout);
  // A thread may still be in its call.
  _exit(0);
}
