// sem EXERCISE: what the sem suite compares with.
//
// permit      sem_trywait(3) and sem_post(3), nobody else there
// lock        pthread_mutex_trylock(3) and unlock of a robust mutex that processes share
// posix       there and back through two semaphores, blocked in sem_wait(3)
// sysv        there and back through a set of two, blocked in semop(2)
// sysv-thread the same, but each waits in epoll_wait(2) for a thread that is in semop(2)
// handoff     two processes that follow each other round three robust mutexes: each step is a lock
//             that the other holds
// opensem     sem_open(3) and sem_close(3) of a semaphore that is there
// opensysv    semget(2) and semctl(2) IPC_STAT of a set that is there
// openlock    open(2), mmap(2) and munmap(2) of a mutex's file
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sem.h>

#include "bench.h"
#include "hand.h"

enum { kLocks = 3 };

static struct {
  _Alignas(64) sem_t forth;
  _Alignas(64) sem_t back;
  _Alignas(64) pthread_mutex_t locks[kLocks];
}* shared;

static int set;

static void Make(void) {
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) Fail("mmap");
  sem_init(&shared->forth, 1, 0);
  sem_init(&shared->back, 1, 0);
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  for (int i = 0; i < kLocks; i++) pthread_mutex_init(&shared->locks[i], &attributes);
}

static void Report(int64_t start) {
  printf("{\"ns\":%lld}\n", (long long)(Now() - start));
  fflush(stdout);
}

static void Permits(size_t count) {
  sem_post(&shared->forth);
  const int64_t start = Now();
  for (size_t n = 0; n < count; n++) {
    if (sem_trywait(&shared->forth) != 0) Fail("sem_trywait");
    sem_post(&shared->forth);
  }
  Report(start);
  sem_wait(&shared->forth);
}

static void Locks(size_t count) {
  const int64_t start = Now();
  for (size_t n = 0; n < count; n++) {
    if (pthread_mutex_trylock(&shared->locks[0]) != 0) Fail("pthread_mutex_trylock");
    pthread_mutex_unlock(&shared->locks[0]);
  }
  Report(start);
}

static void Operate(int index, int delta) {
  struct sembuf one = {(unsigned short)index, (short)delta, 0};
  if (semop(set, &one, 1) != 0) Fail("semop");
}

static void Give(int sysv, int forth) {
  if (sysv) {
    Operate(forth, 1);
  } else {
    sem_post(forth ? &shared->forth : &shared->back);
  }
}

static void Take(int sysv, int forth) {
  if (sysv) {
    Operate(forth, -1);
  } else if (sem_wait(forth ? &shared->forth : &shared->back) != 0) {
    Fail("sem_wait");
  }
}

static void TakeForth(void* unused) {
  (void)unused;
  Take(1, 1);
}

static void TakeBack(void* unused) {
  (void)unused;
  Take(1, 0);
}

