#include "keeper.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

#include "child.h"
#include "guard.h"
#include "octoipc/retry.h"

namespace octoipc {
namespace {

struct Orphan {
  UniqueFd pidfd;
  pid_t pid;
};

/// A start that another thread waits for.
struct Order {
  Plan* plan;
  Started started;
  bool done = false;
};

struct State {
  std::mutex mutex;
  std::condition_variable done;
  bool running = false;
  UniqueFd wake;
  std::vector<Order*> orders;
  std::vector<Orphan> orphans;
  Guard guard;
  /// How many groups the guard knows, for those who would rather not lock.
  std::atomic<int> guarded{0};
};

/// Never destroyed: the thread uses it until the process is gone.
State& TheState() {
  static auto* const state = new State;
  return *state;
}

/// Tells the thread; 0 or an errno. A count that is full tells it, too: it is there to be read
/// (eventfd(2)).
int Wake(State& state) {
  const uint64_t one = 1;
  const int64_t written = Retry([&] { return ::write(state.wake.get(), &one, sizeof one); });
  return written >= 0 || written == -EAGAIN ? 0 : static_cast<int>(-written);
}

/// A guard that has nothing to watch ends, and its end is taken like an orphan's.
void LetGuardEnd(State& state) {
  if (!state.guard.idle()) return;
  UniqueFd ended = state.guard.End();
  if (!ended) return;
  state.orphans.push_back({std::move(ended), -1});
  Wake(state);
}

void ForgetGroup(State& state, pid_t pid) {
  if (!state.guard.Forget(pid)) return;
  state.guarded.fetch_sub(1, std::memory_order_relaxed);
  LetGuardEnd(state);
}

/// Runs one start; the guard is there before the child is.
void Serve(State& state, Order& order) {
  Plan& plan = *order.plan;
  if (plan.group) {
    const int error = state.guard.Begin();
    if (error != 0) {
      order.started.stage = Stage::kKeeper;
      order.started.error = error;
      return;
    }
  }
  plan.die_with_thread = true;
  order.started = octoipc::Spawn(plan);
  if (!plan.group) return;
  if (order.started.error == 0) {
    state.guard.Watch(order.started.pid);
    state.guarded.fetch_add(1, std::memory_order_relaxed);
  } else {
    LetGuardEnd(state);
  }
}

/// Takes the end of the orphans that have ended.
void Reap(State& state) {
  for (size_t i = 0; i < state.orphans.size();) {
    Orphan& orphan = state.orphans[i];
    if (WaitByPidfd(orphan.pidfd.get(), Numbers{}, true) == 0) {
      ++i;
      continue;
    }
    const Orphan ended = std::move(orphan);
    state.orphans.erase(state.orphans.begin() + static_cast<std::ptrdiff_t>(i));
    ForgetGroup(state, ended.pid);
    WaitByPidfd(ended.pidfd.get(), Numbers{}, false);
  }
}

void* Run(void* data) {
  State& state = *static_cast<State*>(data);
  std::vector<pollfd> polled;
  for (;;) {
    {
      const std::lock_guard lock(state.mutex);
      for (Order* order : std::exchange(state.orders, {})) {
        Serve(state, *order);
        order->done = true;
      }
      Reap(state);
      polled.assign(1, {state.wake.get(), POLLIN, 0});
      for (const Orphan& orphan : state.orphans) {
        polled.push_back({orphan.pidfd.get(), POLLIN, 0});
      }
    }
    state.done.notify_all();
    ::poll(polled.data(), polled.size(), -1);
    uint64_t count = 0;
    Retry([&] { return ::read(state.wake.get(), &count, sizeof count); });
  }
  return nullptr;
}

/// Starts the thread at the first need; 0 or an errno. With the lock held.
int Ensure(State& state) {
  if (state.running) return 0;
  if (!state.wake) state.wake = UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!state.wake) return errno;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const int error = pthread_create(&thread, nullptr, Run, &state);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  state.running = error == 0;
  return error;
}

}  // namespace

Started Keeper::Spawn(Plan& plan) {
  State& state = TheState();
  std::unique_lock lock(state.mutex);
  Order order{&plan, {}};
  const int error = Ensure(state);
  if (error != 0) {
    order.started.stage = Stage::kKeeper;
    order.started.error = error;
    return order.started;
  }
  state.orders.push_back(&order);
  const int untold = Wake(state);
  if (untold != 0) {
    // Nobody would come to it, and this thread would wait for ever.
    order.started.stage = Stage::kKeeper;
    order.started.error = untold;
    state.orders.pop_back();
    return order.started;
  }
  state.done.wait(lock, [&] { return order.done; });
  return order.started;
}

void Keeper::Adopt(UniqueFd pidfd, pid_t pid) {
  State& state = TheState();
  const std::lock_guard lock(state.mutex);
  if (Ensure(state) != 0) return;
  state.orphans.push_back({std::move(pidfd), pid});
  Wake(state);
}

bool Keeper::Guards() { return TheState().guarded.load(std::memory_order_relaxed) > 0; }

void Keeper::Forget(pid_t pid) {
  if (!Guards()) return;
  State& state = TheState();
  const std::lock_guard lock(state.mutex);
  ForgetGroup(state, pid);
}

}  // namespace octoipc
