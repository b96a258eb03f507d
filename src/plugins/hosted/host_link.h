// HostLink: a plugin host as its plugins see it. They send requests, and are notified of answers and of the host's end.
// HostProcess is the real implementation; tests have a fake. Loop's thread only; callbacks are never called from within
// a call.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "config/settings.h"
#include "plugins/hosted/usage_watch.h"
#include "plugins/wire/wire.h"

namespace monitor::agent {

class HostLink {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_message(const plugin_wire::MessageView& message) = 0;
    // The host and all its plugins have ended. `guilty`: this plugin was running, or was alone in the host.
    virtual void on_end(const std::string& reason, bool guilty) = 0;
  };

  virtual ~HostLink() = default;
  // Adds a plugin and returns its instance number. Its messages go to the listener until it is removed.
  virtual uint32_t add(Listener& listener) = 0;
  // Finalizes the plugin. A host without plugins ends.
  virtual void remove(uint32_t instance) = 0;
  // The payload may be passed in two pieces.
  virtual void send(plugin_wire::Type type, uint32_t instance, uint32_t number, std::string_view payload,
                    std::string_view rest) = 0;
  // Ends the host at once. Its other plugins receive the reason.
  virtual void kill(const std::string& reason) = 0;
  // The current usage of the host's process; nothing if there is no process. Must be called regularly: each call
  // extends the process's limit of processor time, and the kernel ends a process that exceeds it.
  virtual std::optional<HostUsage> usage() = 0;
  // True if the host has ended or is about to: it accepts no new plugin.
  virtual bool ended() const = 0;
};

// Creates hosts.
class HostLinks {
 public:
  virtual ~HostLinks() = default;
  // Returns the shared host for a script, and a new host for another plugin.
  virtual Result<std::shared_ptr<HostLink>> link_for(config::PluginKind kind, const std::string& name) = 0;
  // The id of the agent, as plugins are told.
  virtual std::string agent_id() const { return ""; }
};

}  // namespace monitor::agent