static pid_t Fork(void) {
  const pid_t child = fork();
  if (child < 0) Fail("fork");
  if (child == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
  return child;
}

static void Trips(int sysv, size_t count) {
  const pid_t child = Fork();
  if (child == 0) {
    for (size_t n = 0; n < count; n++) {
      Take(sysv, 1);
      Give(sysv, 0);
    }
    _exit(0);
  }
  int64_t* times = malloc(count * sizeof *times);
  int64_t due = FirstTrip();
  for (size_t n = 0; n < count; n++) {
    AwaitTrip(due);
    Give(sysv, 1);
    Take(sysv, 0);
    due = EndTrip(due, &times[n]);
  }
  ReportTrips(times, count);
  free(times);
  waitpid(child, NULL, 0);
}

static void TripsByHand(size_t count) {
  const pid_t child = Fork();
  // Its thread is never joined: what it uses stays.
  struct Hand* hand = calloc(1, sizeof *hand);
  StartHand(hand, child == 0 ? TakeForth : TakeBack, NULL);
  if (child == 0) {
    for (size_t n = 0; n < count; n++) {
      AwaitHand(hand);
      Give(1, 0);
    }
    _exit(0);
  }
  int64_t* times = malloc(count * sizeof *times);
  int64_t due = FirstTrip();
  for (size_t n = 0; n < count; n++) {
    AwaitTrip(due);
    Give(1, 1);
    AwaitHand(hand);
    due = EndTrip(due, &times[n]);
  }
  ReportTrips(times, count);
  free(times);
  waitpid(child, NULL, 0);
}

static int Follow(int at, size_t steps) {
  for (size_t n = 0; n < steps; n++) {
    const int next = (at + 1) % kLocks;
    if (pthread_mutex_lock(&shared->locks[next]) != 0) Fail("pthread_mutex_lock");
    pthread_mutex_unlock(&shared->locks[at]);
    at = next;
  }
  return at;
}

static void HandOff(size_t count) {
  pthread_mutex_lock(&shared->locks[0]);
  const pid_t child = Fork();
  if (child == 0) {
    pthread_mutex_lock(&shared->locks[1]);
    sem_post(&shared->forth);
    pthread_mutex_unlock(&shared->locks[Follow(1, count)]);
    _exit(0);
  }
  sem_wait(&shared->forth);
  const int64_t start = Now();
  const int at = Follow(0, count);
  Report(start);
  pthread_mutex_unlock(&shared->locks[at]);
  waitpid(child, NULL, 0);
}

static void OpenSemaphore(size_t count) {
  char name[64];
  snprintf(name, sizeof name, "/octoipc-bench-%d", (int)getpid());
  // Who had the same id and was killed may have left one.
  sem_unlink(name);
  sem_t* first = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
  if (first == SEM_FAILED) Fail("sem_open");
  sem_close(first);
  const int64_t start = Now();
  for (size_t n = 0; n < count; n++) {
    sem_t* again = sem_open(name, 0);
    if (again == SEM_FAILED) Fail("sem_open");
    sem_close(again);
  }
  Report(start);
  sem_unlink(name);
}

static void OpenSet(size_t count) {
  const key_t key = (key_t)(0x0c700000 | (getpid() & 0xfffff));
  // Who had the same id and was killed may have left one.
  semctl(semget(key, 0, 0), 0, IPC_RMID);
  const int first = semget(key, 2, IPC_CREAT | IPC_EXCL | 0600);
  if (first < 0) Fail("semget");
  const int64_t start = Now();
  for (size_t n = 0; n < count; n++) {
    struct semid_ds status;
    const int again = semget(key, 0, 0);
    if (again < 0 || semctl(again, 0, IPC_STAT, &status) < 0) Fail("semget");
  }
  Report(start);
  semctl(first, 0, IPC_RMID);
}

static void OpenLock(size_t count) {
  char path[64];
  snprintf(path, sizeof path, "/dev/shm/octoipc-bench-%d", (int)getpid());
  // Who had the same id and was killed may have left one.
  unlink(path);
  const int made = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (made < 0 || ftruncate(made, 512) != 0) Fail(path);
  close(made);
  volatile char sum = 0;
  const int64_t start = Now();
  for (size_t n = 0; n < count; n++) {
    const int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    char* at = mmap(NULL, 512, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) Fail("mmap");
    close(fd);
    sum += at[16];
    munmap(at, 512);
  }
  Report(start);
  unlink(path);
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const char* exercise = argv[1];
  Make();
  const int by_hand = strcmp(exercise, "sysv-thread") == 0;
  const int sysv = by_hand || strcmp(exercise, "sysv") == 0;
  size_t count;
  while ((count = NextCount()) > 0) {
    if (sysv) {
      set = semget(IPC_PRIVATE, 2, IPC_CREAT | 0600);
      if (set < 0) Fail("semget");
    }
    if (strcmp(exercise, "permit") == 0) Permits(count);
    if (strcmp(exercise, "lock") == 0) Locks(count);
    if (by_hand) TripsByHand(count);
    if ((sysv && !by_hand) || strcmp(exercise, "posix") == 0) Trips(sysv, count);
    if (strcmp(exercise, "handoff") == 0) HandOff(count);
    if (strcmp(exercise, "opensem") == 0) OpenSemaphore(count);
    if (strcmp(exercise, "opensysv") == 0) OpenSet(count);
    if (strcmp(exercise, "openlock") == 0) OpenLock(count);
    if (sysv) semctl(set, 0, IPC_RMID);
  }
}
