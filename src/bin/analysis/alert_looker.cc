#include "bin/analysis/alert_looker.h"

#include <chrono>
#include <utility>

#include "base/text.h"
#include "notify/overview.h"

namespace monitor {

namespace {

using analysis::top::AlertItem;
using analysis::top::AlertList;

constexpr std::chrono::seconds kLookEvery(2);
constexpr size_t kMostAlerts = 5'000;

std::string annotation(const rules::Alert& alert, std::string_view name) {
  for (const auto& [key, value] : alert.annotations) {
    if (key == name) return value;
  }
  return "";
}

AlertItem item_of(const notify::AlertRow& row) {
  const rules::Alert& alert = row.alert;
  AlertItem item;
  item.name = alert.labels.get("alertname");
  item.agent = alert.labels.get("agent");
  for (const auto& [key, value] : alert.labels.pairs()) {
    if (key == "alertname" || key == "agent") continue;
    if (!item.labels.empty()) item.labels += ',';
    item.labels.append(key).append("=").append(value);
  }
  item.summary = annotation(alert, "summary");
  item.value = alert.value;
  item.firing = alert.state == rules::AlertState::kFiring;
  item.since_ms = item.firing ? alert.fired_at_ms : alert.active_at_ms;
  std::vector<std::string> reasons;
  reasons.reserve(row.silenced_by.size() + row.inhibited_by.size());
  for (const std::string& id : row.silenced_by) reasons.push_back("silence " + id);
  for (const query::Labels& one : row.inhibited_by) reasons.push_back("alert " + std::string(one.get("alertname")));
  item.quiet = join(reasons, ", ");
  return item;
}

}  // namespace

AlertLooker::AlertLooker(std::string path, std::string why_none, const Clock& clock)
    : path_(std::move(path)), why_none_(std::move(why_none)), clock_(clock), thread_([this] { run(); }) {}

AlertLooker::~AlertLooker() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

std::optional<AlertList> AlertLooker::changed() {
  const std::lock_guard lock(mutex_);
  return std::exchange(found_, std::nullopt);
}

void AlertLooker::run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    lock.unlock();
    AlertList found = look();
    lock.lock();
    found_ = std::move(found);
    wake_.wait_for(lock, kLookEvery, [this] { return stop_; });
  }
}

AlertList AlertLooker::look() {
  if (path_.empty()) return {.items = {}, .trouble = why_none_};
  auto found = read();
  if (found) return std::move(*found);
  store_.reset();
  if (found.error().code() != Code::kNotFound) {
    return {.items = {}, .trouble = "the alerts cannot be read: " + found.error().message()};
  }
  return {.items = {}, .trouble = path_ + " does not exist: `monitor-analysis serve --rules` creates it"};
}

Result<AlertList> AlertLooker::read() {
  if (!store_) {
    auto opened = notify::AlertStore::open(path_, notify::AlertStore::Open::kReadOnly, clock_);
    if (!opened) return opened.error();
    store_ = std::move(*opened);
  }
  const auto config_path = store_->config_path();
  if (!config_path) return config_path.error();
  // Without a valid configuration, inhibition is unknown.
  std::optional<notify::Config> config;
  if (!config_path->empty()) {
    if (auto loaded = notify::load_config(*config_path); loaded) config = std::move(*loaded);
  }
  const auto rows = notify::overview(*store_, config ? &*config : nullptr, clock_.wall_ns() / kNanosPerMilli);
  if (!rows) return rows.error();
  AlertList found;
  for (const notify::AlertRow& row : *rows) {
    if (found.items.size() < kMostAlerts) found.items.push_back(item_of(row));
  }
  return found;
}

}  // namespace monitor
