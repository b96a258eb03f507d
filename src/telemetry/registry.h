// Registry: a program's own metrics in the Prometheus text exposition format 0.0.4.
//
// Names are monitor_<program>_<what>_<unit|total>; docs/operations.md lists them. Each call of counter(), gauge() or
// histogram() creates a cell; request it once and keep it. The output sums cells with the same name and labels, so
// loops can count without sharing cache lines. Cells live as long as the registry. Thread-safe; counting is one relaxed
// atomic operation.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace monitor::telemetry {

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

class Counter {
 public:
  void add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  void add(double delta) { value_.fetch_add(delta, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

class Histogram {
 public:
  // `bounds`: upper bounds of the buckets, ascending; one more bucket counts larger values.
  explicit Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

  void observe(double value);
  const std::vector<double>& bounds() const { return bounds_; }
  uint64_t count(size_t bucket) const { return counts_[bucket].load(std::memory_order_relaxed); }
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  const std::vector<double> bounds_;
  std::vector<std::atomic<uint64_t>> counts_;
  std::atomic<double> sum_{0};
};

class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  Counter& counter(const std::string& name, const std::string& help, const MetricLabels& labels = {});
  Gauge& gauge(const std::string& name, const std::string& help, const MetricLabels& labels = {});
  Histogram& histogram(const std::string& name, const std::string& help, const std::vector<double>& bounds,
                       const MetricLabels& labels = {});
  // `read` is called for every output, on the requesting thread, and must stay callable as long as the registry exists.
  void gauge_from(const std::string& name, const std::string& help, std::function<double()> read,
                  const MetricLabels& labels = {});

  std::string text() const;

 private:
  struct Family;
  Family& family(const std::string& name, const std::string& help, const char* type);

  mutable std::mutex mutex_;  // guards the families, not the values of the cells
  std::map<std::string, std::unique_ptr<Family>, std::less<>> families_;
};

// Buckets for latencies, from 100 us to 10 s, in seconds.
std::vector<double> latency_bounds();

}  // namespace monitor::telemetry
