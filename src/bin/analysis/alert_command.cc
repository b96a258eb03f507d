#include "bin/analysis/alert_command.h"

#include <pwd.h>
#include <unistd.h>

#include <iostream>

#include "base/disk.h"
#include "base/escape.h"
#include "base/log.h"
#include "base/trust.h"

namespace monitor {

using notify::AlertStore;

std::string AlertCommand::user_name() {
  const passwd* const entry = getpwuid(getuid());  // NOLINT(concurrency-mt-unsafe): one thread
  return entry != nullptr && entry->pw_name != nullptr ? entry->pw_name : std::to_string(getuid());
}

int AlertCommand::fail(const char* what, const Error& error) {
  log_error(what, {{"reason", error}});
  return exit_code_for(error);
}

int AlertCommand::refuse(const std::string& text) {
  std::cerr << "monitor-analysis: " << printable_lines(text) << "\n";
  return kExitNegative;
}

Result<std::unique_ptr<AlertStore>> AlertCommand::open(AlertStore::Open mode) {
  std::string path = flags_.store;
  if (path.empty()) {
    std::string data = cli_.data_folder();
    if (!cli_.data_named()) {
      const auto running = cli_.running();
      if (!running) return running.error();
      if (*running != nullptr) data = (*running)->data;
    }
    path = data + "/alerts.db";
    PosixDisk disk;
    if (mode == AlertStore::Open::kCreate) {
      if (Status made = make_trusted_folder(disk, data, "the data folder"); !made) return made.error();
    }
  }
  return AlertStore::open(path, mode, clock_);
}

Result<notify::Config> AlertCommand::configuration(AlertStore& store) const {
  std::string path = flags_.config;
  if (path.empty()) {
    auto noted = store.config_path();
    if (!noted) return noted.error();
    path = *noted;
  }
  if (path.empty())
    return Error(Code::kNotFound,
                 "no notifications are sent from this data folder; name a configuration with --notify");
  return notify::load_config(path);
}

}  // namespace monitor
