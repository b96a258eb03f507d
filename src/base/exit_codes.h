// Exit statuses of all programs, after sysexits(3). docs/operations.md lists them.
#pragma once

#include "base/result.h"

namespace monitor {

inline constexpr int kExitOk = 0;
inline constexpr int kExitNegative = 1;      // the answer is "no": something missing, absent, different
inline constexpr int kExitUsage = 64;        // the command line is wrong
inline constexpr int kExitUnavailable = 69;  // a service or a port is not to be had
inline constexpr int kExitSoftware = 70;     // a fault of the program itself
inline constexpr int kExitIo = 74;           // a damaged or read-only file, a full disk
inline constexpr int kExitTempFail = 75;     // a conflict, a wait that timed out, a lock that another holds
inline constexpr int kExitConfig = 78;       // a configuration that is not valid

// For an error that ends a program which could not do its work on files or services.
int exit_code_for(const Error& error);

}  // namespace monitor
