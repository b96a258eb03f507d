// A server's producer: what stands between it and the log, as a Kafka client does. What it is given is stored a little
// later and reported later still; how late, in which order, and whether at all, is told it. It belongs to one process:
// what was not stored when that dies, may or may not come to be.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "base/random.h"
#include "metriclog/log.h"
#include "metriclog/testing/memory_log.h"
#include "simulation/ledger.h"
#include "simulation/schedule.h"

namespace monitor::simulation {

// The cluster that all servers write to, and what it is like at the moment.
struct Weather {
  int64_t store_ns = 2 * kNanosPerMilli;  // from append to stored
  int64_t report_ns = 0;                  // from stored to reported, at most
  bool reordered = false;                 // each report takes a time of its own
  bool silent = false;                    // stored, never reported
  size_t room = 100'000;                  // records that are not settled
  uint64_t retry_percent = 0;             // time-outs: half of them were stored all the same
  uint64_t poison_percent = 0;
};

class LogCluster {
 public:
  LogCluster(Schedule& schedule, const Clock& clock, int32_t partitions, Ledger& ledger);

  // Durable from now on; the ledger knows.
  void store(const std::string& key, const metriclog::Headers& headers, const std::string& value);
  metriclog::MemoryLog& log() { return log_; }
  // A server broke a promise.
  void fail(const std::string& what) { ledger_.fail(what); }
  // Called after something was stored.
  void set_on_stored(std::function<void()> call) { on_stored_ = std::move(call); }

  Weather weather;

 private:
  struct Nobody final : metriclog::DeliveryListener {
    void on_delivered(std::span<const metriclog::Delivery>) override {}
    void on_reset() override {}
  };
  metriclog::MemoryLog log_;
  Ledger& ledger_;
  Nobody nobody_;
  std::function<void()> on_stored_;
};

class Producer final : public metriclog::LogWriter {
 public:
  Producer(Schedule& schedule, LogCluster& cluster, Random& random)
      : schedule_(schedule), cluster_(cluster), random_(random) {}
  ~Producer() override { settle_rest(); }
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  Accepted append(const metriclog::RecordView& record, metriclog::DeliveryListener& listener, uint64_t token) override;
  bool flush(int64_t /*timeout_ns*/) override { return pending_.empty(); }
  std::string trouble() const override { return ""; }
  Status failure() const override { return {}; }

  // A fatal error, false or not: a new producer is built in the process, the reports of the old one never come.
  void rebuild();
  size_t pending() const { return pending_.size(); }

 private:
  struct Pending {
    std::string key;
    metriclog::Headers headers;
    std::string value;
    metriclog::DeliveryListener* listener = nullptr;
    metriclog::Delivery delivery;
    bool stored = false;
    std::string name;
  };

  void due(uint64_t id);
  void report(uint64_t id);
  // Of what is under way, the first so many reach the log.
  void settle_rest();

  Schedule& schedule_;
  LogCluster& cluster_;
  Random& random_;
  Life life_;
  std::map<uint64_t, Pending> pending_;
  // Batches, by incarnation and sequence, that this producer has or has reported as stored: a server that runs appends
  // none of them a second time.
  std::set<std::string> taken_;
  uint64_t next_id_ = 1;
  int64_t last_store_ns_ = 0;
};

}  // namespace monitor::simulation
