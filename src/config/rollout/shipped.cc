#include "config/rollout/shipped.h"

#include "base/text.h"
#include "config/rollout/judgement.h"

namespace monitor::config::rollout {

namespace {

constexpr std::string_view kPoints = "points/s within ";
constexpr double kHundred = 100;

// The server notes these figures once a minute, so that they are read from a minute before on.
std::vector<Shipped> table() {
  return {{.name = "agent CPU",
           .expression = "rate(agent_cpu_seconds()[$window:10s])",
           .unit = "processors",
           .least = 0.02,
           .share = 0.5},
          {.name = "ticks missed",
           .expression = "rate(missed_ticks()[$window:10s]) / rate(due_ticks()[$window:10s])",
           .unit = "of the ticks",
           .least = 0.01},
          {.name = "plugin failures",
           .expression = "sum by (agent) (increase(plugin_failures()[$window:10s]))",
           .unit = "ticks",
           .least = 0.5,
           .absent_is_zero = true},
          {.name = "spool growth",
           .expression = "min_over_time(waiting_batches()[$window:10s])",
           .unit = "batches",
           .least = 10,
           .share = 0.5}};
}

}  // namespace

std::optional<Shipped> shipped_of(std::string_view name) {
  for (const Shipped& one : table()) {
    if (one.name == name) return one;
  }
  if (!name.starts_with(kPoints) || !name.ends_with('%')) return std::nullopt;
  const auto percent = parse_double(trim(name.substr(kPoints.size(), name.size() - kPoints.size() - 1)));
  if (!percent || !(*percent > 0) || *percent > kHundred) return std::nullopt;
  return Shipped{.name = std::string(name),
                 .expression = "rate(made_points()[$window:10s])",
                 .unit = "points/s",
                 .share = *percent / kHundred,
                 .both_ways = true};
}

std::vector<std::string> shipped_judgements() {
  return {"agent CPU", "ticks missed", "points/s within 20 %", "plugin failures", "spool growth"};
}

std::vector<std::string> default_judgements() { return {"ticks missed", "plugin failures", "spool growth"}; }

}  // namespace monitor::config::rollout
