// `monitor-analysis serve`: its flags, and the wiring of ui/web/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "bin/analysis/page_access.h"
#include "bin/common/cli.h"
#include "bin/common/etcd_flags.h"
#include "bin/log/log_flags.h"

namespace monitor {

struct ServeFlags {
  LogFlags log;
  EtcdFlags etcd;
  std::string dir;
  std::string http = "127.0.0.1:8080";
  AccessFlags access;
  std::string history;
  std::string history_max = "2GiB";
  std::vector<int64_t> keep_ns = {-1, -1, -1, -1};  // per resolution; -1: the default
  int64_t query_timeout_ns = 30 * kNanosPerSecond;
  size_t query_threads = 4;
  size_t query_samples = 10'000'000;
  std::string query_memory = "256MiB";
  std::vector<std::string> rules;  // files and folders
  std::string notify;              // the configuration of notifications; empty: nobody is notified
  std::string external_url;        // empty: by the page's address
  int64_t notify_alone_after_ns = int64_t{5} * 60 * kNanosPerSecond;
};

CLI::App* declare_serve(CLI::App& app, ServeFlags& flags);
// Serves until a signal; returns the exit status.
int serve_page(const Cli& cli, ServeFlags& flags);

}  // namespace monitor
