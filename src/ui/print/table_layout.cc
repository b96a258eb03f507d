#include "ui/print/table_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace monitor::analysis {

namespace {

using Time = TableLayout::Time;

constexpr size_t kMemoryWidth = 19;
constexpr size_t kNarrowestAgent = 6;
// A longer id takes space only if no column needs it.
constexpr size_t kLongAgent = 24;
constexpr size_t kNarrowestLabels = 10;
// "  late" behind a row with its date; the narrower times have room for it.
constexpr size_t kLate = 6;

constexpr std::array<const char*, 4> kWideRates = {"DISK R MB/s", "DISK W MB/s", "NET IN MB/s", "NET OUT MB/s"};
constexpr std::array<const char*, 4> kNarrowRates = {"RD MB/s", "WR MB/s", "IN MB/s", "OUT MB/s"};

// From the widest to the narrowest.
constexpr std::array<TableLayout, 8> kLayouts = {{
    {},
    {.time = Time::kMilliseconds},
    {.time = Time::kMilliseconds, .narrow = true},
    {.time = Time::kMilliseconds, .narrow = true, .memory = false},
    {.time = Time::kSeconds, .narrow = true, .memory = false},
    {.time = Time::kSeconds, .narrow = true, .memory = false, .rates = 2},
    {.time = Time::kSeconds, .narrow = true, .memory = false, .rates = 0},
    {.time = Time::kSeconds, .agent = kNarrowestAgent, .narrow = true, .memory = false, .rates = 0},
}};

}  // namespace

size_t TableLayout::time_width() const {
  if (time == Time::kDate) return 23;
  return time == Time::kMilliseconds ? 13 : 8;  // 13: for "12:00:00 late"
}

size_t TableLayout::rate_width(size_t rate) const {
  return std::string_view((narrow ? kNarrowRates : kWideRates)[rate]).size();
}

size_t TableLayout::width() const {
  size_t all = start_width() + share_width() + 2 + share_width() + (memory ? 2 + kMemoryWidth : 0);
  for (size_t i = 0; i < rates; ++i) all += 2 + rate_width(i);
  return all;
}

std::string TableLayout::header() const {
  std::string out = fmt::format("{:>{}}  {:>{}}", "CPU %", share_width(), "MEM %", share_width());
  if (memory) out += fmt::format("  {:>{}}", "MEM USED / TOTAL MB", kMemoryWidth);
  for (size_t i = 0; i < rates; ++i) out += std::string("  ") + (narrow ? kNarrowRates : kWideRates)[i];
  return out + (labels > 0 ? "  LABELS" : "");
}

TableLayout table_layout(size_t columns, size_t agent, bool has_labels) {
  TableLayout found = kLayouts.front();
  found.agent = std::max(found.agent, agent);
  found.labels = has_labels ? TableLayout::kAll : 0;
  if (columns == 0) return found;
  const auto needs = [&found] { return found.width() + (found.time == Time::kDate ? kLate : 0); };
  for (const TableLayout& one : kLayouts) {
    found = one;
    if (one.agent > kNarrowestAgent) found.agent = std::clamp(agent, one.agent, kLongAgent);
    if (needs() <= columns) break;
  }
  if (needs() >= columns) return found;
  found.agent = std::max(found.agent, std::min(agent, found.agent + columns - needs()));
  const size_t left = columns - needs();
  if (has_labels && left >= kNarrowestLabels + 2) found.labels = left - 2;
  return found;
}

}  // namespace monitor::analysis
