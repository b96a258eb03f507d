// Exit statuses of all programs, based on sysexits(3). docs/operations.md lists them.
#pragma once

#include "base/result.h"

namespace monitor {

inline constexpr int kExitOk = 0;
inline constexpr int kExitNegative = 1;      // the answer is "no": something missing, absent, different
inline constexpr int kExitUsage = 64;        // the command line is wrong
inline constexpr int kExitUnavailable = 69;  // a service or port is unavailable
inline constexpr int kExitSoftware = 70;     // a bug in the program
inline constexpr int kExitIo = 74;           // a damaged or read-only file, a full disk
inline constexpr int kExitTempFail = 75;     // a conflict, a timeout, a lock held by another process
inline constexpr int kExitConfig = 78;       // an invalid configuration

// The status for an error with files or services that ends a program.
int exit_code_for(const Error& error);

}  // namespace monitor
