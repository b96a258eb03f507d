// How long the spool's disk takes for a synced write.
#include <fmt/format.h>

#include "base/clock.h"
#include "base/size_format.h"
#include "doctor/checks.h"
#include "doctor/span_text.h"

namespace monitor::doctor {

namespace {

// With --spool-sync batch, an agent syncs every batch, at most one a second by default.
constexpr int64_t kWarnAbove = 100 * kNanosPerMilli;
constexpr int64_t kFailAbove = 1 * kNanosPerSecond;

Findings run(const Context& context) {
  const std::string& folder = context.setup.spool.empty() ? context.setup.data : context.setup.spool;
  if (folder.empty()) return {skipped("no spool is named")};
  auto speed = context.host.speed(folder);
  std::string where = folder;
  // Before the agent's first start, there is a data folder at most.
  if (!speed && speed.error().code() == Code::kNotFound && folder != context.setup.data) {
    where = context.setup.data;
    speed = context.host.speed(where);
  }
  if (!speed && speed.error().code() == Code::kNotFound) return {skipped(where + " does not exist yet")};
  if (!speed) {
    return {fail(fmt::format("a test write in {} failed: {}", where, speed.error().message()),
                 "run this as the user of the programs, or as root; see the check disk-space")};
  }
  const std::string text = fmt::format("{}: a synced write of {} takes {} (median of {}), at worst {}", where,
                                       format_size(speed->write_bytes), span_text(speed->median_ns), speed->writes,
                                       span_text(speed->worst_ns));
  if (speed->median_ns > kFailAbove) {
    return {
        fail(text + ", limit 1s", "move the spool to a faster disk (--spool), or look for failing hardware (dmesg)")};
  }
  if (speed->median_ns > kWarnAbove) {
    return {warn(text + ", limit 100ms",
                 "do not use --spool-sync batch here, or move the spool to a faster disk (--spool)")};
  }
  return {ok(text)};
}

}  // namespace

const Check kDiskSpeedCheck = {"disk-speed", "the time of synced writes in the spool (at most 2 s, leaves no file)",
                               run};

}  // namespace monitor::doctor
