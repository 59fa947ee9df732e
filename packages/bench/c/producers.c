// producers MECHANISM SIZE PRODUCERS: many processes that send to one, or that contend. MECHANISM is posix
// or sysv (queues), fifo (frames, one write(2) each), ring (several producers), seqpacket (a server's
// connections), datagram, or permit, lock, sysvsem (each takes it and gives it back).
//
// Each does an equal share. Once one is done, the others' progress tells how fairly they were served.
#define _GNU_SOURCE
#include <fcntl.h>
#include <mqueue.h>
#include <octoipc/ring.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fifo.h"

enum { kProducers = 64, kMessages = 10, kHeader = 4, kRing = 1 << 20 };

static size_t size;
static int producers;
static const char* mechanism;

/// What all processes see.
static struct {
  _Atomic int ready;
  _Atomic int go;
  _Atomic int first;
  _Atomic uint64_t done[kProducers];
  uint64_t seen[kProducers];
  sem_t permit;
  pthread_mutex_t lock;
}* shared;

static int queue;
static int sets;
static int fds[2];
static char name[64];
static void* memory;

static int Is(const char* name) { return strcmp(mechanism, name) == 0; }

static void Open(void) {
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) Fail("mmap");
  snprintf(name, sizeof name, "/octoipc-bench-%d", (int)getpid());
  if (Is("posix")) {
    struct mq_attr attributes = {.mq_maxmsg = kMessages, .mq_msgsize = (long)size};
    mq_unlink(name);
    queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
    mq_unlink(name);
  } else if (Is("sysv")) {
    queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
  } else if (Is("fifo")) {
    const struct Fifo fifo = MakeFifo();
    queue = open(fifo.path, O_RDWR | O_CLOEXEC);
    RemoveFifo(&fifo);
  } else if (Is("datagram")) {
    queue = socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds);
  } else if (Is("seqpacket")) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s", name);
    queue = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (bind(queue, (struct sockaddr*)&address, sizeof address) != 0) Fail("bind");
    if (listen(queue, kProducers) != 0) Fail("listen");
  } else if (Is("ring")) {
    memory = mmap(NULL, OIPC_DATA + kRing, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    errno = -oipc_ring_format(memory, OIPC_DATA + kRing, kRing, (uint32_t)size, OIPC_RING_TURNS,
                              NULL);
    if (errno != 0) Fail("format");
  }
  if (queue < 0) Fail(mechanism);
  sem_init(&shared->permit, 1, 1);
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&shared->lock, &attributes);
  if (Is("sysvsem")) {
    sets = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
    if (sets < 0 || semctl(sets, 0, SETVAL, 1) != 0) Fail("semget");
  }
}

static void Close(void) {
  if (Is("sysvsem")) semctl(sets, 0, IPC_RMID);
  if (Is("sysv")) msgctl(queue, IPC_RMID, NULL);
}

/// Who is the first to be done keeps how far the others are.
static void Done(void) {
  int none = 0;
  if (!atomic_compare_exchange_strong(&shared->first, &none, 1)) return;
  for (int i = 0; i < producers; i++) shared->seen[i] = atomic_load(&shared->done[i]);
}

static void Contend(void) {
  struct sembuf take = {0, -1, 0}, give = {0, 1, 0};
  if (Is("permit")) {
    while (sem_wait(&shared->permit) != 0) continue;
    sem_post(&shared->permit);
  } else if (Is("lock")) {
    if (pthread_mutex_lock(&shared->lock) != 0) Fail("lock");
    pthread_mutex_unlock(&shared->lock);
  } else if (semop(sets, &take, 1) != 0 || semop(sets, &give, 1) != 0) {
    Fail("semop");
  }
}

static int IsContention(void) { return Is("permit") || Is("lock") || Is("sysvsem"); }

static void Produce(int number, size_t share) {
  uint8_t* frame = Memory(kLine + size);
  uint8_t* message = frame + kLine;
  const uint32_t length = (uint32_t)size;
  const long type = 1;
  memcpy(message - kHeader, &length, kHeader);
  oipc_ring ring;
  int fd = queue;
  if (Is("sysv")) memcpy(message - sizeof type, &type, sizeof type);
  if (Is("datagram")) fd = fds[1];
  if (Is("seqpacket")) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s", name);
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr*)&address, sizeof address) != 0) Fail("connect");
  }
  if (Is("ring")) {
    oipc_ring_attach(&ring, memory, OIPC_DATA + kRing);
    errno = -oipc_ring_join(&ring, true);
    if (errno != 0) Fail("join");
  }
  atomic_fetch_add(&shared->ready, 1);
  while (atomic_load(&shared->go) == 0) usleep(100);
  for (size_t n = 0; n < share; n++) {
    int result = 0;
    if (IsContention()) {
      Contend();
    } else {
      Fill(message, size, n);
      if (Is("posix")) result = mq_send(queue, (char*)message, size, 0);
      if (Is("sysv")) result = msgsnd(queue, message - sizeof type, size, 0);
      if (Is("fifo")) WriteAll(fd, message - kHeader, kHeader + size);
      if (Is("datagram") || Is("seqpacket")) result = send(fd, message, size, 0) < 0 ? -1 : 0;
      if (Is("ring")) result = oipc_ring_send(&ring, message, size, -1);
    }
    if (result < 0) Fail(mechanism);
    atomic_store_explicit(&shared->done[number], n + 1, memory_order_relaxed);
  }
  Done();
  if (Is("ring")) oipc_ring_leave(&ring);
}

