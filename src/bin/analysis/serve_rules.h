// The rules of `monitor-analysis serve`: where they come from, the data that they see, and which of several instances
// notifies.
#pragma once

#include <CLI/CLI.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/event_loop.h"
#include "base/lock_file.h"
#include "base/worker.h"
#include "bin/common/etcd_flags.h"
#include "config/etcd/exclusive_key.h"
#include "config/source.h"
#include "rules/runner.h"
#include "views/aggregate/data_time.h"
#include "views/unusual/score_board.h"

namespace monitor {

// The option --rules, which may be given several times.
void declare_rules(CLI::App& app, std::vector<std::string>& paths);

struct ServeRulesOptions {
  std::vector<std::string> paths;
  std::string history_path;
  std::string data_folder;
  const EtcdFlags* etcd = nullptr;  // nullptr: the configuration is in files
  std::string config_dir = {};      // below this folder
  // While etcd does not answer for longer, this instance notifies although another one may do so as well. The last
  // holder of the key goes on at once.
  int64_t alone_after_ns = int64_t{5} * 60 * kNanosPerSecond;
  const analysis::unusual::ScoreBoard* scores = nullptr;  // for unusual(); must outlive the rules
};

// On the loop's thread, but for what says otherwise. The loop, the clock, the disk and the registry must outlive it.
class ServeRules final : private config::ConfigListener {
 public:
  // Errors: those of RuleRunner::open(), and of the options of etcd.
  static Result<std::unique_ptr<ServeRules>> open(const ServeRulesOptions& options, EventLoop& loop, const Clock& clock,
                                                  Disk& disk, telemetry::Registry& registry);
  ~ServeRules() override;
  ServeRules(const ServeRules&) = delete;
  ServeRules& operator=(const ServeRules&) = delete;

  const rules::RuleReporter& reporter() const { return *runner_; }
  // Call before start(). Who is told of alerts, while this instance is the one that notifies; and who learns whether it
  // is (RunnerOptions::on_notifies).
  void set_sink(rules::AlertSink* sink);
  void set_external_url(const std::string& url) { runner_->set_external_url(url); }
  void on_notifies(std::function<void(bool notifies)> tell) { on_notifies_ = std::move(tell); }

  void start();
  // Any thread.
  bool has_rules() const { return runner_->has_rules(); }
  void take_data_time(const analysis::DataTime::Reading& time);
  // Stops notifying, so that another instance can begin at once.
  void let_go();
  void stop();

 private:
  ServeRules(const ServeRulesOptions& options, EventLoop& loop, const Clock& clock, telemetry::Registry& registry);
  Status connect(Disk& disk);
  void take_key();
  bool may_notify();
  bool may_alone(const config::ExclusiveKey& key);
  bool complete() const;
  bool lock_held();
  void on_keys(const config::KeySet& keys) override;
  void on_source_lost(const Error& reason) override;

  const ServeRulesOptions options_;
  EventLoop& loop_;
  const Clock& clock_;
  std::function<void(bool notifies)> on_notifies_;
  ThreadWorker worker_;
  std::unique_ptr<EtcdConnection> etcd_;
  std::unique_ptr<config::ConfigSource> source_;
  std::unique_ptr<config::ExclusiveKey> key_;
  std::atomic<const config::ExclusiveKey*> shared_key_ = nullptr;  // for other threads
  std::atomic<bool> let_go_ = false;
  std::atomic<bool> keys_seen_ = false;
  int64_t started_ns_ = 0;
  std::optional<LockFile> lock_;  // used on the runner's thread, as what follows
  bool locked_ = false;
  bool alone_ = false;
  telemetry::Gauge& alone_gauge_;
  std::unique_ptr<rules::RuleRunner> runner_;  // its thread uses the members above
};

}  // namespace monitor
