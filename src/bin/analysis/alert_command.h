// What the commands `monitor-analysis alert ...` share: the file of alerts, the configuration, and answers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "bin/analysis/alert_commands.h"
#include "bin/common/cli.h"
#include "notify/config.h"
#include "notify/overview.h"
#include "notify/store.h"

namespace monitor {

class AlertCommand {
 public:
  AlertCommand(const Cli& cli, AlertFlags& flags) : cli_(cli), flags_(flags) {}

 protected:
  // Logs the error; returns its exit status.
  static int fail(const char* what, const Error& error);
  // Reports a request that cannot be fulfilled although nothing is broken. Returns the exit status.
  static int refuse(const std::string& text);
  static std::string user_name();
  bool json() const { return flags_.format == "json"; }
  Result<std::unique_ptr<notify::AlertStore>> open(notify::AlertStore::Open mode);
  // The configuration that --notify names, else the one that `serve` has noted in the store. kNotFound: there is none.
  Result<notify::Config> configuration(notify::AlertStore& store) const;

  const Cli& cli_;
  AlertFlags& flags_;
  const SystemClock clock_;
  const int64_t now_ms_ = clock_.wall_ns() / kNanosPerMilli;
};

// check, list, history and test-notification.
class AlertViewCommand final : private AlertCommand {
 public:
  using AlertCommand::AlertCommand;
  int check() const;
  int list();
  int history();
  int test();

 private:
  static void print_alerts(const std::vector<notify::AlertRow>& rows);
  static int print_troubles(notify::AlertStore& store);
  static std::string quiet(const notify::AlertRow& row);
  bool test_one(const notify::Receiver& receiver, const notify::Integration& one, bool more) const;
};

class SilenceCommand final : private AlertCommand {
 public:
  using AlertCommand::AlertCommand;
  int run();

 private:
  notify::SilenceEditor editor() const { return {flags_.author, "command of " + user_name()}; }
  int list_silences();
  int set_silence(notify::AlertStore& store);
  int answer(const Result<notify::Silence>& silence) const;
};

}  // namespace monitor
