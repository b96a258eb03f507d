// `monitor-analysis log-settings`: shows where the metric log is, and the settings of Kafka's topics that decide
// whether its batches are safe. `monitor doctor` judges its JSON.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "bin/common/cli.h"
#include "bin/log/log_flags.h"

namespace monitor {

struct LogSettingsFlags {
  LogFlags log;
  std::string format = "table";
  int64_t timeout_ns = 5 * kNanosPerSecond;
};

CLI::App* declare_log_settings(CLI::App& app, LogSettingsFlags& flags);
// Returns the exit status: 69 when the log cannot be read. The output then has the reason.
int show_log_settings(const Cli& cli, LogSettingsFlags& flags);

}  // namespace monitor
