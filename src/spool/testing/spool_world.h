// For tests of the spool: a disk that fails on request, a clock and a worker under the test's control, and a listener
// that keeps the ledger. The ledger records what was stored, and what was lost with a record, over any number of runs
// of the process.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/event_loop.h"
#include "base/testing/fake_clock.h"
#include "base/testing/fault_disk.h"
#include "base/testing/manual_worker.h"
#include "spool/file_spool.h"

namespace monitor::agent {

using Key = std::pair<std::string, uint64_t>;  // incarnation, sequence

inline std::string incarnation(int run) {
  std::string text = "run-" + std::to_string(run);
  text.resize(metrics::kIncarnationBytes, '.');
  return text;
}

// The bytes of a batch, from which a reader can check that they are the right ones.
inline std::string payload_of(const std::string& who, uint64_t sequence, size_t bytes) {
  std::string text = who + "/" + std::to_string(sequence) + "/";
  while (text.size() < bytes) text += static_cast<char>(text.size() * 31 + sequence);
  return text;
}

// Keeps pending reports like the agent, and records what was reported.
class Teller final : public SpoolListener {
 public:
  void on_stored(const BatchInfo& batch) override { stored.insert({batch.incarnation, batch.sequence}); }
  void on_lost(const metrics::Drop& drop) override { to_tell.drops.push_back(drop); }
  void on_log_named(std::string_view log) override { logs.emplace_back(log); }
  void on_recovered(const PendingReports& reports, const std::vector<SettledSequences>& /*earlier*/) override {
    to_tell.drops.insert(to_tell.drops.end(), reports.drops.begin(), reports.drops.end());
    to_tell.ended.insert(to_tell.ended.end(), reports.ended.begin(), reports.ended.end());
  }
  PendingReports pending_reports() const override { return to_tell; }

  // In how many records the batch was reported as lost; 0: it was not.
  size_t lost(const Key& key) const {
    size_t count = 0;
    for (const auto& drop : to_tell.drops) {
      const bool in = drop.first_sequence <= key.second && key.second <= drop.last_sequence;
      count += drop.incarnation == key.first && in ? 1 : 0;
    }
    return count;
  }
  uint64_t lost_batches(std::string_view reason = "") const {
    uint64_t sum = 0;
    for (const auto& drop : to_tell.drops) sum += reason.empty() || drop.reason == reason ? drop.batches : 0;
    return sum;
  }

  std::set<Key> stored;
  std::vector<std::string> logs;
  PendingReports to_tell;
};

struct SpoolWorld {
  explicit SpoolWorld(uint64_t max_bytes = uint64_t{1} << 20) {
    options.folder = "/spool";
    options.clock_start = TrustedClock::Start::kTrust;
    options.max_bytes = max_bytes;
  }
  ~SpoolWorld() { kill(); }
  SpoolWorld(const SpoolWorld&) = delete;
  SpoolWorld& operator=(const SpoolWorld&) = delete;

  // Starts the next run of the process.
  Status start() {
    options.incarnation = incarnation(++run);
    teller = std::make_unique<Teller>();
    spool = std::make_unique<FileSpool>(disk, timers, worker, *teller, options);
    next_sequence = 1;
    Status status = spool->open();
    if (settle_at_once) worker.run_all();
    return status;
  }
  // SIGKILL: everything written stays.
  void kill() {
    spool.reset();
    worker.forget();
    disk.restart();
  }
  void lose_power(Random& random) {
    spool.reset();
    worker.forget();
    disk.lose_power(random);
  }
  void stop() {
    spool->close();
    worker.run_all();
    spool.reset();
    disk.restart();
  }

  bool append(size_t bytes = 300) {
    BatchInfo info;
    info.incarnation = options.incarnation;
    info.sequence = next_sequence++;
    info.ticks = 1;
    info.points = 10;
    info.first_time_ns = timers.clock().wall_ns() - 1;
    info.last_time_ns = timers.clock().wall_ns();
    info.appended_ns = timers.clock().wall_ns();
    std::string payload = payload_of(info.incarnation, info.sequence, bytes);
    const bool taken = spool->append(std::move(info), std::move(payload)).ok();
    if (settle_at_once) worker.run_all();
    return taken;
  }
  void append_many(size_t count, size_t bytes = 300) {
    for (size_t i = 0; i < count; ++i) append(bytes);
  }

  // The result of next(), compared with what was appended.
  struct Sent {
    uint64_t id = 0;
    Key key;
  };
  std::optional<Sent> send() {
    const auto outgoing = spool->next();
    if (!outgoing) return std::nullopt;
    const std::string_view bytes = outgoing->bytes;
    const std::string who(bytes.substr(0, metrics::kIncarnationBytes));
    const uint64_t sequence = std::stoull(std::string(bytes.substr(who.size() + 1, 20)));
    EXPECT_EQ(bytes, payload_of(who, sequence, bytes.size()));
    return Sent{outgoing->id, {who, sequence}};
  }
  std::vector<Sent> send_all() {
    std::vector<Sent> all;
    while (auto one = send()) all.push_back(*one);
    return all;
  }
  // Sends and acknowledges until nothing is left; returns the order of the batches.
  std::vector<Key> drain() {
    std::vector<Key> order;
    while (auto one = send()) {
      order.push_back(one->key);
      spool->acknowledged(one->id);
    }
    return order;
  }
  // Advances the time, and lets the worker run its jobs.
  void pass(int64_t ns) {
    timers.advance(ns);
    worker.run_all();
  }

  monitor::testing::FaultDisk disk;
  FakeTimers timers;
  ManualWorker worker;
  FileSpoolOptions options;
  std::unique_ptr<Teller> teller;
  std::unique_ptr<FileSpool> spool;
  int run = 0;
  uint64_t next_sequence = 1;
  bool settle_at_once = true;
};

}  // namespace monitor::agent
