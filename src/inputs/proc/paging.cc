// Paging and page faults from /proc/vmstat (proc_vmstat(5)): rates, and with `counters` also the kernel's counters.
#include <algorithm>
#include <array>
#include <optional>

#include "inputs/proc/collectors.h"
#include "inputs/proc/kernel_file.h"

namespace monitor::agent {

namespace {

enum Field { kFaults, kMajorFaults, kSwapIn, kSwapOut, kPageIn, kPageOut, kFields };
constexpr std::array<std::string_view, kFields> kFieldNames = {"pgfault", "pgmajfault", "pswpin",
                                                               "pswpout", "pgpgin",     "pgpgout"};
using FieldValues = std::array<std::optional<uint64_t>, kFields>;

Result<FieldValues> parse_vmstat(std::string_view text) {
  FieldValues values;
  while (!text.empty()) {
    Fields fields(next_line(text));
    const auto* const name = std::ranges::find(kFieldNames, fields.next());
    if (name == kFieldNames.end()) continue;
    const auto value = fields.number();
    // Rejects counts that would not fit into 63 bits as bytes.
    if (value && *value <= INT64_MAX / 1024) values[static_cast<size_t>(name - kFieldNames.begin())] = *value;
  }
  if (std::ranges::none_of(values, [](const auto& one) { return one.has_value(); })) {
    return Error(Code::kInvalidArgument, "/proc/vmstat: none of the expected lines, such as \"pgfault\"");
  }
  return values;
}

// One series and its counter.
struct Flow {
  std::string_view metric;
  std::string_view label;
  std::string_view value;
  Delta delta = {};
  metrics::SeriesId rate_id = kNoSeries;
  metrics::SeriesId counter_id = kNoSeries;
};

class PagingCollector final : public Collector {
 public:
  explicit PagingCollector(const Roots& roots) : file_(roots.procfs + "/vmstat") {}

  void configure(const std::vector<config::MetricSelection>& selections) override {
    const config::MetricSelection* const selection = find_selection(selections, "paging");
    // The baselines are dropped, because rates would average over the pause.
    if (selection == nullptr) {
      last_mono_ = 0;
      for (Flow& flow : flows_) flow.delta = {};
    }
    wanted_ = selection != nullptr;
    counters_ = wanted_ && selection->has("counters");
  }
  bool wanted() const override { return wanted_; }
  void adopt(const Collector& from) override {
    const auto& other = static_cast<const PagingCollector&>(from);
    last_mono_ = other.last_mono_;
    last_ = other.last_;
    minor_faults_ = other.minor_faults_;
    for (size_t i = 0; i < flows_.size(); ++i) flows_[i].delta = other.flows_[i].delta;
  }
  void forget_series() override {
    for (Flow& flow : flows_) flow.rate_id = flow.counter_id = kNoSeries;
  }

  Status collect(const Timestamp& now, TickBuilder& out) override {
    const auto text = file_.read();
    if (!text) return text.error();
    const auto fields = parse_vmstat(*text);
    if (!fields) return fields.error();
    const int64_t elapsed = last_mono_ == 0 ? 0 : now.mono_ns - last_mono_;
    last_mono_ = now.mono_ns;
    const FieldValues values = flow_values(*fields);
    for (size_t i = 0; i < flows_.size(); ++i) {
      if (values[i]) add(flows_[i], *values[i], elapsed, out);
    }
    return {};
  }

 private:
  // One value per flow. Minor faults are all faults minus major ones. The kernel counts a major fault first as major
  // and then as a fault, so a read between the two would make the difference fall.
  FieldValues flow_values(const FieldValues& fields) {
    FieldValues values = fields;
    values[0].reset();
    if (fields[kFaults] && fields[kMajorFaults]) {
      const uint64_t minor = *fields[kFaults] - std::min(*fields[kMajorFaults], *fields[kFaults]);
      const bool restarted =
          fields[kFaults] < last_[kFaults] || fields[kMajorFaults] < last_[kMajorFaults] || !last_[kMajorFaults];
      if (restarted) flows_[0].delta = {};
      minor_faults_ = restarted ? minor : std::max(minor, minor_faults_);
      values[0] = minor_faults_;
    }
    for (const Field bytes : {kPageIn, kPageOut}) {
      if (values[bytes]) values[bytes] = *values[bytes] * 1024;
    }
    last_ = fields;
    return values;
  }

  void add(Flow& flow, uint64_t value, int64_t elapsed, TickBuilder& out) const {
    uint64_t growth = 0;
    const bool known = flow.delta.update(value, growth) && elapsed > 0;
    const auto intern = [&](const std::string& name) {
      return out.intern(name, {{std::string(flow.label), std::string(flow.value)}});
    };
    if (known) {
      if (flow.rate_id == kNoSeries) flow.rate_id = intern(std::string(flow.metric) + ".rate");
      out.add_integer(flow.rate_id, per_second(growth, elapsed));
    }
    if (!counters_) return;
    if (flow.counter_id == kNoSeries) flow.counter_id = intern(std::string(flow.metric));
    out.add_integer(flow.counter_id, static_cast<int64_t>(value));
  }

  KernelFile file_;
  bool wanted_ = false;
  bool counters_ = false;
  int64_t last_mono_ = 0;
  FieldValues last_;
  uint64_t minor_faults_ = 0;
  // In the order of the fields, but with the minor faults in place of all faults.
  std::array<Flow, kFields> flows_ = {{{"system.paging.faults", "system.paging.fault.type", "minor"},
                                       {"system.paging.faults", "system.paging.fault.type", "major"},
                                       {"system.paging.operations", "system.paging.direction", "in"},
                                       {"system.paging.operations", "system.paging.direction", "out"},
                                       {"system.paging.io", "system.paging.direction", "in"},
                                       {"system.paging.io", "system.paging.direction", "out"}}};
};

}  // namespace

std::unique_ptr<Collector> make_paging(const CollectorContext& context) {
  return std::make_unique<PagingCollector>(context.roots);
}

}  // namespace monitor::agent
