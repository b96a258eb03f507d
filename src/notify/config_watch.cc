#include "notify/config_watch.h"

#include <utility>

#include "base/disk.h"
#include "base/log.h"

namespace monitor::notify {

namespace {

void warn_about_files(const Config& config) {
  if (const Status files = check_files(config); !files) {
    log_warning("files of the configuration of notifications cannot be used", {{"reason", files.error()}});
  }
}

}  // namespace

Result<std::shared_ptr<const Config>> ConfigWatch::load() {
  if (path_.empty()) {
    Config nobody;
    nobody.receivers.push_back({.name = "nobody", .integrations = {}});
    nobody.route.key = "{}";
    nobody.route.receiver = "nobody";
    return std::make_shared<const Config>(std::move(nobody));
  }
  PosixDisk disk;
  auto text = disk.read_file(path_, kMaxConfigBytes);
  if (!text) return text.error();
  auto config = check_config(path_, *text);
  if (!config) return config.error();
  text_ = std::move(*text);
  warn_about_files(*config);
  return std::make_shared<const Config>(std::move(*config));
}

std::shared_ptr<const Config> ConfigWatch::look() {
  if (path_.empty()) return nullptr;
  PosixDisk disk;
  auto text = disk.read_file(path_, kMaxConfigBytes);
  if (text && text_ && *text == *text_) return nullptr;
  auto config = text ? check_config(path_, *text) : Result<Config>(text.error());
  std::string trouble = config ? "" : config.error().message();
  {
    const std::lock_guard lock(mutex_);
    if (trouble == trouble_ && !trouble.empty()) return nullptr;
    trouble_ = trouble;
  }
  text_ = text ? std::optional(std::move(*text)) : std::nullopt;
  if (!config) {
    log_error("the configuration of notifications is not valid; the previous one stays in use", {{"reason", trouble}});
    return nullptr;
  }
  warn_about_files(*config);
  log_info("the configuration of notifications was applied",
           {{"file", path_}, {"receivers", config->receivers.size()}});
  return std::make_shared<const Config>(std::move(*config));
}

std::string ConfigWatch::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

}  // namespace monitor::notify
