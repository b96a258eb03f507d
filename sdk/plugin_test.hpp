// A host for unit tests of a plugin. It runs the plugin within the test program, without an agent or another process.
//
//   monitor::sdk::Harness harness;
//   harness.start({{"label", "team"}, {"factor", 2.0}});
//   harness.add("system.cpu.utilization", 0.5);
//   CHECK(harness.run());
//   CHECK(harness.value("system.cpu.utilization") == 1.0);
#ifndef MONITOR_PLUGIN_TEST_HPP
#define MONITOR_PLUGIN_TEST_HPP

#include <cstdio>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "plugin.hpp"

namespace monitor::sdk {

inline int& failures() {
  static int count = 0;
  return count;
}
// The exit status for main().
inline int result() { return failures() == 0 ? 0 : 1; }

#define CHECK(CONDITION)                                                           \
  do {                                                                             \
    if (!(CONDITION)) {                                                            \
      std::fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #CONDITION); \
      ++monitor::sdk::failures();                                                  \
    }                                                                              \
  } while (false)

class Harness {
 public:
  using Value = std::variant<std::string, double, bool, std::vector<std::string>, std::map<std::string, std::string>>;
  struct Config : std::map<std::string, Value> {
    Config(std::initializer_list<std::pair<const std::string, Value>> values) : std::map<std::string, Value>(values) {}
    Config() = default;
  };

