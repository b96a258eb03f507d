// SeccompFilter: builds a seccomp program from rules for system calls and their arguments.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "base/result.h"

namespace monitor::plugin_host {

class SeccompFilter {
 public:
  // A call without a rule traps: the process receives SIGSYS.
  SeccompFilter();

  void allow(int call);
  // Makes the call fail with this errno.
  void refuse(int call, int error);
  // Allows the call if (argument & mask) == value in the low 32 bits. Otherwise the call fails with `error`, or traps
  // if `error` is 0.
  void allow_if(int call, int argument, uint32_t mask, uint32_t value, int error);
  // The same with several values.
  void allow_if_any(int call, int argument, uint32_t mask, const std::vector<uint32_t>& values, int error);
  // True if (argument & mask) == value, in the low or the high 32 bits of the argument.
  struct Condition {
    int argument = 0;
    uint32_t mask = 0;
    uint32_t value = 0;
    bool high = false;
  };
  // If all conditions are true, allows the call; else the next rule of the call applies.
  void allow_when(int call, const std::vector<Condition>& conditions);
  void refuse_when(int call, const std::vector<Condition>& conditions, int error);

  // Installs the filter in this process.
  Status install();

 private:
  void add(sock_filter instruction) { program_.push_back(instruction); }
  void begin(int call, size_t body);
  void when(int call, const std::vector<Condition>& conditions, uint32_t action);
  static uint32_t otherwise(int error);

  std::vector<sock_filter> program_;
};

}  // namespace monitor::plugin_host
