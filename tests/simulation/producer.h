// A server's producer, a simulated Kafka client. It stores records after a delay and reports them after another one;
// the Conditions determine delays, order and losses. It belongs to one process: when that dies, pending records may or
// may not be stored.
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

// The current behaviour of the cluster that all servers write to.
struct Conditions {
  int64_t store_ns = 2 * kNanosPerMilli;  // from append to stored
  int64_t report_ns = 0;                  // from stored to reported, at most
  bool reordered = false;                 // each report has its own delay
  bool silent = false;                    // records are stored, but never reported
  size_t room = 100'000;                  // records without a report
  uint64_t retry_percent = 0;             // timeouts; half of these records are stored
  uint64_t reject_percent = 0;
};

class LogCluster {
 public:
  LogCluster(Schedule& schedule, const Clock& clock, int32_t partitions, Ledger& ledger);

  // Stores a record durably, and reports it to the ledger.
  void store(const std::string& key, const metriclog::Headers& headers, const std::string& value);
  metriclog::MemoryLog& log() { return log_; }
  // Reports that a server violated a guarantee.
  void fail(const std::string& what) { ledger_.fail(what); }
  // Called after a record was stored.
  void set_on_stored(std::function<void()> call) { on_stored_ = std::move(call); }

  Conditions conditions;

 private:
  struct NullListener final : metriclog::DeliveryListener {
    void on_delivered(std::span<const metriclog::Delivery>) override {}
    void on_reset() override {}
  };
  metriclog::MemoryLog log_;
  Ledger& ledger_;
  NullListener null_listener_;
  std::function<void()> on_stored_;
};

class Producer final : public metriclog::LogWriter {
 public:
  Producer(Schedule& schedule, LogCluster& cluster, Random& random)
      : schedule_(schedule), cluster_(cluster), random_(random) {}
  ~Producer() override { store_some_pending(); }
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  Accepted append(const metriclog::RecordView& record, metriclog::DeliveryListener& listener, uint64_t token) override;
  bool flush(int64_t /*timeout_ns*/) override { return pending_.empty(); }
  std::string trouble() const override { return ""; }
  Status failure() const override { return {}; }

  // Simulates a fatal error: the process builds a new producer, and the reports of the old one never arrive.
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
  // Stores a random number of the pending records, in order.
  void store_some_pending();

  Schedule& schedule_;
  LogCluster& cluster_;
  Random& random_;
  Life life_;
  std::map<uint64_t, Pending> pending_;
  // Batches (incarnation and sequence) that are pending or were reported as stored. A running server must not append
  // any of them again.
  std::set<std::string> known_;
  uint64_t next_id_ = 1;
  int64_t last_store_ns_ = 0;
};

}  // namespace monitor::simulation
