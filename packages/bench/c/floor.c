// An addon that makes nothing but the system calls of the mq suite, for what a call through Node-API costs by
// itself: no checks, no errors but of the calls, and memory that is told of once. Loaded by sides/floor.mjs.
//
// open(kind, size, name)   a queue of that name, or with the id that the name is; its id
// unlink(id, name)         removes it
// memory(sent, received)   where messages are, after the type that System V has before them
// send(waits)              0, or -errno
// receive(waits, offset)   the length of a message that comes to that offset of `received`, or -errno
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <node_api.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { kMessages = 10 };

static const struct timespec kNow = {0, 0};
static int posix;
static int queue;
static size_t size;
static char* sent;
static char* received;

static napi_value Number(napi_env env, int64_t number) {
  napi_value value = NULL;
  napi_create_int64(env, number, &value);
  return value;
}

static int64_t Outcome(long result) { return result < 0 ? -errno : result; }

/** The arguments, which are numbers; 0 where there is none. */
static void Numbers(napi_env env, napi_callback_info info, size_t count, int32_t* numbers) {
  napi_value values[2];
  napi_get_cb_info(env, info, &count, values, NULL, NULL);
  for (size_t i = 0; i < count; i++) {
    numbers[i] = 0;
    napi_get_value_int32(env, values[i], &numbers[i]);
  }
}

static napi_value Open(napi_env env, napi_callback_info info) {
  napi_value values[3];
  size_t count = 3;
  char kind[8];
  char name[64];
  int64_t length = 0;
  napi_get_cb_info(env, info, &count, values, NULL, NULL);
  napi_get_value_string_utf8(env, values[0], kind, sizeof kind, NULL);
  napi_get_value_int64(env, values[1], &length);
  napi_get_value_string_utf8(env, values[2], name, sizeof name, NULL);
  size = (size_t)length;
  posix = strcmp(kind, "posix") == 0;
  struct mq_attr attributes = {.mq_maxmsg = kMessages, .mq_msgsize = (long)size};
  if (posix) {
    queue = (int)syscall(SYS_mq_open, name + 1, O_RDWR | O_CREAT | O_CLOEXEC, 0600, &attributes);
  } else {
    queue = name[0] == '/' ? msgget(IPC_PRIVATE, IPC_CREAT | 0600) : atoi(name);
  }
  return Number(env, Outcome(queue));
}

static napi_value Unlink(napi_env env, napi_callback_info info) {
  napi_value values[2];
  size_t count = 2;
  char name[64];
  napi_get_cb_info(env, info, &count, values, NULL, NULL);
  napi_get_value_string_utf8(env, values[1], name, sizeof name, NULL);
  return Number(env,
                Outcome(posix ? syscall(SYS_mq_unlink, name + 1) : msgctl(queue, IPC_RMID, NULL)));
}

static napi_value Memory(napi_env env, napi_callback_info info) {
  napi_value values[2];
  size_t count = 2;
  void* data[2];
  napi_get_cb_info(env, info, &count, values, NULL, NULL);
  for (int i = 0; i < 2; i++)
    napi_get_typedarray_info(env, values[i], NULL, NULL, &data[i], NULL, NULL);
  sent = data[0];
  received = data[1];
  const long type = 1;
  memcpy(sent - sizeof type, &type, sizeof type);
  return NULL;
}

static napi_value Send(napi_env env, napi_callback_info info) {
  int32_t waits;
  Numbers(env, info, 1, &waits);
  return Number(env, Outcome(posix ? syscall(SYS_mq_timedsend, queue, sent, size, 0,
                                             waits ? NULL : &kNow)
                                   : msgsnd(queue, sent - sizeof(long), size,
                                            waits ? 0 : IPC_NOWAIT)));
}

static napi_value Receive(napi_env env, napi_callback_info info) {
  int32_t numbers[2];
  Numbers(env, info, 2, numbers);
  const int32_t waits = numbers[0];
  char* target = received + numbers[1];
  unsigned int priority;
  return Number(env, Outcome(posix ? syscall(SYS_mq_timedreceive, queue, target, size, &priority,
                                             waits ? NULL : &kNow)
                                   : msgrcv(queue, target - sizeof(long), size, 0,
                                            waits ? 0 : IPC_NOWAIT)));
}

NAPI_MODULE_INIT() {
  const struct {
    const char* name;
    napi_callback call;
  } functions[] = {{"open", Open}, {"unlink", Unlink}, {"memory", Memory},
                   {"send", Send}, {"receive", Receive}};
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL,
                         &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  return exports;
}
