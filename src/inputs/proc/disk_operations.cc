// What disks do besides moving bytes, from /proc/diskstats (the kernel's Documentation/admin-guide/iostats.rst):
// operations and merged ones, how long they took, how busy a disk was and how many operations waited. One set of series
// for each disk that block_topology.h lists, or that the patterns select.
#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/scaled_quotient.h"
#include "base/text.h"
#include "inputs/proc/block_topology.h"
#include "inputs/proc/collectors.h"
#include "inputs/proc/disk.h"
#include "inputs/proc/kernel_file.h"

namespace monitor::agent {

namespace {

// Columns of diskstats after the name, from 0 on.
enum Column : size_t {
  kReads,
  kReadsMerged,
  kReadMillis = 3,
  kWrites,
  kWritesMerged,
  kWriteMillis = 7,
  kPending,
  kBusyMillis,
  kQueueMillis,
  kColumns,
};
using Columns = std::array<uint64_t, kColumns>;

// Series of a disk; those of two directions have two successive places.
enum Place : size_t {
  kRate,
  kMergedRate = 2,
  kLatency = 4,
  kUtilization = 6,
  kQueue,
  kPendingNow,
  kOperations,
  kMerged = 11,
  kOperationTime = 13,
  kIoTime = 15,
  kPlaces,
};
constexpr std::array<std::string_view, kPlaces> kNames = {
    "system.disk.operations.rate", "system.disk.operations.rate",   "system.disk.merged.rate",
    "system.disk.merged.rate",     "system.disk.operation.latency", "system.disk.operation.latency",
    "system.disk.utilization",     "system.disk.queue.length",      "system.disk.operations.pending",
    "system.disk.operations",      "system.disk.operations",        "system.disk.merged",
    "system.disk.merged",          "system.disk.operation_time",    "system.disk.operation_time",
    "system.disk.io_time"};
constexpr std::array<std::string_view, 2> kDirections = {"read", "write"};
constexpr std::array<std::array<Column, 3>, 2> kOf = {
    {{kReads, kReadsMerged, kReadMillis}, {kWrites, kWritesMerged, kWriteMillis}}};

constexpr uint64_t kThousandthsPerSecond = 1'000'000'000'000;
constexpr uint64_t kMicrosPerMilli = 1000;
constexpr uint64_t kNanosPerMilliUnsigned = 1'000'000;

// The columns of a line; nothing if it is too short or malformed.
std::optional<Columns> columns_of(std::string_view line) {
  Fields fields(line);
  fields.skip(3);
  Columns columns{};
  for (uint64_t& one : columns) {
    const auto value = fields.number();
    if (!value) return std::nullopt;
    one = std::min<uint64_t>(*value, INT64_MAX);
  }
  return columns;
}

struct State {
  std::optional<Columns> last;
  uint64_t reading = 0;
  std::array<metrics::SeriesId, kPlaces> ids{};
};

class DiskOperationsCollector final : public Collector {
 public:
  explicit DiskOperationsCollector(const Roots& roots) : topology_(roots), file_(roots.procfs + "/diskstats") {}

  void configure(const std::vector<config::MetricSelection>& selections) override {
    const config::MetricSelection* const selection = find_selection(selections, "disk operations");
    wanted_ = selection != nullptr;
    if (!wanted_) {
      disks_.clear();
      last_mono_ = 0;
      return;
    }
    counters_ = selection->has("counters");
    include_ = selection->include;
    exclude_ = selection->exclude;
  }
  bool wanted() const override { return wanted_; }
  void adopt(const Collector& from) override {
    const auto& other = static_cast<const DiskOperationsCollector&>(from);
    disks_ = other.disks_;
    last_mono_ = other.last_mono_;
    reading_ = other.reading_;
    forget_series();
  }
  void forget_series() override {
    for (auto& [name, disk] : disks_) disk.ids.fill(kNoSeries);
  }
  Status collect(const Timestamp& now, TickBuilder& out) override;

 private:
  bool chosen(std::string_view device) {
    const bool in = include_.empty() ? topology_.role(device).listed : matches_any(include_, device);
    return in && !matches_any(exclude_, device);
  }
  void add(const std::string& name, State& disk, const Columns& now, int64_t elapsed_ns, TickBuilder& out) const;
  void add_counters(const std::string& name, State& disk, const Columns& now, TickBuilder& out) const;
  static metrics::SeriesId id(const std::string& name, State& disk, size_t place, size_t direction, TickBuilder& out);

