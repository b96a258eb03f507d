// A plugin host as its plugins see it: requests go there, answers and its end come back. HostProcess is the real one;
// tests have their own. Everything on the agent's loop; nobody is called back from inside a call.
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
    // The host has ended, with everything in it. `guilty`: this plugin was at work, or alone there.
    virtual void on_end(const std::string& reason, bool guilty) = 0;
  };

  virtual ~HostLink() = default;
  // A place for a plugin; messages with that number are for the listener, until it is removed.
  virtual uint32_t add(Listener& listener) = 0;
  // The plugin is finalized; a host without any ends.
  virtual void remove(uint32_t instance) = 0;
  // The payload may come in two pieces.
  virtual void send(plugin_wire::Type type, uint32_t instance, uint32_t number, std::string_view payload,
                    std::string_view rest) = 0;
  // Ends it at once; the others that it has are told why.
  virtual void kill(const std::string& reason) = 0;
  // What its process uses now, all of it; nothing where there is no process. To be asked every now and then: a process
  // that nobody asks about ends when it has used up the processor time that the last time gave it.
  virtual std::optional<HostUsage> usage() = 0;
  // It has ended, or is about to: nothing new can begin there.
  virtual bool ended() const = 0;
};

// Where hosts come from.
class HostLinks {
 public:
  virtual ~HostLinks() = default;
  // For a native plugin a new host, for a script the one of all scripts.
  virtual Result<std::shared_ptr<HostLink>> link_for(config::PluginKind kind, const std::string& name) = 0;
};

}  // namespace monitor::agent
