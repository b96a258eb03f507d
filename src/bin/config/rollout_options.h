// The options of monitor-config rollout.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

namespace monitor {

struct RolloutFlags {
  std::string file;
  std::string canary = "5%";
  std::string steps = "25%,100%";
  int64_t wait_ns = int64_t{2} * 60 * kNanosPerSecond;
  int64_t patience_ns = int64_t{10} * 60 * kNanosPerSecond;
  int64_t apply_ns = int64_t{2} * 60 * kNanosPerSecond;
  int64_t keep_ns = int64_t{10} * 60 * kNanosPerSecond;
  std::string abort_on = "failed > 0";
  std::vector<std::string> judges;
  bool no_judge = false;
  std::string spread_by;
  std::string salt;
  bool retry = false;
  bool detach = false;
  bool read_only = false;
  std::string query;             // URL of monitor-analysis serve
  std::string query_token_file;  // for a page with users
  std::string history;           // file
  std::string format = "table";
};

struct RolloutCommands {
  CLI::App* all = nullptr;
  CLI::App* start = nullptr;
  CLI::App* status = nullptr;
  CLI::App* watch = nullptr;
  CLI::App* pause = nullptr;
  CLI::App* resume = nullptr;
  CLI::App* abort = nullptr;
  CLI::App* list = nullptr;
  CLI::App* controller = nullptr;
};

RolloutCommands declare_rollout(CLI::App& app, RolloutFlags& flags);

}  // namespace monitor
