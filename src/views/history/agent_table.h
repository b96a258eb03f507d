// AgentTable: the agents and series that the history knows, and the small numbers by which its rows refer to them.
//
// Reads and writes the tables `agents` and `series` of the history's file (database.h), and keeps what batches need in
// memory. It belongs to a HistoryStore, whose transaction contains all changes: after a rollback, call reload(). Not
// thread-safe. Database and options must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "metrics/batch.h"
#include "views/history/agents.h"
#include "views/history/database.h"
#include "views/history/options.h"

namespace monitor::analysis::history {

class AgentTable {
 public:
  static constexpr uint32_t kNoNumber = UINT32_MAX;

  struct Agent {
    explicit Agent(int64_t number) : id(number) {}
    struct Known {
      uint32_t number = 0;
      int64_t noted_ns = 0;
    };
    const int64_t id;
    std::unordered_map<std::string, Known> series;
    // A number is never reused, because rows may still refer to a forgotten series.
    uint32_t next_number = 0;
    // The series of the last batch; the next batch nearly always has the same.
    std::vector<metrics::Series> last_series;
    std::vector<uint32_t> numbers;
    int64_t numbered_ns = 0;
    KnownAgent info;
    bool touched = false;  // since the last commit
    bool changed = false;  // more than the time at which it was seen
    int64_t stored_seen_ns = INT64_MIN;
  };

  AgentTable(Database& db, const HistoryOptions& options) : db_(db), options_(options) {}

  // Call once, before all others.
  Status prepare();
  // Forgets what is in memory, and counts the rows of the file again.
  Status reload();

  // Adds the agent if it is new. nullptr: there are max_agents already. Valid until reload().
  Result<Agent*> find(const std::string& name);
  // Sets agent.numbers, the numbers of the batch's series: kNoNumber for a series beyond the limits. Adds new series.
  Status number_series(Agent& agent, const metrics::Batch& batch);
  // Writes the agents that were touched since the last call. `log`: identity of the log that is read.
  Status write(const std::string& log);

  // In the file.
  size_t agents() const { return agent_count_; }
  size_t series() const { return series_count_; }

 private:
  Result<std::unique_ptr<Agent>> load(const std::string& name);
  void remember_series(Agent& agent, const std::vector<metrics::Series>& series);
  Result<uint32_t> number_one(Agent& agent, const metrics::Series& series);
  Status write_one(Agent& agent, const std::string& log);

  Database& db_;
  const HistoryOptions& options_;
  Statement find_agent_, add_agent_, update_agent_, series_of_, add_series_, seen_series_;
  std::map<std::string, std::unique_ptr<Agent>, std::less<>> agents_;
  size_t agent_count_ = 0;
  size_t series_count_ = 0;
  size_t remembered_ = 0;  // number of series in the last batches, over all agents
};

}  // namespace monitor::analysis::history
