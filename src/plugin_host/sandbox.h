// What a plugin host gives up before it runs anybody's code: files, network, other processes, new code, and memory
// without end. For the calling process, for good; call it while there is one thread.
#pragma once

#include <string>

#include "base/result.h"

namespace monitor::plugin_host {

class Sandbox {
 public:
  virtual ~Sandbox() = default;
  // Before a library is opened: of files only it and the system's libraries can be read.
  virtual Status confine_loading(const std::string& library) = 0;
  // Before a plugin runs: no file at all, and no way back.
  virtual Status confine() = 0;
};

// The kernel's: rlimits, no_new_privs, Landlock, seccomp. Where Landlock is missing, seccomp alone keeps files away.
// What a plugin must not do ends the process, after it said what it was to `channel` (plugin_wire::Type::kLastWords).
class KernelSandbox final : public Sandbox {
 public:
  explicit KernelSandbox(int channel) : channel_(channel) {}
  Status confine_loading(const std::string& library) override;
  Status confine() override;

 private:
  int channel_;
  bool loading_ = false;
};

// The exit status of a host whose plugin did what it must not do.
inline constexpr int kExitForbidden = 159;

// Ends this process when the parent does, and lets it be the first to go when memory or time is short.
// Error: the parent is not `parent` any more.
Status follow_parent(int parent);

}  // namespace monitor::plugin_host
