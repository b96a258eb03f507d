#include "telemetry/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>

namespace monitor::telemetry {

namespace {

// Escapes text for the exposition format; quotes are escaped only in labels.
std::string escape(std::string_view text, bool in_label) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && in_label) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

std::string label_text(const MetricLabels& labels) {
  std::string out;
  for (const auto& [key, value] : labels) {
    out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", key, escape(value, true));
  }
  return out;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

std::string line(std::string_view name, std::string_view labels, const std::string& value) {
  return labels.empty() ? fmt::format("{} {}\n", name, value) : fmt::format("{}{{{}}} {}\n", name, labels, value);
}

}  // namespace

void Histogram::observe(double value) {
  const auto bucket = static_cast<size_t>(std::ranges::lower_bound(bounds_, value) - bounds_.begin());
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

// Cells by the text of their labels.
struct Registry::Family {
  std::string help;
  std::string type;
  std::map<std::string, std::deque<Counter>> counters;
  std::map<std::string, std::deque<Gauge>> gauges;
  std::map<std::string, std::vector<std::function<double()>>> readers;
  std::map<std::string, std::deque<Histogram>> histograms;

  void show(const std::string& name, std::string& out) const;
  static std::string show_histogram(const std::string& name, const std::string& labels,
                                    const std::deque<Histogram>& cells);
};

Registry::Registry() = default;
Registry::~Registry() = default;

Registry::Family& Registry::family(const std::string& name, const std::string& help, const char* type) {
  auto& family = families_[name];
  if (!family) family = std::make_unique<Family>(Family{.help = help, .type = type});
  assert(family->type == type);
  return *family;
}

Counter& Registry::counter(const std::string& name, const std::string& help, const MetricLabels& labels) {
  const std::lock_guard lock(mutex_);
  return family(name, help, "counter").counters[label_text(labels)].emplace_back();
}

Gauge& Registry::gauge(const std::string& name, const std::string& help, const MetricLabels& labels) {
  const std::lock_guard lock(mutex_);
  return family(name, help, "gauge").gauges[label_text(labels)].emplace_back();
}

Histogram& Registry::histogram(const std::string& name, const std::string& help, const std::vector<double>& bounds,
                               const MetricLabels& labels) {
  const std::lock_guard lock(mutex_);
  return family(name, help, "histogram").histograms[label_text(labels)].emplace_back(bounds);
}

void Registry::gauge_from(const std::string& name, const std::string& help, std::function<double()> read,
                          const MetricLabels& labels) {
  const std::lock_guard lock(mutex_);
  family(name, help, "gauge").readers[label_text(labels)].push_back(std::move(read));
}

void Registry::Family::show(const std::string& name, std::string& out) const {
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, escape(help, false), name, type);
  for (const auto& [labels, cells] : counters) {
    uint64_t sum = 0;
    for (const Counter& cell : cells) sum += cell.value();
    out += line(name, labels, fmt::format("{}", sum));
  }
  for (const auto& [labels, cells] : gauges) {
    double sum = 0;
    for (const Gauge& cell : cells) sum += cell.value();
    out += line(name, labels, number(sum));
  }
  for (const auto& [labels, functions] : readers) {
    double sum = 0;
    for (const auto& read : functions) sum += read();
    out += line(name, labels, number(sum));
  }
  for (const auto& [labels, cells] : histograms) out += show_histogram(name, labels, cells);
}

std::string Registry::Family::show_histogram(const std::string& name, const std::string& labels,
                                             const std::deque<Histogram>& cells) {
  std::string out;
  const std::vector<double>& bounds = cells.front().bounds();
  const std::string before = labels.empty() ? "" : labels + ",";
  uint64_t cumulative = 0;
  double sum = 0;
  for (size_t i = 0; i <= bounds.size(); ++i) {
    for (const Histogram& cell : cells) cumulative += cell.count(i);
    const std::string bound = i < bounds.size() ? number(bounds[i]) : "+Inf";
    out += line(name + "_bucket", fmt::format("{}le=\"{}\"", before, bound), fmt::format("{}", cumulative));
  }
  for (const Histogram& cell : cells) sum += cell.sum();
  out += line(name + "_sum", labels, number(sum));
  out += line(name + "_count", labels, fmt::format("{}", cumulative));
  return out;
}

std::string Registry::text() const {
  std::string out;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, family] : families_) family->show(name, out);
  return out;
}

std::vector<double> latency_bounds() {
  return {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
}

}  // namespace monitor::telemetry
