// What a binding has to know of the system before it begins something.
#pragma once

namespace octoipc {

/// What a call answers, negative, that this system does not have: no errno of any system.
/// TypeScript tells it as ERR_UNSUPPORTED. ENOSYS is a kernel's answer that has the call in
/// principle.
inline constexpr int kNotOnThisSystem = 4095;

/// Whether threads of several processes can wait for a word that they share: futex(2).
#if defined(__linux__) && !defined(OCTOIPC_ELSEWHERE)
inline constexpr bool kHasSharedFutexes = true;
#else
inline constexpr bool kHasSharedFutexes = false;
#endif

}  // namespace octoipc
