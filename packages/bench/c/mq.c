// mq KIND EXERCISE SIZE: what the mq suite measures, in C. KIND is posix or sysv.
//
// flow       one send a message, one receive into one buffer, between two processes
// spin       the same by calls that do not wait, over and over until they go through
// pair       a send and a receive that do not wait, in one process
// roundtrip  there and back through two queues, blocked in the receive
// roundtrip-spin  the same by calls that do not wait, over and over until they go through
// thread     the same, but each waits in epoll_wait(2) for a thread that is in the receive
// open       mq_open(3) and mq_close(3) of a queue that is there; msgget(2) of one of System V
#define _GNU_SOURCE
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>

#include "bench.h"
#include "hand.h"

enum { kMessages = 10 };

static size_t size;
static int posix;

/// Whether no call waits.
static int spins;

/// A queue that has no name any more, or a private one.
static int Open(void) {
  if (!posix) {
    const int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    if (id < 0) Fail("msgget");
    return id;
  }
  static int count;
  char name[64];
  snprintf(name, sizeof name, "/octoipc-bench-%d-%d", (int)getpid(), count++);
  struct mq_attr attributes = {.mq_maxmsg = kMessages, .mq_msgsize = (long)size};
  const int flags = O_RDWR | O_CREAT | O_EXCL | (spins ? O_NONBLOCK : 0);
  // Who had the same id and was killed may have left one.
  mq_unlink(name);
  const mqd_t queue = mq_open(name, flags, 0600, &attributes);
  if (queue < 0) Fail("mq_open");
  mq_unlink(name);
  return queue;
}

static void Close(int queue) {
  if (posix) {
    mq_close(queue);
  } else {
    msgctl(queue, IPC_RMID, NULL);
  }
}

/// `message` has the type of System V before its bytes.
static void Send(int queue, uint8_t* message) {
  const int flags = spins ? IPC_NOWAIT : 0;
  int result;
  do {
    result = posix ? mq_send(queue, (char*)message + kLine, size, 0)
                   : msgsnd(queue, message + kLine - sizeof(long), size, flags);
  } while (result != 0 && spins && errno == EAGAIN);
  if (result != 0) Fail("send");
}

static void Receive(int queue, uint8_t* message) {
  const int flags = spins ? IPC_NOWAIT : 0;
  unsigned int priority;
  ssize_t got;
  do {
    got = posix ? mq_receive(queue, (char*)message + kLine, size, &priority)
                : msgrcv(queue, message + kLine - sizeof(long), size, 0, flags);
  } while (got < 0 && spins && (errno == EAGAIN || errno == ENOMSG));
  if (got != (ssize_t)size) Fail("receive");
}

static uint8_t* Message(void) {
  uint8_t* message = Memory(kLine + size);
  const long type = 1;
  memcpy(message + kLine - sizeof type, &type, sizeof type);
  return message;
}

static void Pairs(size_t count) {
  const int queue = Open();
  uint8_t* message = Message();
  uint64_t sum = 0;
  const int64_t start = Now();
  for (size_t n = 0; n < count; n++) {
    Fill(message + kLine, size, n);
    Send(queue, message);
    Receive(queue, message);
    sum += Sum(message + kLine, size, 0);
  }
  ReportReceipt(start, (struct Receipt){Now(), sum});
  Close(queue);
}

static void OpenAndClose(size_t count) {
  char name[64];
  snprintf(name, sizeof name, "/octoipc-bench-%d", (int)getpid());
  struct mq_attr attributes = {.mq_maxmsg = kMessages, .mq_msgsize = (long)size};
  const key_t key = (key_t)(0x0c700000 | (getpid() & 0xfffff));
  // Who had the same id and was killed may have left one.
  if (posix) mq_unlink(name);
  if (!posix) msgctl(msgget(key, 0), IPC_RMID, NULL);
  const int first = posix ? mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes)
                          : msgget(key, IPC_CREAT | IPC_EXCL | 0600);
  if (first < 0) Fail("open");
  const int64_t start = Now();
  for (size_t n = 0; n < count; n++) {
    const int queue = posix ? mq_open(name, O_RDWR) : msgget(key, 0);
    if (queue < 0) Fail("open");
    if (posix) mq_close(queue);
  }
  ReportReceipt(start, (struct Receipt){Now(), 0});
  Close(first);
  if (posix) mq_unlink(name);
}

