#include "bin/agent_list_metrics.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>

#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/exit_codes.h"
#include "base/signals.h"
#include "inputs/proc/metric_list.h"

namespace monitor {

namespace {

using nlohmann::ordered_json;

constexpr int kWaitMillis = 100;

std::string as_json(const std::vector<agent::SelectorOffer>& offers) {
  ordered_json all = ordered_json::array();
  for (const agent::SelectorOffer& one : offers) {
    ordered_json missing = ordered_json::array();
    for (const auto& [name, reason] : one.missing) missing.push_back({{"metric", name}, {"reason", reason}});
    all.push_back({{"selector", one.selector},
                   {"offered", !one.metrics.empty()},
                   {"metrics", one.metrics},
                   {"missing", std::move(missing)},
                   {"points", one.points},
                   {"cost_us", static_cast<double>(one.cost_ns) / 1e3}});
  }
  return all.dump(2) + "\n";
}

std::string as_table(const std::vector<agent::SelectorOffer>& offers) {
  std::string out = fmt::format("{:<14} {:>8} {:>8} {:>10}\n", "SELECTOR", "METRICS", "POINTS", "A TICK");
  for (const agent::SelectorOffer& one : offers) {
    const size_t all = one.metrics.size() + one.missing.size();
    out += fmt::format("{:<14} {:>8} {:>8} {:>7} us\n", one.selector, fmt::format("{}/{}", one.metrics.size(), all),
                       one.points, (one.cost_ns + 500) / 1000);
  }
  out +=
      "\nMETRICS: those that this host has, of all, with every option on. POINTS and A TICK (the time of a reading) "
      "are\n"
      "without options.\n";
  bool head = false;
  for (const agent::SelectorOffer& one : offers) {
    std::string last;
    for (const auto& [name, reason] : one.missing) {
      if (!std::exchange(head, true)) out += "\nMissing:\n";
      out += fmt::format("  {:<14} {}{}\n", one.selector, name, reason == last ? ": as above" : ": " + reason);
      last = reason;
    }
  }
  return out;
}

}  // namespace

int run_list_metrics(const AgentFlags& flags) {
  let_signals_end_process();
  const SystemClock clock;
  const auto offers = agent::list_offers(flags.roots, clock, [] { poll(nullptr, 0, kWaitMillis); });
  std::cout << (flags.format == "json" ? as_json(offers) : as_table(offers)) << std::flush;
  return kExitOk;
}

}  // namespace monitor
