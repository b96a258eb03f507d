#include "bin/load/summary.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/counted.h"
#include "base/escape.h"
#include "base/text.h"
#include "base/time_format.h"

namespace monitor {

namespace {

constexpr std::array<std::pair<const char*, double>, 4> kShares = {
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}}};

double seconds(int64_t ns) { return static_cast<double>(ns) / kNanosPerSecond; }
double millis(int64_t ns) { return static_cast<double>(ns) / kNanosPerMilli; }
double ratio(double value, double by) { return by > 0 ? value / by : 0; }

// Rates cover only the time under load, not the drain.
double rate(const LoadSummary& s) { return ratio(static_cast<double>(s.acknowledged_in_time), seconds(s.running_ns)); }

uint64_t resent(const LoadSummary& s) { return s.counts.sent - s.counts.made; }

std::string verified_json(const Verified& verified) {
  std::string faults;
  for (const std::string& fault : verified.faults) faults += (faults.empty() ? "" : ",") + json_quote(fault);
  return fmt::format(R"({{"stored":{},"missing":{},"twice":{},"faults":[{}]}})", verified.stored, verified.missing,
                     verified.twice, faults);
}

std::string verified_text(const Verified& verified) {
  std::string out = fmt::format("verified       {} stored, {} missing, {} twice\n",
                                counted(verified.stored, "batch", "batches"), verified.missing, verified.twice);
  for (const std::string& fault : verified.faults) out += fmt::format("               {}\n", fault);
  return out;
}

}  // namespace

std::string to_table(const LoadSummary& s) {
  const load::FleetCounts& c = s.counts;
  const double batches = rate(s);
  std::string out =
      fmt::format("agents         {}, each {} every {}, for {:.1f} s\n", s.options.agents,
                  counted(s.options.points, "point"), format_duration(s.options.interval_ns), seconds(s.running_ns));
  out += fmt::format("batches        {} due, {} made, {} acknowledged, {} rejected\n", c.due, c.made, c.acknowledged,
                     c.rejected);
  out += fmt::format("left           {} unacknowledged, {} due and never made\n", s.unacknowledged, s.waiting);
  out +=
      fmt::format("rate           {:.1f} batches/s, {:.0f} points/s; {:.0f} messages per second of our CPU\n", batches,
                  batches * static_cast<double>(s.options.points), ratio(static_cast<double>(c.sent), s.cpu_seconds));
  out += "acknowledged   after";
  for (const auto& [name, share] : kShares)
    out += fmt::format(" {} {:.1f}", name, millis(s.delays.percentile_ns(share)));
  out += fmt::format(" max {:.1f} ms from when it was due\n", millis(s.delays.max_ns()));
  out += fmt::format("streams        {}, {}, {} sent again\n", counted(c.connects, "connect"),
                     counted(c.failures, "failure"), counted(resent(s), "batch", "batches"));
  if (!c.first_failure.empty()) out += fmt::format("first failure  {}\n", printable(c.first_failure));
  return s.verified ? out + verified_text(*s.verified) : out;
}

std::string to_json(const LoadSummary& s) {
  const load::FleetCounts& c = s.counts;
  const double batches = rate(s);
  std::string delays;
  for (const auto& [name, share] : kShares) {
    delays += fmt::format(R"("{}":{:.3f},)", name, millis(s.delays.percentile_ns(share)));
  }
  std::string out = fmt::format(
      R"({{"agents":{},"points":{},"interval_s":{},"running_s":{:.3f},"due":{},"made":{},"sent":{},"acknowledged":{},)"
      R"("rejected":{},"unacknowledged":{},"never_made":{},"resent":{},"connects":{},"failures":{},"first_failure":{},)",
      s.options.agents, s.options.points, json_number(seconds(s.options.interval_ns)), seconds(s.running_ns), c.due,
      c.made, c.sent, c.acknowledged, c.rejected, s.unacknowledged, s.waiting, resent(s), c.connects, c.failures,
      c.first_failure.empty() ? "null" : json_quote(c.first_failure));
  out += fmt::format(
      R"("batches_per_second":{:.1f},"points_per_second":{:.1f},"cpu_s":{:.3f},"messages_per_cpu_second":{:.0f},)"
      R"("delay_ms":{{{}"max":{:.3f}}})",
      batches, batches * static_cast<double>(s.options.points), s.cpu_seconds,
      ratio(static_cast<double>(c.sent), s.cpu_seconds), delays, millis(s.delays.max_ns()));
  if (s.verified) out += R"(,"verified":)" + verified_json(*s.verified);
  return out + "}";
}

}  // namespace monitor
