#include "dispositions.h"

#include <dlfcn.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "octoipc/retry.h"

namespace octoipc {
namespace {

std::atomic<Stray> stray_taken{nullptr};

/// Runs only where a thread does not block what it should; from then on it does.
void OnStray(int number, siginfo_t* info, void* context) {
  const int error = errno;
  void* where = &static_cast<ucontext_t*>(context)->uc_sigmask;
  SignalSet mask = 0;
  memcpy(&mask, where, kContextBytes);
  mask |= Bit(number);
  memcpy(where, &mask, kContextBytes);
  const Stray taken = stray_taken.load(std::memory_order_acquire);
  if (taken != nullptr) taken(*info);
  errno = error;
}

bool IsOurs(const struct sigaction& action) {
  return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == OnStray;
}

bool IsHandler(const struct sigaction& action) {
  return action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
}

/// The address of what a handler is, whichever kind.
void* AddressOf(const struct sigaction& action) {
  void* address = nullptr;
  memcpy(&address, &action.sa_handler, sizeof address);
  return address;
}

template <typename Function>
Function Find(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_DEFAULT, name));
}

/// The one handler that libuv installs for whatever is listened for by `process.on`. It has no
/// name, so a loop of the moment listens for a signal that does nothing.
void* FindLibuvHandler() {
  const auto loop_size = Find<decltype(&uv_loop_size)>("uv_loop_size");
  const auto loop_init = Find<decltype(&uv_loop_init)>("uv_loop_init");
  const auto loop_close = Find<decltype(&uv_loop_close)>("uv_loop_close");
  const auto run = Find<decltype(&uv_run)>("uv_run");
  const auto handle_size = Find<decltype(&uv_handle_size)>("uv_handle_size");
  const auto signal_init = Find<decltype(&uv_signal_init)>("uv_signal_init");
  const auto signal_start = Find<decltype(&uv_signal_start)>("uv_signal_start");
  const auto close = Find<decltype(&uv_close)>("uv_close");
  if (!loop_size || !loop_init || !loop_close || !run || !handle_size || !signal_init ||
      !signal_start || !close) {
    return nullptr;
  }
  // Bun has these names, too, and ends the process when one is called. What is V8's own, it has
  // not.
  if (::dlsym(RTLD_DEFAULT, "_ZN2v82V810GetVersionEv") == nullptr) return nullptr;
#ifdef __GLIBC__
  // Whatever it may have in the future: what it exports has a version of its own.
  if (::dlvsym(RTLD_DEFAULT, "uv_run", "BUN_1.2") != nullptr) return nullptr;
#endif
  auto* loop = static_cast<uv_loop_t*>(calloc(1, loop_size()));
  auto* handle = static_cast<uv_signal_t*>(calloc(1, handle_size(UV_SIGNAL)));
  void* address = nullptr;
  if (loop != nullptr && handle != nullptr && loop_init(loop) == 0) {
    if (signal_init(loop, handle) == 0) {
      struct sigaction before{};
      struct sigaction during{};
      ::sigaction(SIGURG, nullptr, &before);
      if (signal_start(handle, [](uv_signal_t*, int) {}, SIGURG) == 0) {
        ::sigaction(SIGURG, nullptr, &during);
        address = AddressOf(during);
      }
      close(reinterpret_cast<uv_handle_t*>(handle), nullptr);
      run(loop, UV_RUN_DEFAULT);
      if (AddressOf(before) != address) ::sigaction(SIGURG, &before, nullptr);
    }
    loop_close(loop);
  }
  free(handle);
  free(loop);
  return address;
}

void* LibuvHandler() {
  static void* const address = FindLibuvHandler();
  return address;
}

bool IsLibuvs(const struct sigaction& action) {
  return IsHandler(action) && AddressOf(action) == LibuvHandler();
}

/// Whether a handler is the runtime's own, which is what it does by default: mend the terminal,
/// start the debugger.
bool IsRuntimes(const struct sigaction& action) {
  static const void* const base = [] {
    Dl_info runtime{};
    void* known = ::dlsym(RTLD_DEFAULT, "napi_create_function");
    return known != nullptr && ::dladdr(known, &runtime) != 0 ? runtime.dli_fbase : nullptr;
  }();
  Dl_info info{};
  return IsHandler(action) && !IsLibuvs(action) && base != nullptr &&
         ::dladdr(AddressOf(action), &info) != 0 && info.dli_fbase == base;
}

