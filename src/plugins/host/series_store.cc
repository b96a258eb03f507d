#include <fmt/format.h>

#include "plugins/host/instance.h"

namespace monitor::plugin_host {

namespace {

std::string identity(uint32_t id, const metrics::Series& series) {
  std::string key;
  plugin_wire::put_series(key, id, series);
  return key;
}

}  // namespace

void SeriesStore::define(uint32_t id, metrics::Series series) {
  if (id >= agents_.size()) agents_.resize(id + 1);
  // A number never changes its meaning, because the plugin may have stored what it means.
  if (agents_[id] != nullptr) return;
  ids_.emplace(identity(0, series), id);
  agents_[id] = std::make_unique<metrics::Series>(std::move(series));
  while (dense_ < agents_.size() && agents_[dense_] != nullptr) ++dense_;
}

const metrics::Series* SeriesStore::find(uint32_t id) const {
  if ((id & plugin_wire::kOwnSeries) == 0) return id < agents_.size() ? agents_[id].get() : nullptr;
  const uint32_t own = id & ~plugin_wire::kOwnSeries;
  return own < own_.size() ? &own_[own] : nullptr;
}

Result<uint32_t> SeriesStore::intern(metrics::Series series) {
  if (std::string fault = plugin_wire::fault_of(series); !fault.empty()) {
    return Error(Code::kInvalidArgument, "invalid series: " + fault);
  }
  std::string key = identity(0, series);
  const auto known = ids_.find(key);
  if (known != ids_.end()) return known->second;
  if (own_.size() >= plugin_wire::kMaxSeries) {
    return Error(Code::kResourceExhausted,
                 fmt::format("too many series: the plugin has created {}, the limit", plugin_wire::kMaxSeries));
  }
  const uint32_t id = static_cast<uint32_t>(own_.size()) | plugin_wire::kOwnSeries;
  own_.push_back(std::move(series));
  ids_.emplace(std::move(key), id);
  return id;
}

std::string SeriesStore::take_new() {
  std::string out;
  for (; sent_ < own_.size(); ++sent_) {
    plugin_wire::put_series(out, static_cast<uint32_t>(sent_) | plugin_wire::kOwnSeries, own_[sent_]);
  }
  return out;
}

}  // namespace monitor::plugin_host
