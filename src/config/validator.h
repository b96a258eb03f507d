// Validator: the shared part of validation, internal to this folder. It walks the merged document once, fills in the
// settings, and records every error with its place.
#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/schema.h"
#include "config/validate.h"

namespace monitor::config {

class Validator {
 public:
  Validator(const std::vector<Layer>& layers, const PluginCatalog& plugins) : layers_(layers), plugins_(plugins) {}
  Validated run();

 private:
  using Json = nlohmann::json;

  // Reporting (validate.cc).
  Problem& problem(const std::string& path, std::string message, const Json& got);
  void unknown(const std::string& path, std::string_view what, const std::string& name,
               const std::vector<std::string>& known);
  void check_layers();
  void check_names(const Json& object, const std::string& path, const std::vector<std::string>& known);
  void read(const Setting& one, const Json& merged);
  void warn_of_coarse_cpu();

  // Read values of one kind each (validate_values.cc). They return nothing after reporting an error.
  static std::string expected(const Setting& one);
  std::optional<int64_t> duration(const Setting& one, const std::string& path, const Json& value);
  std::optional<uint64_t> size(const Setting& one, const std::string& path, const Json& value);
  std::optional<std::string> choice(const Setting& one, const std::string& path, const Json& value);
  std::optional<double> number(const Setting& one, const std::string& path, const Json& value);
  std::optional<bool> boolean(const std::string& path, const Json& value);
  std::vector<std::string> texts(const Setting& one, const std::string& path, const Json& value, size_t most,
                                 bool (*valid)(std::string_view));
  void read_labels(const std::string& path, const Json& value);

  // Lists of entries (validate_entries.cc).
  void read_list(const std::string& path, const Json& value, void (Validator::*item)(const std::string&, const Json&));
  std::optional<std::string> entry_name(const std::string& path, const Json& value, std::string_view what);
  void read_metrics(const std::string& path, const Json& value);
  void read_metric(const std::string& path, const Json& value);
  void read_metric_option(const std::string& path, const std::string& name, const Json& value,
                          MetricSelection& selection);
  void read_plugin(const std::string& path, const Json& value);
  bool know_plugin(const std::string& path, const std::string& given, PluginEntry& entry);
  bool read_plugin_fields(const std::string& path, const Json& value, PluginEntry& entry);

  const std::vector<Layer>& layers_;
  const PluginCatalog& plugins_;
  Validated result_;
  Problem scratch_;  // receives problems beyond the limit
};

}  // namespace monitor::config
