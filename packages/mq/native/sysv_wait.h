// A thread that waits for a System V queue, where the kernel offers no descriptor.
#pragma once

#include <pthread.h>

#include <atomic>
#include <memory>

#include "octoipc/bell.h"
#include "octoipc/environment.h"
#include "sysv.h"

namespace octoipc {

/// Makes one call after the other that may block, each of which can be stopped without losing a
/// message.
///
/// A receiver is waited for without receiving: msgrcv(2) into no room at all, without MSG_NOERROR,
/// sleeps until there is a message of the wanted type, fails with E2BIG and leaves it where it is,
/// for whoever comes first. Only an empty message fits into no room: the call takes it, and its
/// type is the result. A sender's call really sends; interrupted, it has sent nothing.
///
/// Lifetime:
/// 1. The thread starts with the first call, and ends by itself when none came for a while.
/// 2. `Stop` interrupts the call by a signal, again and again until it has returned, since the
///    signal may come before the call begins. What it answers is final: sent, taken, or neither.
/// 3. The destructor stops the call and joins the thread. An empty message that was taken, and that
///    nobody got, goes back into its queue.
class QueueWait : public Resource {
 public:
  QueueWait(std::shared_ptr<Bell> bell, int32_t who);
  ~QueueWait() override;

  /// Both: 0 or -errno, when no thread can be started.
  int64_t Receive(int id, long type, int flags);
  int64_t Send(int id, Bytes data, long type);
  /// -EAGAIN while the call runs; then what it answered: 0 sent, > 0 the type of the empty message
  /// that was taken, -E2BIG there is a message, another -errno. Asking again gives -ESRCH.
  int64_t Result();
  /// Ends the call; its result, which is -EINTR if it did nothing, or -ESRCH if there was none.
  int64_t Stop();

 private:
  enum State : uint32_t { kIdle, kCalling, kDone, kEnded };

  int64_t Begin();
  int64_t StartThread();
  int64_t Make();
  void Loop();
  bool Idle();
  static void* Run(void* self);

  const std::shared_ptr<Bell> bell_;
  const int32_t who_;
  const int signal_;
  pthread_t thread_{};
  bool started_ = false;
  std::atomic<uint32_t> state_{kIdle};
  std::atomic<bool> stopping_{false};

  // Of the call: written before it begins, and its result before it is done.
  int id_ = -1;
  long type_ = 0;
  int flags_ = 0;
  std::unique_ptr<OutgoingMessage> message_;
  int64_t result_ = 0;
};

}  // namespace octoipc
