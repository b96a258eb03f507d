// SeccompFilter: builds a seccomp program from rules for system calls and their arguments.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "base/result.h"

namespace monitor::plugin_host {

class SeccompFilter {
 public:
  // A call without a rule traps: the process gets SIGSYS.
  SeccompFilter();

  void allow(int call);
  // The call fails with this errno.
  void refuse(int call, int error);
  // Allowed if (argument & mask) == value, in the low 32 bits; otherwise it fails with `error`, or traps if that is 0.
  void allow_if(int call, int argument, uint32_t mask, uint32_t value, int error);
  // Like above, with several values.
  void allow_if_any(int call, int argument, uint32_t mask, const std::vector<uint32_t>& values, int error);
  // (argument & mask) == value, in the low 32 bits of the argument, or in the high ones.
  struct Condition {
    int argument = 0;
    uint32_t mask = 0;
    uint32_t value = 0;
    bool high = false;
  };
  // If all conditions hold, the call is allowed, or fails with `error`. Otherwise the next rule of the call applies.
  void allow_when(int call, const std::vector<Condition>& conditions);
  void refuse_when(int call, const std::vector<Condition>& conditions, int error);

  // Installs it in this process.
  Status install();

 private:
  void add(sock_filter instruction) { program_.push_back(instruction); }
  void begin(int call, size_t body);
  void when(int call, const std::vector<Condition>& conditions, uint32_t action);
  static uint32_t otherwise(int error);

  std::vector<sock_filter> program_;
};

}  // namespace monitor::plugin_host
