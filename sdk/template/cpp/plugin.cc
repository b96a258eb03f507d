// template_name: adds a label to every series: option `label` (default "team") is its name, `value` (default "ops") its
// value. If option `keep` is given, drops all points whose names are not in it. Replace this with your own code.
#include <monitor/plugin.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace {

class TemplateClass final : public monitor::sdk::Plugin {
 public:
  // Called once. Reads the options from "config". The agent rejects options that are not read here.
  void initialize(monitor::sdk::Options& options) override {
    label_ = options.text("label", "team");
    value_ = options.text("value", "ops");
    keep_ = options.texts("keep");
    if (label_.empty()) options.refuse("label", "must not be empty");
  }

  // Called every tick. False drops the tick.
  bool run(monitor::sdk::Batch& batch) override {
    batch.remove_if([this](monitor::sdk::Point point) {
      return !keep_.empty() && std::find(keep_.begin(), keep_.end(), point.name()) == keep_.end();
    });
    for (auto point : batch) point.set_series(labelled(point.series_id()));
    ++ticks_;
    return !batch.empty();
  }

  // The state for the next version of the plugin. Remove both methods if there is none.
  std::string save() override { return std::to_string(ticks_); }
  void restore(std::string_view state) override { ticks_ = std::stoull(std::string(state)); }

 private:
  // Computed once per series.
  monitor::sdk::SeriesId labelled(monitor::sdk::SeriesId id) {
    const auto known = labelled_.find(id);
    if (known != labelled_.end()) return known->second;
    monitor::sdk::Series series = host().series(id);
    series.labels[label_] = value_;
    return labelled_[id] = host().intern(series);
  }

  std::string label_;
  std::string value_;
  std::vector<std::string> keep_;
  std::map<monitor::sdk::SeriesId, monitor::sdk::SeriesId> labelled_;
  unsigned long long ticks_ = 0;
};

}  // namespace

MONITOR_PLUGIN(TemplateClass, "template_name", "0.1.0")