  BlockTopology topology_;
  KernelFile file_;
  std::vector<DiskLine> lines_;
  std::unordered_map<std::string, State> disks_;
  std::vector<std::string> include_;
  std::vector<std::string> exclude_;
  bool wanted_ = false;
  bool counters_ = false;
  uint64_t reading_ = 0;
  int64_t last_mono_ = 0;
  std::string key_;
};

constexpr size_t kNoDirection = kDirections.size();

metrics::SeriesId DiskOperationsCollector::id(const std::string& name, State& disk, size_t place, size_t direction,
                                              TickBuilder& out) {
  metrics::SeriesId& id = disk.ids[place];
  if (id != kNoSeries) return id;
  metrics::Labels labels = {{"system.device", sanitize_utf8(name)}};
  if (direction != kNoDirection) metrics::set_label(labels, "disk.io.direction", kDirections[direction]);
  return id = out.intern(kNames[place], std::move(labels));
}

// A disk whose counters fell was replaced by another one of its name.
void DiskOperationsCollector::add(const std::string& name, State& disk, const Columns& now, int64_t elapsed_ns,
                                  TickBuilder& out) const {
  out.add_integer(id(name, disk, kPendingNow, kNoDirection, out), static_cast<int64_t>(now[kPending]));
  const auto before = disk.last;
  if (!before || elapsed_ns <= 0) return;
  Columns growth{};
  for (size_t i = 0; i < kColumns; ++i) {
    if (i != kPending && now[i] < (*before)[i]) return;
    growth[i] = now[i] - std::min(now[i], (*before)[i]);
  }
  const auto elapsed = static_cast<uint64_t>(elapsed_ns);
  for (size_t d = 0; d < kDirections.size(); ++d) {
    const auto& [operations, merged, millis] = kOf[d];
    out.add_integer(id(name, disk, kRate + d, d, out),
                    scaled_quotient(growth[operations], kThousandthsPerSecond, elapsed));
    out.add_integer(id(name, disk, kMergedRate + d, d, out),
                    scaled_quotient(growth[merged], kThousandthsPerSecond, elapsed));
    if (growth[operations] == 0) continue;
    out.add_integer(id(name, disk, kLatency + d, d, out),
                    scaled_quotient(growth[millis], kMicrosPerMilli, growth[operations]));
  }
  const uint64_t busy = std::min<uint64_t>(growth[kBusyMillis], INT64_MAX / kNanosPerMilliUnsigned);
  out.add_share(id(name, disk, kUtilization, kNoDirection, out), busy * kNanosPerMilliUnsigned, elapsed);
  // Milliseconds by nanoseconds, in thousandths.
  out.add_integer(id(name, disk, kQueue, kNoDirection, out),
                  scaled_quotient(growth[kQueueMillis], kNanosPerMilliUnsigned * 1000, elapsed));
}

void DiskOperationsCollector::add_counters(const std::string& name, State& disk, const Columns& now,
                                           TickBuilder& out) const {
  for (size_t d = 0; d < kDirections.size(); ++d) {
    for (size_t i = 0; i < kOf[d].size(); ++i) {
      out.add_integer(id(name, disk, kOperations + 2 * i + d, d, out), static_cast<int64_t>(now[kOf[d][i]]));
    }
  }
  out.add_integer(id(name, disk, kIoTime, kNoDirection, out), static_cast<int64_t>(now[kBusyMillis]));
}

Status DiskOperationsCollector::collect(const Timestamp& now, TickBuilder& out) {
  const auto text = file_.read_table(diskstats_shape);
  if (!text) return text.error();
  if (auto s = parse_diskstats(*text, lines_); !s) return s;
  topology_.refresh(lines_, file_.shape(), now.mono_ns);
  const int64_t elapsed = last_mono_ == 0 ? 0 : now.mono_ns - last_mono_;
  last_mono_ = now.mono_ns;
  ++reading_;
  for (std::string_view rest = *text; !rest.empty();) {
    const std::string_view line = next_line(rest);
    Fields fields(line);
    fields.skip(2);
    const std::string_view device = fields.next();
    const auto columns = columns_of(line);
    if (!columns || !chosen(device)) continue;
    key_.assign(device);
    const auto [at, is_new] = disks_.try_emplace(key_);
    State& disk = at->second;
    if (is_new) disk.ids.fill(kNoSeries);
    if (disk.reading == reading_) continue;  // the text names the device twice
    if (disk.reading + 1 != reading_) disk.last.reset();
    disk.reading = reading_;
    add(at->first, disk, *columns, elapsed, out);
    if (counters_) add_counters(at->first, disk, *columns, out);
    disk.last = *columns;
  }
  std::erase_if(disks_, [this](const auto& one) { return one.second.reading != reading_; });
  return {};
}

}  // namespace

std::unique_ptr<Collector> make_disk_operations(const CollectorContext& context) {
  return std::make_unique<DiskOperationsCollector>(context.roots);
}

}  // namespace monitor::agent
