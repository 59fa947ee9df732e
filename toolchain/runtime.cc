// What the bindings need of a C++ library, and no more. They are compiled without exceptions, so whatever the
// library throws would end the process in any case; but by what it throws the compiler's own brings an
// unwinder along, which would be four fifths of each binary. The declarations are those of its headers.
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <string>

namespace {

/// Who runs something once, and who waits for him. One for all: it is held for a few instructions.
pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t over = PTHREAD_COND_INITIALIZER;

/// What a thread does when it ends, the last first: destructors of its thread_locals.
struct Ending {
  void (*function)(void*);
  void* data;
  Ending* next;
};
pthread_key_t endings;
pthread_once_t endings_made = PTHREAD_ONCE_INIT;

void Must(int error) {
  if (error != 0) abort();
}

void* Allocate(size_t bytes) { return malloc(bytes == 0 ? 1 : bytes); }

void* AllocateOrAbort(size_t bytes) {
  void* memory = Allocate(bytes);
  if (memory == nullptr) abort();
  return memory;
}

void RunEndings(void* first) {
  for (auto* ending = static_cast<Ending*>(first); ending != nullptr;) {
    Ending* next = ending->next;
    ending->function(ending->data);
    free(ending);
    ending = next;
  }
}

void MakeEndings() { Must(pthread_key_create(&endings, RunEndings)); }

bool IsPrime(size_t number) {
  if (number < 4) return number > 1;
  if (number % 2 == 0) return false;
  for (size_t divisor = 3; divisor <= number / divisor; divisor += 2) {
    if (number % divisor == 0) return false;
  }
  return true;
}

}  // namespace

void* operator new(size_t bytes) { return AllocateOrAbort(bytes); }
void* operator new[](size_t bytes) { return AllocateOrAbort(bytes); }
void* operator new(size_t bytes, const std::nothrow_t&) noexcept { return Allocate(bytes); }
void* operator new[](size_t bytes, const std::nothrow_t&) noexcept { return Allocate(bytes); }
void operator delete(void* memory) noexcept { free(memory); }
void operator delete[](void* memory) noexcept { free(memory); }
void operator delete(void* memory, size_t) noexcept { free(memory); }
void operator delete[](void* memory, size_t) noexcept { free(memory); }

extern "C" {

/// A function's static is begun: 1 for whom is to make it. Byte 0 says that it is there, byte 1 that somebody
/// is at it.
int __cxa_guard_acquire(uint64_t* guard) {
  auto* bytes = reinterpret_cast<volatile uint8_t*>(guard);
  if (__atomic_load_n(&bytes[0], __ATOMIC_ACQUIRE) != 0) return 0;
  Must(pthread_mutex_lock(&turn));
  while (bytes[1] != 0) Must(pthread_cond_wait(&over, &turn));
  const bool ours = bytes[0] == 0;
  if (ours) bytes[1] = 1;
  Must(pthread_mutex_unlock(&turn));
  return ours ? 1 : 0;
}

void __cxa_guard_release(uint64_t* guard) {
  auto* bytes = reinterpret_cast<volatile uint8_t*>(guard);
  Must(pthread_mutex_lock(&turn));
  bytes[1] = 0;
  __atomic_store_n(&bytes[0], 1, __ATOMIC_RELEASE);
  Must(pthread_cond_broadcast(&over));
  Must(pthread_mutex_unlock(&turn));
}

/// The third argument is the library, which must not go before the thread does: ours are never unloaded.
int __cxa_thread_atexit(void (*function)(void*), void* data, void*) {
  Must(pthread_once(&endings_made, MakeEndings));
  auto* ending = static_cast<Ending*>(AllocateOrAbort(sizeof(Ending)));
  *ending = {function, data, static_cast<Ending*>(pthread_getspecific(endings))};
  Must(pthread_setspecific(endings, ending));
  return 0;
}

/// What is static is never destroyed: threads may be at it while the process ends, and ours are never unloaded.
int __cxa_atexit(void (*)(void*), void*, void*) { return 0; }

void __cxa_pure_virtual() { abort(); }
}

namespace std {

const nothrow_t nothrow{};

inline namespace __1 {

#ifndef _LIBCPP_HAS_TRIVIAL_MUTEX_DESTRUCTION
mutex::~mutex() noexcept { pthread_mutex_destroy(&__m_); }
#endif
void mutex::lock() { Must(pthread_mutex_lock(&__m_)); }
bool mutex::try_lock() noexcept { return pthread_mutex_trylock(&__m_) == 0; }
void mutex::unlock() noexcept { Must(pthread_mutex_unlock(&__m_)); }

#ifndef _LIBCPP_HAS_TRIVIAL_CONDVAR_DESTRUCTION
condition_variable::~condition_variable() { pthread_cond_destroy(&__cv_); }
#endif
void condition_variable::notify_one() noexcept { pthread_cond_signal(&__cv_); }
void condition_variable::notify_all() noexcept { pthread_cond_broadcast(&__cv_); }
void condition_variable::wait(unique_lock<mutex>& lock) noexcept {
  Must(pthread_cond_wait(&__cv_, lock.mutex()->native_handle()));
}

/// The flag is 0 at first, 1 while the function runs, and all ones for ever after.
void __call_once(volatile once_flag::_State_type& flag, void* data, void (*function)(void*)) {
  Must(pthread_mutex_lock(&turn));
  while (flag == 1) Must(pthread_cond_wait(&over, &turn));
  if (flag == 0) {
    flag = 1;
    Must(pthread_mutex_unlock(&turn));
    function(data);
    Must(pthread_mutex_lock(&turn));
    __atomic_store_n(&flag, ~once_flag::_State_type{0}, __ATOMIC_RELEASE);
    Must(pthread_cond_broadcast(&over));
  }
  Must(pthread_mutex_unlock(&turn));
}

chrono::steady_clock::time_point chrono::steady_clock::now() noexcept {
  timespec now{};
  Must(clock_gettime(CLOCK_MONOTONIC, &now));
  return time_point(chrono::seconds(now.tv_sec) + chrono::nanoseconds(now.tv_nsec));
}

template class basic_string<char>;

#define OCTOIPC_TO_STRING(Type, format)                                 \
  string to_string(Type number) {                                       \
    char digits[24];                                                    \
    const int length = snprintf(digits, sizeof digits, format, number); \
    return string(digits, static_cast<size_t>(length));                 \
  }
OCTOIPC_TO_STRING(int, "%d")
OCTOIPC_TO_STRING(unsigned, "%u")
OCTOIPC_TO_STRING(long, "%ld")
OCTOIPC_TO_STRING(unsigned long, "%lu")

/// How many buckets a table has.
size_t __next_prime(size_t number) {
  while (!IsPrime(number)) ++number;
  return number;
}

__shared_count::~__shared_count() {}
__shared_weak_count::~__shared_weak_count() {}
const void* __shared_weak_count::__get_deleter(const type_info&) const noexcept { return nullptr; }
void __shared_weak_count::__release_weak() noexcept {
  if (__libcpp_atomic_refcount_decrement(__shared_weak_owners_) == -1) __on_zero_shared_weak();
}

}  // namespace __1
}  // namespace std
