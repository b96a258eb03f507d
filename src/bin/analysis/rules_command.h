// `monitor-analysis rules check|test|replay|put|list|rm`: works with files of alerting and recording rules.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bin/common/cli.h"
#include "bin/common/etcd_flags.h"
#include "bin/log/log_flags.h"

namespace monitor {

struct RulesFlags {
  std::vector<std::string> files;
  std::string history;
  LogFlags log;
  bool no_history = false;
  bool strict = false;
  int64_t window_ns = 3600 * kNanosPerSecond;
  std::string from = "-1d";
  std::string to;
  std::string alert;
  std::string format = "text";
  std::string name;
  EtcdFlags etcd;
  std::string dir;
};

class RulesCommand {
 public:
  explicit RulesCommand(CLI::App& app);
  bool parsed() const { return rules_->parsed(); }
  // Returns the exit status: 1 if a rule or a test is not good.
  int run(const Cli& cli);

 private:
  RulesFlags flags_;
  CLI::App* rules_ = nullptr;
};

}  // namespace monitor
