// `monitor-analysis alert ...`: lists alerts, past and present, manages silences, checks the configuration of
// notifications, and tests its receivers. The commands use the file alerts.db in the data folder, whose changes `serve`
// applies within a second. They need no server and no token on the same host.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "bin/common/cli.h"
#include "notify/senders.h"
#include "notify/store.h"

namespace monitor {

struct AlertFlags {
  std::string store;   // empty: <data>/alerts.db
  std::string config;  // empty: the one that `serve` has noted in the store
  std::string format = "table";
  std::string file;  // of check
  int64_t last_ns = int64_t{24} * 3600 * kNanosPerSecond;
  size_t limit = 100;

  std::vector<std::string> matchers;
  int64_t for_ns = 0;
  std::string from;  // start
  std::string reason;
  std::string author;
  std::string edit;
  std::string expire;
  bool list = false;
  bool all = false;

  std::string external_url;
  std::string receiver;
  std::string integration;
  std::string brokers = "localhost:9092";
};

class AlertCommands {
 public:
  explicit AlertCommands(CLI::App& app);
  bool parsed() const { return alert_->parsed(); }
  // Returns the exit status: 1 if a configuration has faults, a silence does not exist, or a receiver was not reached.
  int run(const Cli& cli);

 private:
  CLI::App* command(const char* name, const char* description, bool format = true);
  void declare_silence();

  AlertFlags flags_;
  CLI::App* alert_ = nullptr;
};

}  // namespace monitor
