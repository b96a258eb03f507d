// A catalog for tests with two plugins, one of which requires an option.
#pragma once

#include "config/validate.h"

namespace monitor::config {

class FakeCatalog final : public PluginCatalog {
 public:
  std::vector<std::string> plugin_names() const override { return {"deduplication", "filter"}; }
  std::optional<Problem> check_plugin(const std::string& name, const std::string& config) const override {
    if (name != "filter" || config != "{}") return std::nullopt;
    Problem problem;
    problem.path = "/keep";
    problem.message = "must have a pattern";
    return problem;
  }
};

}  // namespace monitor::config
