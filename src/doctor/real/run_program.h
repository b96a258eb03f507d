// Runs a program to its end and takes what it prints, bounded in time and size. Blocks. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace monitor::doctor {

struct Ended {
  int status = 0;  // exit status; 128 + the signal's number if a signal ended it
  std::string output;
  std::string errors;
};

// Standard input is empty. The program is killed after `timeout_ns` (kDeadlineExceeded), and when it prints more than
// 4 MiB (kResourceExhausted). It inherits no descriptor and, of the environment, only PATH, HOME, LANG, XDG_RUNTIME_DIR
// and XDG_STATE_HOME: variables may hold secrets.
Result<Ended> run_program(const std::string& path, const std::vector<std::string>& arguments, int64_t timeout_ns);

}  // namespace monitor::doctor
