#include "plugins/chain/stage.h"

#include <fmt/format.h>

#include <exception>

#include "base/crc32c.h"
#include "base/log.h"

namespace monitor::agent {

namespace {

double seconds(int64_t ns) { return static_cast<double>(ns) / 1e9; }

}  // namespace

void Stage::enter(Stage* old) {
  if (old != nullptr) {
    take_over(*old);
  } else {
    state.name = entry.name;
  }
  state.kind = config::kind_name(entry.kind);
  state.shadow = entry.shadow;
  if (old == nullptr) state.state = kRunning;
  log_info(old != nullptr ? "plugin replaced" : "plugin loaded", {{"plugin", entry.name}, {"config", entry.config}});
}

void Stage::take_over(Stage& old) {
  state = old.state;
  state.error.clear();
  state.error_ns = 0;
  ++state.replaced;
  durations = old.durations;
  if (old.hosted != nullptr && hosted != nullptr) {
    state.restarts += old.hosted->restarts();
    hosted->take_over(old.hosted);
  }
  if (old.plugin != nullptr && plugin != nullptr) {
    try {
      plugin->restore(old.plugin->save());
    } catch (const std::exception& e) {
      log_warning("plugin starts without its predecessor's state", {{"plugin", entry.name}, {"reason", e.what()}});
    }
  }
  old.finalize();
}

void Stage::finalize() {
  if (hosted != nullptr) {
    hosted->set_on_change(nullptr);
    hosted.reset();
  }
  if (plugin == nullptr) return;
  try {
    plugin->finalize();
  } catch (const std::exception& e) {
    log_warning("plugin failed to finalize", {{"plugin", entry.name}, {"reason", e.what()}});
  } catch (...) {
    log_warning("plugin failed to finalize",
                {{"plugin", entry.name}, {"reason", "it threw something that is not an exception"}});
  }
}

config::PluginStatus Stage::status() const {
  config::PluginStatus result = state;
  result.p50 = seconds(durations.quantile(0.5));
  result.p99 = seconds(durations.quantile(0.99));
  if (hosted == nullptr) return result;
  result.version =
      entry.kind == config::PluginKind::kScript ? fmt::format("{:08x}", crc32c(entry.code)) : hosted->loaded().version;
  result.state = to_string(hosted->phase());
  result.restarts += hosted->restarts();
  result.threads = hosted->usage().threads();
  result.cpu = hosted->usage().cpu();
  result.memory = hosted->usage().last().memory;
  if (!hosted->error().empty()) {
    result.error = hosted->error();
    result.error_ns = hosted->error_ns();
  }
  return result;
}

}  // namespace monitor::agent
