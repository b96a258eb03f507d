// Host: the host's side of the channel. It receives requests, which its instances answer. It does no I/O, so that tests
// and fuzzing need no process: the owner of the channel passes packets in and sends the output. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "plugins/host/instance.h"
#include "plugins/host/sandbox.h"
#include "plugins/wire/wire.h"

namespace monitor::plugin_host {

// Opens the code of a plugin. Calls `confine` before any of this code runs; with the descriptor of the only file from
// which code may be mapped afterwards, or -1.
using Confine = std::function<Status(int library)>;
using Make = std::function<Result<std::unique_ptr<Instance>>(const plugin_wire::Load& load, Sandbox& sandbox,
                                                             const Confine& confine, const Instance::Log& log)>;

class Host {
 public:
  // Sends one packet to the agent, given in two pieces.
  using Send = std::function<void(std::string_view head, std::string_view rest)>;

  // `make` knows the kinds of plugins that this program runs.
  Host(Sandbox& sandbox, Send send, Make make);
  ~Host();

  // Handles a packet from the agent. After an error the host must end.
  Status take(std::string_view packet);

 private:
  Status handle(const plugin_wire::MessageView& message);
  Status confine(const plugin_wire::Load& load, uint32_t id, int library);
  Result<std::unique_ptr<Instance>> make(const plugin_wire::Load& load, uint32_t id);
  void load(const plugin_wire::MessageView& message);
  void run(Instance& instance, const plugin_wire::MessageView& message);
  static std::string fault_of(const Instance& instance, std::span<const metrics::Point> points);
  void answer(const plugin_wire::MessageView& request, plugin_wire::Type type, std::string payload);
  void fail(const plugin_wire::MessageView& request, const Error& error);
  void log(uint32_t id, uint32_t level, std::string_view line);

  Sandbox& sandbox_;
  Send send_;
  Make make_;
  plugin_wire::Assembler assembler_;
  std::map<uint32_t, std::unique_ptr<Instance>> instances_;
  bool loading_ = false;  // a plugin that needs a host of its own was or is being loaded
  std::optional<plugin_wire::Confined> confined_;
  HostTick tick_;  // kept to reuse its memory
  std::string packet_;
};

// Serves the agent on a SEQPACKET socket until the agent closes it. Returns the exit status.
struct AtWork {
  std::function<void()> begin;  // called before a packet is handled
  std::function<void()> end;    // and afterwards
};
int serve(int channel, Sandbox& sandbox, Make make, const AtWork& at_work = {[] {}, [] {}});

}  // namespace monitor::plugin_host
