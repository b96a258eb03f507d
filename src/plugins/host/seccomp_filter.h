// Builds a seccomp program: a list of system calls, each with what becomes of it, optionally by its arguments.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "base/result.h"

namespace monitor::plugin_host {

class SeccompFilter {
 public:
  // What is not named traps: the process gets SIGSYS.
  SeccompFilter();

  void allow(int call);
  // It fails with this errno, and nothing happens.
  void refuse(int call, int error);
  // Allowed where (argument & mask) == value, in its low 32 bits; else it fails with `error`, 0: traps.
  void allow_if(int call, int argument, uint32_t mask, uint32_t value, int error);
  // The same with several values.
  void allow_if_any(int call, int argument, uint32_t mask, const std::vector<uint32_t>& values, int error);
  // (argument & mask) == value, in the low 32 bits of the argument, or in the high ones.
  struct Condition {
    int argument = 0;
    uint32_t mask = 0;
    uint32_t value = 0;
    bool high = false;
  };
  // Where all conditions hold, the call is allowed, or fails with `error`. Elsewhere the next rule of the call counts.
  void allow_when(int call, const std::vector<Condition>& conditions);
  void refuse_when(int call, const std::vector<Condition>& conditions, int error);

  // Puts it into force for this process.
  Status install();

 private:
  void add(sock_filter instruction) { program_.push_back(instruction); }
  void begin(int call, size_t body);
  void when(int call, const std::vector<Condition>& conditions, uint32_t action);
  static uint32_t otherwise(int error);

  std::vector<sock_filter> program_;
};

}  // namespace monitor::plugin_host
