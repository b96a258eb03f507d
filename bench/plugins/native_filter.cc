// Does the same as the built-in `filter` with {"drop": NAME}, as a native plugin.
#include <vector>

#include "plugin.hpp"

namespace {

class NativeFilter final : public monitor::sdk::Plugin {
 public:
  void initialize(monitor::sdk::Options& options) override { drop_ = options.text("drop", ""); }
  bool run(monitor::sdk::Batch& batch) override {
    batch.remove_if([this](monitor::sdk::Point point) { return goes(point); });
    return !batch.empty();
  }

 private:
  // Computed once per series.
  bool goes(monitor::sdk::Point point) {
    const monitor::sdk::SeriesId id = point.series_id();
    if (id >= known_.size()) known_.resize(id + 1, 0);
    if (known_[id] == 0) known_[id] = point.name() == drop_ ? 2 : 1;
    return known_[id] == 2;
  }

  std::string drop_;
  std::vector<char> known_;
};

}  // namespace

MONITOR_PLUGIN(NativeFilter, "native_filter", "1.0")
