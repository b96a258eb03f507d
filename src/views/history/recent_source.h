// RecentSource: a HistorySource for somebody who asks the same selectors again and again, each time a little later, as
// rules do. It keeps the samples of what was asked for, and reads only the ticks that are new: of a fleet, a fraction
// of what the selectors cost one by one.
//
// It finds the same as HistorySource, also data that came late. A selector is kept from the second moment on; one that
// looks back further than `longest_ms` never is. What has not been asked for in a while is forgotten.
//
// One thread. Memory: 16 bytes a sample, up to max_points; beyond it, nothing is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "query/series.h"
#include "views/history/agent_facts.h"
#include "views/history/database.h"
#include "views/history/query.h"
#include "views/history/series_source.h"

namespace monitor::analysis::history {

struct RecentOptions {
  int64_t longest_ms = int64_t{15} * 60'000;
  int64_t forget_after_ms = int64_t{10} * 60'000;
  size_t max_points = 16'000'000;
};

class RecentSource final : public query::SeriesSource {
 public:
  // Errors: the history does not exist, or cannot be read.
  static Result<std::unique_ptr<RecentSource>> open(const std::string& path, const RecentOptions& options = {});

  Result<std::vector<query::StoredSeries>> select(std::span<const query::Matcher> matchers, int64_t from_ms,
                                                  int64_t to_ms) override;
  // Empty while there are no facts.
  Result<std::vector<query::StoredSeries>> own_series(std::string_view function,
                                                      std::span<const query::Matcher> matchers, int64_t from_ms,
                                                      int64_t to_ms) override;

  // For tests: how often everything was read, and how often one agent.
  uint64_t rebuilds() const { return rebuilds_; }
  uint64_t reloads() const { return reloads_; }

 private:
  struct Sample {
    int64_t time_ns = 0;
    double value = 0;
  };
  // A series that a selector finds.
  struct Kept {
    metrics::Series series;
    std::vector<Sample> samples;  // ascending in time
  };
  struct Agent {
    KnownAgent known;
    int64_t id = 0;
    std::pair<int64_t, int64_t> signature;      // of its list of series
    std::vector<std::unique_ptr<Kept>> series;  // by number; nullptr: not wanted
  };
  struct Found {
    const Kept* kept = nullptr;
    query::Labels labels;
  };
  struct Selector {
    std::vector<query::Matcher> matchers;
    int64_t age_ms = 0;    // how far it looks back from the newest moment
    int64_t asked_ms = 0;  // the moment when it was last asked
    bool ready = false;
    std::map<int64_t, std::vector<Found>> found;  // by agent
  };
  // The newest row of a group's open ticks that was read; id 0: there was none.
  struct Position {
    int64_t id = 0;
    int64_t oldest_ns = 0;
    size_t bytes = 0;
    bool operator==(const Position&) const = default;
  };

  RecentSource(std::string path, std::unique_ptr<HistoryReader> reader, Database db, const RecentOptions& options)
      : path_(std::move(path)), reader_(std::move(reader)), db_(std::move(db)), options_(options) {}

  Selector& remember(std::span<const query::Matcher> matchers, int64_t from_ms);
  void forget_old();
  Status move_to(int64_t to_ms);
  Status in_snapshot(const std::function<Status()>& work);
  Status rebuild();
  void give_up();
  Result<std::map<int64_t, Agent>> list_agents();
  Status update_agents(std::map<int64_t, Agent> listed);
  void remove(int64_t id);
  Status load(Agent& agent);
  Status list_series(Agent& agent);
  void index(Agent& agent, size_t number, const metrics::Series& series);
  bool may_name(const Selector& selector, const metrics::Series& series);
  Status read_samples(Agent& agent);
  Status follow();
  Status follow_group(int64_t group, Position& position);
  Status reload_group(int64_t group, Position& position);
  Result<Position> last_row(int64_t group);
  void take_ticks(std::string_view bytes);
  void add(Kept& kept, int64_t time_ns, double value);
  std::vector<query::StoredSeries> collect(const Selector& selector, int64_t from_ms, int64_t to_ms) const;

  const std::string path_;
  const std::unique_ptr<HistoryReader> reader_;
  std::unique_ptr<AgentFactsReader> facts_;
  Database db_;
  const RecentOptions options_;
  std::unordered_map<std::string, Selector> selectors_;  // by text
  std::map<int64_t, Agent> agents_;                      // by id
  std::map<int64_t, Position> positions_;                // by group
  std::unordered_map<std::string, std::string> prometheus_names_;
  int64_t now_ms_ = INT64_MIN;    // the newest moment
  int64_t from_ms_ = INT64_MAX;   // samples are complete from here on
  int64_t again_ms_ = INT64_MIN;  // nothing is kept before this moment, because there was too much
  size_t points_ = 0;
  uint64_t rebuilds_ = 0;
  uint64_t reloads_ = 0;
};

}  // namespace monitor::analysis::history
