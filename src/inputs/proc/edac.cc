// Errors of memory modules, as EDAC drivers count them (Documentation/admin-guide/RAS/main.rst).
//
// A controller counts an error once: for the module that it can name (dimmN or rankN), else as "noinfo". So the series
// of a controller add up to its total. Kernels before 3.6, and some drivers, have no folders of modules; then the
// controller's total is one series.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "inputs/proc/collectors.h"
#include "inputs/proc/sysfs.h"

namespace monitor::agent {

namespace {

constexpr size_t kMostModules = 1'024;
constexpr std::array<std::string_view, 2> kTypes = {"corrected", "uncorrected"};

struct Module {
  metrics::Labels labels;
  std::array<std::string, kTypes.size()> files;
  std::array<metrics::SeriesId, kTypes.size()> ids{kNoSeries, kNoSeries};
};

class EdacCollector final : public Collector {
 public:
  explicit EdacCollector(const Roots& roots) : folder_(roots.sysfs + "/devices/system/edac/mc/") {}

  void configure(const std::vector<config::MetricSelection>& selections) override {
    wanted_ = find_selection(selections, "edac") != nullptr;
    if (wanted_) return;
    modules_.clear();
    freshness_ = {};
  }
  bool wanted() const override { return wanted_; }
  void forget_series() override {
    for (Module& module : modules_) module.ids.fill(kNoSeries);
  }

  Status collect(const Timestamp& now, TickBuilder& out) override {
    look_for(now.mono_ns);
    for (Module& module : modules_) {
      for (size_t i = 0; i < kTypes.size(); ++i) {
        const auto count = parse_i64(trim(first_line(module.files[i])));
        if (!count || *count < 0) continue;
        if (module.ids[i] == kNoSeries) {
          metrics::Labels labels = module.labels;
          metrics::set_label(labels, "error.type", kTypes[i]);
          module.ids[i] = out.intern("hw.errors", std::move(labels));
        }
        out.add_integer(module.ids[i], *count);
      }
    }
    return {};
  }

 private:
  void look_for(int64_t mono_ns) {
    auto controllers = folder_entries(folder_);
    std::erase_if(controllers, [](const std::string& name) { return !is_numbered(name, "mc"); });
    std::ranges::sort(controllers);
    uint64_t shape = 0;
    for (const std::string& name : controllers) shape = shape * 31 + std::hash<std::string>{}(name);
    if (!freshness_.stale(shape, 1 + 20 * controllers.size(), mono_ns)) return;
    const std::vector<Module> before = std::move(modules_);
    modules_.clear();
    for (const std::string& controller : controllers) find_modules(controller);
    for (Module& module : modules_) {
      const auto old = std::ranges::find(before, module.labels, &Module::labels);
      if (old != before.end()) module.ids = old->ids;
    }
  }

  void find_modules(const std::string& controller) {
    const std::string files = folder_ + controller + "/";
    auto entries = folder_entries(files);
    std::ranges::sort(entries);
    bool found = false;
    for (const std::string& entry : entries) {
      if (!is_numbered(entry, "dimm") && !is_numbered(entry, "rank")) continue;
      const std::string label(trim(first_line(files + entry + "/dimm_label")));
      add(controller, fmt::format("{}:{}", controller, entry), label.empty() ? entry : label,
          files + entry + "/dimm_{}_count");
      found = true;
    }
    if (found) {
      add(controller, controller + ":unknown", "unknown", files + "{}_noinfo_count");
    } else {
      add(controller, controller, controller, files + "{}_count");
    }
  }

  // `files` has {} for the kind of error in the kernel's names.
  void add(const std::string& controller, const std::string& id, const std::string& name, const std::string& files) {
    if (modules_.size() >= kMostModules) return;
    Module module;
    module.labels = {{"hw.id", id}, {"hw.name", sanitize_utf8(name)}, {"hw.parent", controller}, {"hw.type", "memory"}};
    const size_t kind = files.rfind("{}");
    module.files = {std::string(files).replace(kind, 2, "ce"), std::string(files).replace(kind, 2, "ue")};
    modules_.push_back(std::move(module));
  }

  std::string folder_;
  bool wanted_ = false;
  Freshness freshness_;
  std::vector<Module> modules_;
};

}  // namespace

std::unique_ptr<Collector> make_edac(const CollectorContext& context) {
  return std::make_unique<EdacCollector>(context.roots);
}

}  // namespace monitor::agent