/// Whether who receives waits for a thread.
static int by_hand;

struct Inbox {
  int queue;
  uint8_t* message;
};

static void ReceiveInbox(void* of) {
  const struct Inbox* inbox = of;
  Receive(inbox->queue, inbox->message);
}

/// What receives from a queue; its thread is never joined, so it stays.
static struct Hand* HandOf(int queue, uint8_t* message) {
  struct Hand* hand = calloc(1, sizeof *hand);
  struct Inbox* inbox = malloc(sizeof *inbox);
  *inbox = (struct Inbox){queue, message};
  StartHand(hand, ReceiveInbox, inbox);
  return hand;
}

/// `told` is where the other tells what it added up.
static void Trips(int to, int from, size_t count, int told) {
  uint8_t* message = Message();
  uint8_t* answer = Message();
  struct Hand* hand = by_hand ? HandOf(from, answer) : NULL;
  struct Receipt receipt;
  uint64_t sum = 0;
  int64_t* times = malloc(count * sizeof *times);
  int64_t due = FirstTrip();
  for (size_t n = 0; n < count; n++) {
    AwaitTrip(due);
    Fill(message + kLine, size, n);
    Send(to, message);
    if (by_hand) {
      AwaitHand(hand);
    } else {
      Receive(from, answer);
    }
    sum += Sum(answer + kLine, size, 0);
    due = EndTrip(due, &times[n]);
  }
  ReadAll(told, &receipt, sizeof receipt);
  ReportDialogue(times, count, sum, receipt.sum);
  free(times);
}

/// One sample in this process and a new one, which is ready before the clock starts.
static void Sample(int trips, size_t count) {
  const int forth = Open();
  const int back = trips ? Open() : -1;
  int told[2];
  uint8_t ready = 1;
  if (pipe2(told, O_CLOEXEC) != 0) Fail("pipe2");
  const pid_t child = fork();
  if (child < 0) Fail("fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    uint8_t* message = Message();
    uint8_t* answer = Message();
    struct Hand* hand = by_hand ? HandOf(forth, message) : NULL;
    struct Receipt receipt = {0, 0};
    WriteAll(told[1], &ready, 1);
    for (size_t n = 0; n < count; n++) {
      if (by_hand) {
        AwaitHand(hand);
      } else {
        Receive(forth, message);
      }
      receipt.sum += Sum(message + kLine, size, 0);
      if (trips) {
        Fill(answer + kLine, size, n);
        Send(back, answer);
      }
    }
    receipt.end = Now();
    WriteAll(told[1], &receipt, sizeof receipt);
    _exit(0);
  }
  ReadAll(told[0], &ready, 1);
  if (trips) {
    Trips(forth, back, count, told[0]);
  } else {
    struct Receipt receipt;
    uint8_t* message = Message();
    const int64_t start = Now();
    for (size_t n = 0; n < count; n++) {
      Fill(message + kLine, size, n);
      Send(forth, message);
    }
    ReadAll(told[0], &receipt, sizeof receipt);
    ReportReceipt(start, receipt);
  }
  waitpid(child, NULL, 0);
  Close(forth);
  if (trips) Close(back);
  close(told[0]);
  close(told[1]);
}

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  posix = strcmp(argv[1], "posix") == 0;
  by_hand = strcmp(argv[2], "thread") == 0;
  const int spinning_trips = strcmp(argv[2], "roundtrip-spin") == 0;
  spins = spinning_trips || strcmp(argv[2], "spin") == 0;
  size = strtoull(argv[3], NULL, 10);
  for (size_t count = NextCount(); count > 0; count = NextCount()) {
    if (strcmp(argv[2], "pair") == 0) {
      Pairs(count);
    } else if (strcmp(argv[2], "open") == 0) {
      OpenAndClose(count);
    } else {
      Sample(by_hand || spinning_trips || strcmp(argv[2], "roundtrip") == 0, count);
    }
  }
  return 0;
}
