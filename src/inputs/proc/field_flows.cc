#include "inputs/proc/field_flows.h"

#include <algorithm>

#include "base/saturating.h"
#include "base/scaled_quotient.h"
#include "base/text.h"
#include "inputs/proc/kernel_file.h"

namespace monitor::agent {

namespace {

// Rates have three decimals: one lost connection in a minute is a rate of 0.017.
constexpr uint64_t kThousandthsPerSecond = 1'000'000'000'000;

bool same_series(const FieldFlow& a, const FieldFlow& b) {
  return a.metric == b.metric && a.value == b.value && a.value2 == b.value2;
}

uint64_t scaled(uint64_t value, uint64_t scale) { return value > INT64_MAX / scale ? INT64_MAX : value * scale; }

}  // namespace

void FieldFlows::build() {
  for (const FieldFlow& flow : table_) {
    auto at = std::ranges::find_if(series_, [&](const Series& one) { return same_series(*one.flow, flow); });
    if (at == series_.end()) at = series_.insert(at, Series{.flow = &flow, .sum = {}, .delta = {}});
    fields_[std::string(flow.field)].emplace_back(at - series_.begin(), flow.scale);
    selected_.try_emplace(flow.selector);
  }
}

void FieldFlows::configure(const std::vector<config::MetricSelection>& selections) {
  wanted_ = std::ranges::any_of(
      table_, [&](const FieldFlow& flow) { return find_selection(selections, flow.selector) != nullptr; });
  if (!wanted_) {
    // An agent that does not collect these metrics does not keep their table either.
    *this = FieldFlows(table_);
    return;
  }
  if (series_.empty()) build();
  for (auto& [selector, selected] : selected_) {
    const config::MetricSelection* const selection = find_selection(selections, selector);
    selected = {selection != nullptr, selection != nullptr && selection->has("counters")};
    if (selected.now) continue;
    for (Series& one : series_) {
      if (one.flow->selector == selector) one.delta = {};
    }
  }
}

bool FieldFlows::wants(std::string_view selector) const {
  const auto found = selected_.find(selector);
  return found != selected_.end() && found->second.now;
}

void FieldFlows::adopt(const FieldFlows& other) {
  last_mono_ = other.last_mono_;
  for (size_t i = 0; i < std::min(series_.size(), other.series_.size()); ++i) series_[i].delta = other.series_[i].delta;
}

void FieldFlows::forget_series() {
  for (Series& one : series_) one.rate_id = one.counter_id = kNoSeries;
}

void FieldFlows::begin() {
  for (Series& one : series_) one.sum.reset();
}

void FieldFlows::set(std::string_view group, std::string_view field, uint64_t value) {
  key_.assign(group).append(" ").append(field);
  const auto found = fields_.find(key_);
  if (found == fields_.end()) return;
  for (const auto& [index, scale] : found->second) {
    series_[index].sum = saturating_add(series_[index].sum.value_or(0), scaled(value, scale));
  }
}

metrics::SeriesId FieldFlows::intern(const FieldFlow& flow, const std::string& metric, TickBuilder& out) {
  metrics::Labels labels;
  if (!flow.label.empty()) metrics::set_label(labels, flow.label, flow.value);
  if (!flow.label2.empty()) metrics::set_label(labels, flow.label2, flow.value2);
  return out.intern(metric, std::move(labels));
}

void FieldFlows::add(Series& series, bool counters, int64_t elapsed_ns, TickBuilder& out) {
  const auto value = static_cast<int64_t>(std::min<uint64_t>(*series.sum, INT64_MAX));
  const std::string metric(series.flow->metric);
  if (series.flow->gauge) {
    if (series.rate_id == kNoSeries) series.rate_id = intern(*series.flow, metric, out);
    out.add_integer(series.rate_id, value);
    return;
  }
  uint64_t growth = 0;
  if (series.delta.update(*series.sum, growth) && elapsed_ns > 0) {
    if (series.rate_id == kNoSeries) series.rate_id = intern(*series.flow, metric + ".rate", out);
    out.add_integer(series.rate_id, scaled_quotient(growth, kThousandthsPerSecond, static_cast<uint64_t>(elapsed_ns)));
  }
  if (!counters) return;
  if (series.counter_id == kNoSeries) series.counter_id = intern(*series.flow, metric, out);
  out.add_integer(series.counter_id, value);
}

void FieldFlows::finish(const Timestamp& now, TickBuilder& out) {
  const int64_t elapsed = last_mono_ == 0 ? 0 : now.mono_ns - last_mono_;
  last_mono_ = now.mono_ns;
  for (Series& one : series_) {
    const Selected& selected = selected_[one.flow->selector];
    if (!selected.now) continue;
    // A field that is missing for a tick would otherwise count the growth of several.
    if (!one.sum) one.delta = {};
    if (one.sum) add(one, selected.counters, elapsed, out);
  }
}

void read_paired_lines(std::string_view text, FieldFlows& flows) {
  while (!text.empty()) {
    Fields names(next_line(text));
    Fields values(next_line(text));
    std::string_view group = names.next();
    if (values.next() != group || !group.ends_with(':')) continue;
    group.remove_suffix(1);
    for (std::string_view name = names.next(); !name.empty(); name = names.next()) {
      if (const auto value = values.number()) flows.set(group, name, *value);
    }
  }
}

void read_named_lines(std::string_view text, std::string_view group, FieldFlows& flows) {
  while (!text.empty()) {
    Fields fields(next_line(text));
    std::string_view name = fields.next();
    if (name.ends_with(':')) name.remove_suffix(1);
    if (const auto value = fields.number()) flows.set(group, name, *value);
  }
}

}  // namespace monitor::agent
