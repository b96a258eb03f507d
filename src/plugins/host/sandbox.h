// Sandbox: before a plugin host runs a plugin's code, it gives up files, network, other processes, new code and
// unlimited memory. This applies to the calling process and cannot be undone. Call while the process has a single
// thread.
//
// A native plugin's code runs as soon as the dynamic loader has its file: constructors, and resolvers of indirect
// functions. Therefore the sandbox must be complete before that file is opened, and the loader works inside it. The
// system libraries that the plugin needs are loaded before, in a weaker sandbox.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "plugins/wire/wire.h"

namespace monitor::plugin_host {

class Sandbox {
 public:
  virtual ~Sandbox() = default;
  // Call before the system libraries are opened. From then on, only they, and files below `readable`, can be read.
  virtual Status confine_loading(const std::vector<std::string>& readable) = 0;
  // The complete sandbox: no files. Code can be mapped only from `library`; -1: from nowhere. The result must be
  // reported to the agent before any code of a plugin runs.
  virtual Result<plugin_wire::Confined> confine(int library, bool threads) = 0;
  // The next file that is opened will be `library` (forbidden_calls.h); -1 cancels this.
  virtual void lend(int library) = 0;
};

// Uses the kernel: rlimits, no_new_privs, no capabilities, Landlock, seccomp. Without Landlock, only seccomp denies
// files. A forbidden call ends the process, after a report to `channel` (plugin_wire::Type::kLastWords).
class KernelSandbox final : public Sandbox {
 public:
  // What happens to a call that would open or look for a file, or make a socket or another descriptor: it ends the
  // process like every forbidden call, or fails with EACCES, which an interpreter reports as an exception.
  enum class NewDescriptors { kEnd, kRefuse };
  explicit KernelSandbox(int channel, NewDescriptors asked = NewDescriptors::kEnd) : channel_(channel), asked_(asked) {}
  Status confine_loading(const std::vector<std::string>& readable) override;
  Result<plugin_wire::Confined> confine(int library, bool threads) override;
  void lend(int library) override;

 private:
  Status begin();

  int channel_;
  NewDescriptors asked_;
  bool begun_ = false;
};

// The exit status of a host whose plugin has made a forbidden call.
inline constexpr int kExitForbidden = 159;

// Makes this process end with its parent. Also lowers its priority, and makes it the first candidate of the kernel's
// OOM killer, so that collecting takes precedence. Error: `parent` is no longer the parent.
Status follow_parent(int parent);

}  // namespace monitor::plugin_host