  Harness() {
    host_.size = sizeof host_;
    host_.abi_major = MONITOR_PLUGIN_ABI_MAJOR;
    host_.abi_minor = MONITOR_PLUGIN_ABI_MINOR;
    host_.context = this;
    host_.series = [](void* self, uint32_t id) { return of(self).find(id); };
    host_.intern = [](void* self, const monitor_series* series) { return of(self).intern(*series); };
    host_.log = [](void*, int, monitor_text line) {
      std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size), line.data);
    };
    host_.fail = [](void* self, monitor_text reason) { of(self).failure_ = from_c(reason); };
    host_.option = [](void* self, monitor_text path, monitor_option* out) { of(self).option(from_c(path), out); };
    host_.option_name = [](void* self, monitor_text path, size_t index) { return of(self).name(from_c(path), index); };
    host_.refuse = [](void* self, monitor_text path, monitor_text message) {
      of(self).refusal_ = std::string(from_c(path)) + ": " + std::string(from_c(message));
    };
    plugin_ = monitor_plugin_entry(MONITOR_PLUGIN_ABI_MAJOR, MONITOR_PLUGIN_ABI_MINOR);
  }
  ~Harness() {
    if (self_ != nullptr) plugin_->finalize(self_);
  }
  Harness(const Harness&) = delete;
  Harness& operator=(const Harness&) = delete;

  // Calls initialize(). `good`: the plugin is expected to start.
  void start(const Config& config = {}, bool good = true) {
    config_ = config;
    self_ = plugin_->create(&host_);
    if (good) CHECK(self_ != nullptr && refusal_.empty());
  }
  // Adds a point to the next batch.
  void add(const std::string& name, double value, const std::map<std::string, std::string>& labels = {},
           const std::string& unit = "1") {
    std::vector<monitor_label> list;
    for (const auto& [key, text] : labels) list.push_back({to_c(key), to_c(text)});
    monitor_series series{};
    series.size = sizeof series;
    series.name = to_c(name);
    series.unit = to_c(unit);
    series.labels = list.data();
    series.label_count = list.size();
    monitor_point point{};
    point.series = intern(series);
    point.value.real = value;
    points_.push_back(point);
  }
  void clear() { points_.clear(); }

  // Calls run() on the added points, and replaces them with its output. False: dropped or failed.
  bool run(int64_t time_ns = 0) {
    const size_t count = points_.size();
    points_.resize(count + 1024);
    monitor_batch batch{};
    batch.size = sizeof batch;
    batch.time_ns = batch.mono_ns = time_ns;
    batch.points = points_.data();
    batch.point_count = count;
    batch.point_capacity = points_.size();
    failure_.clear();
    const int said = plugin_->run(self_, &batch);
    points_.resize(batch.point_count);
    return said == MONITOR_KEEP;
  }
  std::string save() {
    std::string state;
    const monitor_sink sink = {sizeof sink, &state, [](void* to, const void* data, size_t size) {
                                 static_cast<std::string*>(to)->append(static_cast<const char*>(data), size);
                               }};
    CHECK(plugin_->save(self_, &sink) == 0);
    return state;
  }
  void restore(const std::string& state) { CHECK(plugin_->restore(self_, state.data(), state.size()) == 0); }

  size_t size() const { return points_.size(); }
  bool has(std::string_view name) const { return point(name) != nullptr; }
  double value(std::string_view name) const { return point(name) == nullptr ? 0 : point(name)->value.real; }
  std::string label(std::string_view name, std::string_view key) const {
    const monitor_point* const found = point(name);
    if (found == nullptr) return "";
    for (const auto& [label, text] : series_[found->series]->labels) {
      if (label == key) return text;
    }
    return "";
  }
  const std::string& failure() const { return failure_; }
  const std::string& refusal() const { return refusal_; }

 private:
  struct Kept {
    std::string name;
    std::string unit;
    std::map<std::string, std::string> labels;
    std::vector<monitor_label> list;
    monitor_series raw{};
  };

  static Harness& of(void* self) { return *static_cast<Harness*>(self); }

  const monitor_series* find(uint32_t id) const { return id < series_.size() ? &series_[id]->raw : nullptr; }

  uint32_t intern(const monitor_series& given) {
    std::map<std::string, std::string> labels;
    for (size_t i = 0; i < given.label_count; ++i) {
      labels.emplace(from_c(given.labels[i].name), from_c(given.labels[i].value));
    }
    for (size_t i = 0; i < series_.size(); ++i) {
      const Kept& one = *series_[i];
      if (one.name == from_c(given.name) && one.unit == from_c(given.unit) && one.labels == labels &&
          one.raw.kind == given.kind && one.raw.integer == given.integer && one.raw.exponent == given.exponent) {
        return static_cast<uint32_t>(i);
      }
    }
    auto kept = std::make_unique<Kept>();
    kept->name = from_c(given.name);
    kept->unit = from_c(given.unit);
    kept->labels = std::move(labels);
    for (const auto& [key, text] : kept->labels) kept->list.push_back({to_c(key), to_c(text)});
    kept->raw = given;
    kept->raw.size = sizeof(monitor_series);
    kept->raw.name = to_c(kept->name);
    kept->raw.unit = to_c(kept->unit);
    kept->raw.labels = kept->list.data();
    kept->raw.label_count = kept->list.size();
    series_.push_back(std::move(kept));
    return static_cast<uint32_t>(series_.size() - 1);
  }

  const monitor_point* point(std::string_view name) const {
    for (const monitor_point& one : points_) {
      if (series_[one.series]->name == name) return &one;
    }
    return nullptr;
  }

  // "/name", "/name/0", "/name/key"
  void option(std::string_view path, monitor_option* out) const {
    *out = {sizeof(monitor_option), MONITOR_OPTION_ABSENT, 0, {"", 0}, 0};
    const size_t slash = path.find('/', 1);
    const auto found = config_.find(std::string(path.substr(1, slash - 1)));
    if (found == config_.end()) return;
    const std::string below(slash == std::string_view::npos ? "" : path.substr(slash + 1));
    if (const auto* const text = std::get_if<std::string>(&found->second)) {
      out->type = MONITOR_OPTION_TEXT;
      out->text = to_c(*text);
    } else if (const auto* const number = std::get_if<double>(&found->second)) {
      out->type = MONITOR_OPTION_NUMBER;
      out->number = *number;
    } else if (const auto* const yes = std::get_if<bool>(&found->second)) {
      out->type = MONITOR_OPTION_BOOLEAN;
      out->number = *yes ? 1 : 0;
    } else if (const auto* const list = std::get_if<std::vector<std::string>>(&found->second)) {
      out->type = below.empty() ? MONITOR_OPTION_LIST : MONITOR_OPTION_TEXT;
      out->count = list->size();
      if (!below.empty()) out->text = to_c(list->at(std::stoul(below)));
    } else {
      const auto& map = std::get<std::map<std::string, std::string>>(found->second);
      out->type = below.empty() ? MONITOR_OPTION_OBJECT : MONITOR_OPTION_TEXT;
      out->count = map.size();
      if (!below.empty()) out->text = to_c(map.at(below));
    }
  }

  monitor_text name(std::string_view path, size_t index) const {
    const auto& map = std::get<std::map<std::string, std::string>>(config_.at(std::string(path.substr(1))));
    auto at = map.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(index));
    return to_c(at->first);
  }

  const monitor_plugin* plugin_ = nullptr;
  monitor_host host_{};
  void* self_ = nullptr;
  std::map<std::string, Value> config_;
  std::vector<std::unique_ptr<Kept>> series_;
  std::vector<monitor_point> points_;
  std::string failure_;
  std::string refusal_;
};

}  // namespace monitor::sdk

#endif
