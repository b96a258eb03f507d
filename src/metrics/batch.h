// A decoded MetricBatch (proto/monitor/v1/metrics.proto describes each field), and the names of drop stages and
// reasons. Plain data; times are wall-clock nanoseconds since 1970.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/series.h"

namespace monitor::metrics {

inline constexpr size_t kMaxBatchBytes = size_t{256} * 1024;
inline constexpr size_t kIncarnationBytes = 16;

namespace stage {
inline constexpr std::string_view kCollect = "collect";
inline constexpr std::string_view kQueue = "queue";
inline constexpr std::string_view kPlugin = "plugin";
inline constexpr std::string_view kSpool = "spool";
inline constexpr std::string_view kUplink = "uplink";
inline constexpr std::string_view kServer = "server";
}  // namespace stage

namespace reason {
inline constexpr std::string_view kOverflow = "overflow";
inline constexpr std::string_view kFiltered = "filtered";
inline constexpr std::string_view kUnchanged = "unchanged";
inline constexpr std::string_view kRateLimited = "rate_limited";
inline constexpr std::string_view kFailed = "failed";
inline constexpr std::string_view kCardinality = "cardinality";
inline constexpr std::string_view kFull = "full";
inline constexpr std::string_view kTooOld = "too_old";
inline constexpr std::string_view kDamaged = "damaged";
inline constexpr std::string_view kTooLarge = "too_large";
inline constexpr std::string_view kInvalid = "invalid";
}  // namespace reason

// What was lost, where and why. Plugins and the spool create drops, batches carry them, and the ledger reads them.
// Without sequences, the loss happened before the points were in a batch, or it is the sum of several.
struct Drop {
  std::string stage = {};
  std::string reason = {};
  uint64_t batches = 0;
  uint64_t ticks = 0;
  uint64_t points = 0;
  std::string plugin = {};  // only for the stage "plugin"
  std::string incarnation = {};
  uint64_t first_sequence = 0;
  uint64_t last_sequence = 0;
  int64_t first_time_ns = 0;  // of the lost ticks; 0: unknown
  int64_t last_time_ns = 0;
};

struct Counters {
  uint64_t ticks_due = 0;
  uint64_t ticks_missed = 0;
  uint64_t points_made = 0;
  std::vector<Drop> dropped;  // a sum for each (stage, reason, plugin)
};

// A drop of ticks or points that were not in a batch yet. Drops (src/agent/drops.h) fills in the incarnation.
inline Drop unbatched_drop(std::string_view stage, std::string_view reason, std::string_view plugin, uint64_t ticks,
                           uint64_t points, int64_t time_ns) {
  return {.stage = std::string(stage),
          .reason = std::string(reason),
          .ticks = ticks,
          .points = points,
          .plugin = std::string(plugin),
          .first_time_ns = time_ns,
          .last_time_ns = time_ns};
}

struct IncarnationEnd {
  std::string incarnation;
  uint64_t last_sequence = 0;
  int64_t last_time_ns = 0;
  bool clean = false;
};

struct OlderIncarnation {
  std::string incarnation;
  uint64_t first_unacked = 0;
};

// Batches that were acknowledged or dropped while the agent's server wrote to another log, whose name is `log`
// (metriclog::LogWriter::identity()).
struct Elsewhere {
  static constexpr size_t kMaxLogBytes = 512;

  std::string incarnation;
  std::string log;
  uint64_t first_sequence = 0;
  uint64_t last_sequence = 0;
};

// Everything in a batch except its series and frames.
struct Envelope {
  std::string agent_id;
  std::string hostname;
  std::string incarnation;
  uint64_t sequence = 0;
  uint64_t config_revision = 0;
  Labels resource;
  uint64_t first_unacked = 0;
  Counters counters;
  std::vector<Drop> drops;
  int64_t appended_ns = 0;
  std::vector<IncarnationEnd> ended;
  std::vector<OlderIncarnation> older;
  std::string agent_version;
  uint64_t send_every_ns = 0;
  bool final_batch = false;  // the last one of its incarnation: the agent stopped in order
  std::vector<Elsewhere> elsewhere = {};
};

// A decoded frame. Points refer to Batch::series by index. Integers are values, not differences as on the wire.
struct Frame {
  int64_t time_ns = 0;
  int64_t rates_since_ns = 0;
  std::vector<Point> points;
  bool continued = false;  // holds more points of the previous frame's tick; that frame may be in the previous batch
};

struct Batch : Envelope {
  std::vector<Series> series;
  std::vector<Frame> frames;

  double value(const Point& point) const;
};

}  // namespace monitor::metrics
