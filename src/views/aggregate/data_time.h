// DataTime: how far the data of a whole log is, for those who compute something from it once its time has come, such as
// alerting rules.
//
// The watermark is the lowest time that the active agents of all partitions have reached (progress.h decides which
// agents are waited for). A partition without active agents holds nobody up. It never goes back.
//
// A log in which nothing happens: after Progress::kIdle without any record, while the log is readable and read to its
// end, the watermark follows the reader's clock at this distance. So rules about absent data are evaluated.
//
// Not thread-safe; a Reading may be passed to other threads.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "consume/view.h"
#include "views/aggregate/progress.h"

namespace monitor::analysis {

class DataTime final : public View {
 public:
  struct Agent {
    std::string host;
    int64_t reached_ns = INT64_MIN;
    int64_t seen_ns = 0;
    bool stopped = false;
  };
  using Agents = std::unordered_map<std::string, Agent>;
  struct Reading {
    int64_t watermark_ns = INT64_MIN;  // INT64_MIN: unknown
    int64_t now_ns = 0;                // by the log's time
    std::shared_ptr<const Agents> agents;

    // Whether the data of this time may still come from the agent: it is cut off, or sends a backlog. No longer after
    // Progress::kForgetAfter without a record of it.
    bool undelivered(const Agent& agent, int64_t at_ns) const;
  };

  // An agent whose last record another store knows. Call before the first record. A reader that starts waits for it as
  // for agents that it has heard, since it continues somewhere in the log.
  void expect(const std::string& agent, const std::string& host, int64_t seen_ns);
  // Removes an agent that was not seen after `seen_until_ns`, by the log's time: it owes nothing any more.
  void forget(const std::string& agent, int64_t seen_until_ns);

  bool needs_values() const override { return false; }
  void fresh(int32_t partition, const metriclog::Extent& extent) override;
  void on_revoked(int32_t partition) override { partitions_.erase(partition); }
  void apply(const metriclog::Record& record, const metrics::Batch& batch) override;

  // `at_end`: the log is readable, and everything that it has was passed on.
  Reading read(int64_t mono_ns, int64_t wall_ns, bool at_end);

 private:
  // Since when nothing has come.
  struct Quiet {
    bool heard = true;  // a record came since the last look
    int64_t since_ns = 0;
    int64_t look(int64_t mono_ns, bool at_end);
  };
  struct Partition {
    Progress progress;
    Quiet quiet;
    bool any = false;  // a record came
  };
  void note_expected(int64_t silence_ns, int64_t wall_ns);
  int64_t slowest_active() const;
  std::shared_ptr<const Agents> agents() const;

  std::map<int32_t, Partition> partitions_;
  Progress expected_;  // agents that have not been heard since the start
  bool expects_ = false;
  std::unordered_map<std::string, std::string> hosts_;  // by agent
  Quiet quiet_;                                         // of the whole log
  bool heard_ = false;                                  // a record came since the start
  int64_t watermark_ns_ = INT64_MIN;
};

}  // namespace monitor::analysis