/// A server's connections, by epoll_wait(2); then the messages of one after the other.
static uint64_t Serve(size_t count) {
  const int set = epoll_create1(EPOLL_CLOEXEC);
  uint8_t* message = Memory(size);
  uint64_t sum = 0;
  int ends[kProducers];
  for (int i = 0; i < producers; i++) {
    ends[i] = accept4(queue, NULL, NULL, SOCK_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = ends[i]};
    if (ends[i] < 0 || epoll_ctl(set, EPOLL_CTL_ADD, ends[i], &event) != 0) Fail("accept");
  }
  for (size_t n = 0; n < count;) {
    struct epoll_event events[kProducers];
    const int ready = epoll_wait(set, events, kProducers, -1);
    for (int i = 0; i < ready; i++) {
      const ssize_t got = recv(events[i].data.fd, message, size, MSG_DONTWAIT);
      if (got == 0) epoll_ctl(set, EPOLL_CTL_DEL, events[i].data.fd, NULL);
      if (got <= 0) continue;
      sum += Sum(message, size, 0);
      n++;
    }
  }
  for (int i = 0; i < producers; i++) close(ends[i]);
  close(set);
  return sum;
}

static uint64_t Consume(size_t count) {
  uint8_t* message = Memory(kLine + size) + kLine;
  uint64_t sum = 0;
  oipc_ring ring;
  if (Is("seqpacket")) return Serve(count);
  if (Is("ring")) {
    oipc_ring_attach(&ring, memory, OIPC_DATA + kRing);
    errno = -oipc_ring_join(&ring, false);
    if (errno != 0) Fail("join");
  }
  for (size_t n = 0; n < count; n++) {
    ssize_t got = (ssize_t)size;
    if (Is("posix")) got = mq_receive(queue, (char*)message, size, NULL);
    if (Is("sysv")) got = msgrcv(queue, message - sizeof(long), size, 0, 0);
    if (Is("datagram")) got = recv(fds[0], message, size, 0);
    if (Is("fifo")) ReadAll(queue, message - kHeader, kHeader + size);
    // Every producer that leaves is told of once.
    if (Is("ring")) got = (ssize_t)oipc_ring_receive(&ring, message, size, -1);
    if (got != (ssize_t)size) Fail("receive");
    sum += Sum(message, size, 0);
  }
  if (Is("ring")) oipc_ring_leave(&ring);
  return sum;
}

static double Fairness(void) {
  double sum = 0, squares = 0;
  for (int i = 0; i < producers; i++) {
    const double each = (double)shared->seen[i];
    sum += each;
    squares += each * each;
  }
  return squares > 0 ? sum * sum / (producers * squares) : 1;
}

static void Sample(size_t count) {
  const size_t share = (count + (size_t)producers - 1) / (size_t)producers;
  const size_t total = share * (size_t)producers;
  uint64_t sum = 0;
  Open();
  for (int i = 0; i < producers; i++) {
    const pid_t child = fork();
    if (child < 0) Fail("fork");
    if (child > 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    Produce(i, share);
    _exit(0);
  }
  // Connections are ready when they are accepted, by the one who waits for all of them.
  while (!Is("seqpacket") && atomic_load(&shared->ready) < producers) usleep(100);
  const int64_t start = Now();
  atomic_store(&shared->go, 1);
  if (!IsContention()) sum = Consume(total);
  while (IsContention() && wait(NULL) > 0) continue;
  const int64_t end = Now();
  while (wait(NULL) > 0) continue;
  printf("{\"ns\":%lld,\"count\":%zu,\"fairness\":%.4f", (long long)(end - start), total,
         Fairness());
  if (!IsContention()) printf(",\"sum\":%llu", (unsigned long long)sum);
  puts("}");
  fflush(stdout);
  Close();
  if (Is("datagram")) close(fds[1]);
  if (Is("datagram")) close(fds[0]);
  if (Is("posix") || Is("fifo") || Is("seqpacket")) close(queue);
  if (Is("ring")) munmap(memory, OIPC_DATA + kRing);
  munmap(shared, sizeof *shared);
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  mechanism = argv[1];
  size = strtoull(argv[2], NULL, 10);
  producers = atoi(argv[3]);
  if (producers < 1 || producers > kProducers) return 2;
  for (size_t count = NextCount(); count > 0; count = NextCount()) Sample(count);
  return 0;
}