Dispositions::Default DefaultOf(int number) {
  switch (number) {
    case SIGCHLD:
    case SIGCONT:
    case SIGURG:
    case SIGWINCH:
      return Dispositions::Default::kNothing;
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
      return Dispositions::Default::kStop;
    default:
      return Dispositions::Default::kEnd;
  }
}

}  // namespace

Dispositions& Dispositions::Get() {
  static auto* dispositions = new Dispositions();
  return *dispositions;
}

Dispositions::Dispositions() {
  for (int number = 1; number <= kLastSignal; ++number) {
    struct sigaction action{};
    if (::sigaction(number, nullptr, &action) == 0 && IsRuntimes(action)) {
      original_[static_cast<size_t>(number)] = action;
    }
  }
}

int64_t Dispositions::Install(int number, Stray stray) {
  stray_taken.store(stray, std::memory_order_release);
  auto& previous = previous_[static_cast<size_t>(number)];
  const int64_t asked = ValueOrError([&] { return ::sigaction(number, nullptr, &previous); });
  if (asked < 0) return asked;
  if (IsRealTime(number) && IsHandler(previous) && !IsLibuvs(previous)) return -EBUSY;
  installed_ |= Bit(number);
  Refresh(number);
  return 0;
}

void Dispositions::Refresh(int number) {
  struct sigaction ours{};
  struct sigaction found{};
  ours.sa_sigaction = OnStray;
  ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  sigfillset(&ours.sa_mask);
  // One call, so that nobody's handler is lost in between.
  if (::sigaction(number, &ours, &found) == 0 && !IsOurs(found)) {
    previous_[static_cast<size_t>(number)] = found;
  }
}

void Dispositions::Restore(int number) {
  installed_ &= ~Bit(number);
  struct sigaction found{};
  if (::sigaction(number, nullptr, &found) != 0 || !IsOurs(found)) return;
  ::sigaction(number, &previous_[static_cast<size_t>(number)], nullptr);
}

bool Dispositions::HasHandler(int number) const {
  const auto& previous = previous_[static_cast<size_t>(number)];
  return IsHandler(previous) && !IsRuntimes(previous);
}

bool Dispositions::EndsOrStops(int number) const {
  const auto& previous = previous_[static_cast<size_t>(number)];
  return IsRuntimes(previous) ||
         (previous.sa_handler == SIG_DFL && DefaultOf(number) != Default::kNothing);
}

bool Dispositions::IsIgnored(int number) const {
  return previous_[static_cast<size_t>(number)].sa_handler == SIG_IGN;
}

void Dispositions::Call(const struct sigaction& action, siginfo_t info) {
  const AllBlocked blocked;
  const int error = errno;
  if ((action.sa_flags & SA_SIGINFO) != 0) {
    ucontext_t context{};
    action.sa_sigaction(info.si_signo, &info, &context);
  } else {
    action.sa_handler(info.si_signo);
  }
  errno = error;
}

void Dispositions::TakeDefault(int number, const struct sigaction& action) {
  struct sigaction ours{};
  if (::sigaction(number, &action, &ours) != 0) return;
  const SignalSet before = ChangeMask(SIG_UNBLOCK, Bit(number));
  ::syscall(SYS_tgkill, ::getpid(), ThreadId(), number);
  // Still here: it was stopped, and has been continued.
  ChangeMask(SIG_SETMASK, before);
  ::sigaction(number, &ours, nullptr);
}

int64_t Dispositions::Ignore(int number) {
  struct sigaction action{};
  action.sa_handler = SIG_IGN;
  return Set(number, action);
}

int64_t Dispositions::Reset(int number) {
  const auto& original = original_[static_cast<size_t>(number)];
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  return Set(number, IsHandler(original) ? original : action);
}

int64_t Dispositions::Set(int number, const struct sigaction& action) {
  struct sigaction found{};
  const int64_t asked = ValueOrError([&] { return ::sigaction(number, nullptr, &found); });
  if (asked < 0) return asked;
  const bool ours = IsOurs(found);
  auto& previous = previous_[static_cast<size_t>(number)];
  const auto& theirs = ours ? previous : found;
  if (IsHandler(theirs) && !IsRuntimes(theirs)) return -EBUSY;
  if (ours) {
    previous = action;
    return 0;
  }
  return ValueOrError([&] { return ::sigaction(number, &action, nullptr); });
}

}  // namespace octoipc
