// What a plugin host gives up before it runs anybody's code: files, network, other processes, new code, and memory
// without end. For the calling process, for good; call it while there is one thread.
//
// A native plugin's code runs as soon as the dynamic loader has its file: constructors, resolvers of indirect
// functions. So the sandbox is complete before that file is opened, and the loader works inside it. What of the
// system's libraries the plugin needs is loaded before, behind a sandbox of its own.
#pragma once

#include "base/result.h"
#include "plugins/wire/wire.h"

namespace monitor::plugin_host {

class Sandbox {
 public:
  virtual ~Sandbox() = default;
  // Before the system's libraries are opened: only those can be read.
  virtual Status confine_loading() = 0;
  // The whole: no file at all, and no way back. Code can be mapped from `library` alone, -1: from nowhere. What came of
  // it is for the agent to be told before any code of a plugin runs.
  virtual Result<plugin_wire::Confined> confine(int library, bool threads) = 0;
  // The next file that is opened is `library`: see forbidden_calls.h. -1: none is.
  virtual void lend(int library) = 0;
};

// The kernel's: rlimits, no_new_privs, no capabilities, Landlock, seccomp. Where Landlock is missing, seccomp alone
// keeps files away. What a plugin must not do ends the process, after it said what it was to `channel`
// (plugin_wire::Type::kLastWords).
class KernelSandbox final : public Sandbox {
 public:
  explicit KernelSandbox(int channel) : channel_(channel) {}
  Status confine_loading() override;
  Result<plugin_wire::Confined> confine(int library, bool threads) override;
  void lend(int library) override;

 private:
  Status begin();

  int channel_;
  bool begun_ = false;
};

// The exit status of a host whose plugin did what it must not do.
inline constexpr int kExitForbidden = 159;

// Ends this process when the parent does, and lets it be the first to go when memory or time is short.
// Error: the parent is not `parent` any more.
Status follow_parent(int parent);

}  // namespace monitor::plugin_host
