// locks EXERCISE: what the sem suite compares with: what POSIX threads offer that processes can share.
//
// rwlock-read    pthread_rwlock_tryrdlock(3) and unlock, nobody else there
// rwlock-write   pthread_rwlock_trywrlock(3) and unlock, nobody else there
// rwlock-handoff two writers that follow each other round three locks: each step is a lock that the other holds
// condition      there and back: each says whose turn it is, signals, and waits for its own turn, with a robust mutex
// barrier        two that arrive, over and over
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "bench.h"

enum { kLocks = 3, kParties = 2 };

static struct {
  _Alignas(64) sem_t ready;
  _Alignas(64) pthread_rwlock_t locks[kLocks];
  _Alignas(64) pthread_mutex_t mutex;
  _Alignas(64) pthread_cond_t changed;
  int turn;
  _Alignas(64) pthread_barrier_t barrier;
}* shared;

/// Calls of POSIX threads answer their errors.
static void Check(int error, const char* what) {
  errno = error;
  if (error != 0) Fail(what);
}

static void Make(void) {
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) Fail("mmap");
  sem_init(&shared->ready, 1, 0);
  pthread_rwlockattr_t for_lock;
  pthread_rwlockattr_init(&for_lock);
  pthread_rwlockattr_setpshared(&for_lock, PTHREAD_PROCESS_SHARED);
  for (int i = 0; i < kLocks; i++) pthread_rwlock_init(&shared->locks[i], &for_lock);
  pthread_mutexattr_t for_mutex;
  pthread_mutexattr_init(&for_mutex);
  pthread_mutexattr_setpshared(&for_mutex, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&for_mutex, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&shared->mutex, &for_mutex);
  pthread_condattr_t for_condition;
  pthread_condattr_init(&for_condition);
  pthread_condattr_setpshared(&for_condition, PTHREAD_PROCESS_SHARED);
  pthread_cond_init(&shared->changed, &for_condition);
  pthread_barrierattr_t for_barrier;
  pthread_barrierattr_init(&for_barrier);
  pthread_barrierattr_setpshared(&for_barrier, PTHREAD_PROCESS_SHARED);
  pthread_barrier_init(&shared->barrier, &for_barrier, kParties);
}

static void Report(int64_t start) {
  printf("{\"ns\":%lld}\n", (long long)(Now() - start));
  fflush(stdout);
}

static void Pairs(size_t count, int (*take)(pthread_rwlock_t*)) {
  const int64_t start = Now();
  for (size_t n = 0; n < count; n++) {
    Check(take(&shared->locks[0]), "pthread_rwlock");
    pthread_rwlock_unlock(&shared->locks[0]);
  }
  Report(start);
}

static pid_t Fork(void) {
  const pid_t child = fork();
  if (child < 0) Fail("fork");
  if (child == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
  return child;
}

static int Follow(int at, size_t steps) {
  for (size_t n = 0; n < steps; n++) {
    const int next = (at + 1) % kLocks;
    Check(pthread_rwlock_wrlock(&shared->locks[next]), "pthread_rwlock_wrlock");
    pthread_rwlock_unlock(&shared->locks[at]);
    at = next;
  }
  return at;
}

static void HandOff(size_t count) {
  pthread_rwlock_wrlock(&shared->locks[0]);
  const pid_t child = Fork();
  if (child == 0) {
    pthread_rwlock_wrlock(&shared->locks[1]);
    sem_post(&shared->ready);
    pthread_rwlock_unlock(&shared->locks[Follow(1, count)]);
    _exit(0);
  }
  sem_wait(&shared->ready);
  const int64_t start = Now();
  const int at = Follow(0, count);
  Report(start);
  pthread_rwlock_unlock(&shared->locks[at]);
  waitpid(child, NULL, 0);
}

static void Pass(int turn) {
  shared->turn = turn;
  pthread_cond_signal(&shared->changed);
}

static void AwaitTurn(int turn) {
  while (shared->turn != turn)
    Check(pthread_cond_wait(&shared->changed, &shared->mutex), "pthread_cond_wait");
}

static void AnswerTurns(size_t count) {
  Check(pthread_mutex_lock(&shared->mutex), "pthread_mutex_lock");
  sem_post(&shared->ready);
  for (size_t n = 0; n < count; n++) {
    AwaitTurn(1);
    Pass(0);
  }
  pthread_mutex_unlock(&shared->mutex);
}

static void BeginTurns(void) { Check(pthread_mutex_lock(&shared->mutex), "pthread_mutex_lock"); }

static void TakeTurn(void) {
  Pass(1);
  AwaitTurn(0);
}

static void EndTurns(void) { pthread_mutex_unlock(&shared->mutex); }

static void Arrive(void) {
  const int result = pthread_barrier_wait(&shared->barrier);
  if (result != PTHREAD_BARRIER_SERIAL_THREAD) Check(result, "pthread_barrier_wait");
}

static void AnswerArrivals(size_t count) {
  sem_post(&shared->ready);
  for (size_t n = 0; n < count; n++) Arrive();
}

static void Nothing(void) {}

static void Trips(size_t count, void (*answer)(size_t), void (*begin)(void), void (*trip)(void),
                  void (*end)(void)) {
  const pid_t child = Fork();
  if (child == 0) {
    answer(count);
    _exit(0);
  }
  int64_t* times = malloc(count * sizeof *times);
  sem_wait(&shared->ready);
  begin();
  int64_t due = FirstTrip();
  for (size_t n = 0; n < count; n++) {
    AwaitTrip(due);
    trip();
    due = EndTrip(due, &times[n]);
  }
  end();
  waitpid(child, NULL, 0);
  ReportTrips(times, count);
  free(times);
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const char* exercise = argv[1];
  Make();
  for (size_t count = NextCount(); count > 0; count = NextCount()) {
    if (strcmp(exercise, "rwlock-read") == 0) Pairs(count, pthread_rwlock_tryrdlock);
    if (strcmp(exercise, "rwlock-write") == 0) Pairs(count, pthread_rwlock_trywrlock);
    if (strcmp(exercise, "rwlock-handoff") == 0) HandOff(count);
    if (strcmp(exercise, "condition") == 0)
      Trips(count, AnswerTurns, BeginTurns, TakeTurn, EndTurns);
    if (strcmp(exercise, "barrier") == 0) Trips(count, AnswerArrivals, Nothing, Arrive, Nothing);
  }
  return 0;
}
