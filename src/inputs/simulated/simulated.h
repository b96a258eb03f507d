// SimulatedSource: generates plausible values for `--simulate`, with a daily rhythm, random walks and bursts. The same
// seed generates the same values.
//
// The simulated host has four processors, two disks, two interfaces, two filesystems and four processes. All options of
// the selections work, and sums match their parts, as on a real host. Runs on the agent's loop. The table must outlive
// it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "inputs/tick_source.h"

namespace monitor::agent {

class SimulatedSource final : public TickSource {
 public:
  SimulatedSource(uint64_t seed, metrics::SeriesTable& table) : random_(seed), table_(table) {}

  void configure(uint64_t schedule, const std::vector<config::MetricSelection>& selections) override;
  void baseline(const Timestamp& now) override;
  uint64_t collect(uint64_t schedule, const Timestamp& now, metrics::Tick& tick) override;

 private:
  // A disk, interface or filesystem, and its share of the host's total.
  struct Part {
    std::string_view name;
    double weight;
  };
  // A flow of bytes: disk read, disk write, net in or net out.
  struct Flow {
    std::string_view selector;
    std::string_view family;  // system.disk.io, system.network.io
    std::string_view label;
    std::string_view direction;
    std::string_view part_label;
    std::span<const Part> parts;
    double scale;  // bytes per second
  };
  static const std::array<Part, 2> kDisks;
  static const std::array<Part, 2> kInterfaces;
  static const std::array<Part, 2> kFilesystems;
  static const std::array<Flow, 4> kFlows;

  double walk(double& state, double step, double low, double high);
  static std::vector<Part> chosen(std::span<const Part> parts, const config::MetricSelection& selection);

  void add(const config::MetricSelection& selection, const Timestamp& now, int64_t elapsed_ns, TickBuilder& out);
  void add_cpu(const config::MetricSelection& selection, const Timestamp& now, TickBuilder& out);
  void add_cpu_times(double busy, const metrics::Labels& labels, bool modes, TickBuilder& out);
  void add_memory(TickBuilder& out);
  void add_swap(TickBuilder& out);
  void add_flow(size_t flow, const config::MetricSelection& selection, int64_t elapsed_ns, TickBuilder& out);
  void add_filesystem(const config::MetricSelection& selection, TickBuilder& out);
  void add_pressure(TickBuilder& out);
  void add_declared(const config::MetricSelection& selection, int64_t elapsed_ns, TickBuilder& out);
  void add_near(const metrics::MetricSpec& metric, const metrics::Labels& labels, double typical, int64_t elapsed_ns,
                TickBuilder& out);

  SeededRandom random_;
  metrics::SeriesTable& table_;
  std::map<uint64_t, std::vector<config::MetricSelection>> selections_;
  std::map<uint64_t, int64_t> last_mono_;    // by schedule
  std::map<std::string, int64_t> counters_;  // by flow and part, or by series
  std::map<std::string, double> declared_;   // by series, for selectors without a model of their own
  double cpu_ = 0.2;
  double memory_ = 0.4;
  double swap_ = 0.02;
  double filesystem_ = 0.55;
  double pressure_ = 0.01;
  std::array<double, 4> flows_{0.1, 0.05, 0.2, 0.1};
  int64_t started_mono_ = 0;
};

}  // namespace monitor::agent
