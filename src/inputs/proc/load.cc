#include "inputs/proc/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "inputs/proc/collectors.h"

namespace monitor::agent {

namespace {

// Parses "12.34" into hundredths. The kernel prints two decimals, lxcfs fewer or none; more decimals are rounded.
std::optional<int64_t> hundredths(std::string_view text) {
  const size_t point = text.find('.');
  const auto whole = parse_u64(text.substr(0, point));
  if (!whole || *whole > INT64_MAX / 1000) return std::nullopt;
  if (point == std::string_view::npos) return static_cast<int64_t>(*whole * 100);
  const std::string_view decimals = text.substr(point + 1);
  if (!std::ranges::all_of(decimals, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  const auto digit = [&](size_t at) { return at < decimals.size() ? static_cast<uint64_t>(decimals[at] - '0') : 0; };
  return static_cast<int64_t>(*whole * 100 + digit(0) * 10 + digit(1) + (digit(2) >= 5 ? 1 : 0));
}

}  // namespace

Result<std::array<int64_t, 3>> parse_loadavg(std::string_view text) {
  Fields fields(next_line(text));
  std::array<int64_t, 3> loads{};
  for (int64_t& load : loads) {
    const std::string_view field = fields.next();
    const auto value = hundredths(field);
    if (!value) {
      return Error(Code::kInvalidArgument,
                   fmt::format("/proc/loadavg: malformed field {}", json_quote(field.substr(0, 40))));
    }
    load = *value;
  }
  return loads;
}

Result<int64_t> parse_uptime(std::string_view text) {
  Fields fields(next_line(text));
  const std::string_view field = fields.next();
  const auto value = hundredths(field);
  if (!value) {
    return Error(Code::kInvalidArgument,
                 fmt::format("/proc/uptime: malformed field {}", json_quote(field.substr(0, 40))));
  }
  return *value;
}

void LoadCollector::configure(const std::vector<config::MetricSelection>& selections) {
  wanted_ = find_selection(selections, "load") != nullptr;
}

Status LoadCollector::collect(const Timestamp&, TickBuilder& out) {
  const auto text = file_.read();
  if (!text) return text.error();
  const auto loads = parse_loadavg(*text);
  if (!loads) return loads.error();
  constexpr std::array<std::string_view, 3> kMinutes = {"1m", "5m", "15m"};
  for (size_t i = 0; i < ids_.size(); ++i) {
    if (!interned_) ids_[i] = out.intern(fmt::format("system.cpu.load_average.{}", kMinutes[i]));
    out.add_integer(ids_[i], (*loads)[i]);
  }
  interned_ = true;
  return {};
}

void UptimeCollector::configure(const std::vector<config::MetricSelection>& selections) {
  wanted_ = find_selection(selections, "uptime") != nullptr;
}

Status UptimeCollector::collect(const Timestamp&, TickBuilder& out) {
  const auto text = file_.read();
  if (!text) return text.error();
  const auto uptime = parse_uptime(*text);
  if (!uptime) return uptime.error();
  if (id_ == kNoSeries) id_ = out.intern("system.uptime");
  out.add_integer(id_, *uptime);
  return {};
}

std::unique_ptr<Collector> make_load(const CollectorContext& context) {
  return std::make_unique<LoadCollector>(context.roots);
}

std::unique_ptr<Collector> make_uptime(const CollectorContext& context) {
  return std::make_unique<UptimeCollector>(context.roots);
}

}  // namespace monitor::agent
