#include "config/validate.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/text.h"
#include "base/time_format.h"
#include "config/schema.h"

namespace monitor::config {

namespace {

using nlohmann::json;

constexpr size_t kMaxPlugins = 32;
constexpr size_t kMaxLabels = 32;
constexpr size_t kMaxLabelKey = 256;
constexpr size_t kMaxLabelValue = 1024;
constexpr size_t kMaxProblems = 50;

template <typename Table>
std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names;
  for (const auto& one : table) names.emplace_back(one.name);
  return names;
}

class Validator {
 public:
  Validator(const std::vector<Layer>& layers, const PluginCatalog& plugins) : layers_(layers), plugins_(plugins) {}

  Validated run() {
    for (const Layer& layer : layers_) {
      if (!layer.document.value().is_object()) {
        problem("", "must be an object, as {\"interval\": 5}", layer.document.value());
        result_.problems.back().key = layer.key;
        result_.problems.back().line = 1;
        return std::move(result_);
      }
    }
    const json merged = merge_layers(layers_);
    check_names(merged);
    for (const Setting& one : settings()) {
      const std::string name(one.name);
      const bool given = merged.contains(name);
      read(one, "/" + name, given ? merged.at(name) : json::parse(one.default_value));
    }
    warn_of_coarse_cpu();
    std::ranges::stable_sort(result_.problems, {}, &Problem::warning);  // faults first
    return std::move(result_);
  }

 private:
  Problem& problem(const std::string& path, std::string message, const json& got) {
    if (result_.problems.size() >= kMaxProblems) return scratch_;
    Problem p;
    p.path = path;
    p.message = std::move(message);
    p.got = shortened(got);
    if (const Layer* const origin = origin_of(layers_, path)) {
      p.key = origin->key;
      p.line = origin->document.line(path);
    }
    return result_.problems.emplace_back(std::move(p));
  }

  void unknown(const std::string& path, std::string_view what, const std::string& name,
               const std::vector<std::string>& known) {
    Problem& p = problem(path, fmt::format("unknown {}", what), name);
    p.known = nearest(name, known).value_or("");
    if (p.known.empty()) p.message += fmt::format(" (known: {})", join(known, ", "));
  }

  void check_names(const json& merged) {
    const std::vector<std::string> known = names_of(settings());
    for (const auto& [name, value] : merged.items()) {
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        unknown(pointer_step(name), "field", name, known);
      }
    }
  }

  void read(const Setting& one, const std::string& path, const json& value) {
    Settings& s = result_.settings;
    switch (one.type) {
      case SettingType::kDuration:
        read_duration(one, path, value, one.name == "interval" ? s.interval_ns : s.send_every_ns);
        break;
      case SettingType::kMetrics:
        read_list(path, value, &Validator::read_metric);
        break;
      case SettingType::kPlugins:
        read_list(path, value, &Validator::read_plugin);
        if (s.plugins.size() > kMaxPlugins) {
          problem(path, fmt::format("has {} plugins, the limit is {}", s.plugins.size(), kMaxPlugins), value);
        }
        break;
      case SettingType::kLabels:
        read_labels(path, value);
        break;
    }
  }

  void read_duration(const Setting& one, const std::string& path, const json& value, int64_t& out) {
    const auto expected = [&] {
      return fmt::format("must be {} (in {} as a number, or with a unit)", one.bounds, one.unit);
    };
    double ns = 0;
    if (value.is_number()) {
      ns = value.get<double>() * static_cast<double>(kNanosPerSecond);
    } else if (value.is_string()) {
      const auto parsed = parse_duration(value.get<std::string>());
      if (!parsed) {
        problem(path, expected(), value);
        return;
      }
      ns = static_cast<double>(*parsed);
    } else {
      problem(path, expected(), value);
      return;
    }
    if (!(ns >= static_cast<double>(one.min) && ns <= static_cast<double>(one.max))) {
      problem(path, expected(), value);
      return;
    }
    out = std::llround(ns);
  }

  void read_list(const std::string& path, const json& value, void (Validator::*item)(const std::string&, const json&)) {
    if (!value.is_array()) {
      problem(path, "must be a list, as [\"cpu\"]", value);
      return;
    }
    for (size_t i = 0; i < value.size() && result_.problems.size() < kMaxProblems; ++i) {
      (this->*item)(fmt::format("{}/{}", path, i), value[i]);
    }
  }

  // The name of an entry that is a text or an object with "name"; nothing after reporting what is wrong.
  std::optional<std::string> entry_name(const std::string& path, const json& value, std::string_view what) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_object() && value.contains("name") && value.at("name").is_string()) {
      return value.at("name").get<std::string>();
    }
    problem(path, fmt::format("must be the name of a {}, or an object with \"name\"", what), value);
    return std::nullopt;
  }

  void read_metric(const std::string& path, const json& value) {
    const auto name = entry_name(path, value, "metric");
    if (!name) return;
    const std::vector<std::string> known = names_of(selectors());
    if (std::find(known.begin(), known.end(), *name) == known.end()) {
      unknown(value.is_object() ? path + "/name" : path, "metric", *name, known);
      return;
    }
    for (const MetricSelection& other : result_.settings.metrics) {
      if (other.name == *name) {
        problem(path, "metric is listed twice", value);
        return;
      }
    }
    MetricSelection selection;
    selection.name = *name;
    if (value.is_object()) {
      for (const auto& [option, on] : value.items()) {
        if (option != "name") read_metric_option(path + pointer_step(option), option, on, selection);
      }
    }
    result_.settings.metrics.push_back(std::move(selection));
  }

  void read_metric_option(const std::string& path, const std::string& name, const json& value,
                          MetricSelection& selection) {
    std::vector<std::string> known = {"name"};
    bool applies = false;
    for (const MetricOption& option : metric_options()) {
      const bool here =
          std::find(option.selectors.begin(), option.selectors.end(), selection.name) != option.selectors.end();
      if (here) known.emplace_back(option.name);
      applies = applies || (here && option.name == name);
    }
    if (!applies) {
      unknown(path, fmt::format("option of \"{}\"", selection.name), name, known);
      return;
    }
    if (!value.is_boolean()) {
      problem(path, "must be true or false", value);
      return;
    }
    const bool on = value.get<bool>();
    if (name == "per_core") selection.per_core = on;
    if (name == "modes") selection.modes = on;
    if (name == "per_device") selection.per_device = on;
    if (name == "per_interface") selection.per_interface = on;
    if (name == "per_filesystem") selection.per_filesystem = on;
    if (name == "counters") selection.counters = on;
  }

  void read_plugin(const std::string& path, const json& value) {
    const auto given = entry_name(path, value, "plugin");
    if (!given) return;
    PluginEntry entry;
    entry.name = plugin_short_name(*given);
    const std::vector<std::string> known = plugins_.plugin_names();
    if (std::find(known.begin(), known.end(), entry.name) == known.end()) {
      unknown(value.is_object() ? path + "/name" : path, "plugin", *given, known);
      return;
    }
    if (value.is_object()) {
      for (const auto& [field, content] : value.items()) {
        if (field == "name") continue;
        if (field != "config") {
          unknown(path + pointer_step(field), "field of a plugin", field, {"name", "config"});
          return;
        }
        if (!content.is_object()) {
          problem(path + "/config", "must be an object", content);
          return;
        }
        entry.config = content.dump();
      }
    }
    if (auto fault = plugins_.check_plugin(entry.name, entry.config)) {
      Problem& p =
          problem(path + "/config" + fault->path, fmt::format("plugin {}: {}", entry.name, fault->message), nullptr);
      p.got = fault->got;
      p.known = fault->known;
      return;
    }
    result_.settings.plugins.push_back(std::move(entry));
  }

  void read_labels(const std::string& path, const json& value) {
    if (!value.is_object()) {
      problem(path, "must be an object of texts", value);
      return;
    }
    if (value.size() > kMaxLabels) {
      problem(path, fmt::format("has {} labels, the limit is {}", value.size(), kMaxLabels), value);
      return;
    }
    for (const auto& [key, text] : value.items()) {
      const std::string at = path + pointer_step(key);
      if (key.empty() || key.size() > kMaxLabelKey) {
        problem(at, fmt::format("label's name has {} bytes, the limits are 1 and {}", key.size(), kMaxLabelKey), key);
      } else if (!text.is_string()) {
        problem(at, "must be a text", text);
      } else if (text.get_ref<const std::string&>().size() > kMaxLabelValue) {
        problem(at,
                fmt::format("has {} bytes, the limit is {}", text.get_ref<const std::string&>().size(), kMaxLabelValue),
                text);
      } else {
        metrics::set_label(result_.settings.labels, key, text.get<std::string>());
      }
    }
  }

  void warn_of_coarse_cpu() {
    const Settings& s = result_.settings;
    if (s.interval_ns >= kNanosPerSecond) return;
    for (const MetricSelection& metric : s.metrics) {
      if (metric.name != "cpu") continue;
      Problem& p = problem("/interval", "the kernel counts processor time in steps of 10 ms: cpu below 1 s is coarse",
                           format_duration(s.interval_ns));
      p.warning = true;
    }
  }

  const std::vector<Layer>& layers_;
  const PluginCatalog& plugins_;
  Validated result_;
  Problem scratch_;  // takes what is beyond kMaxProblems
};

}  // namespace

std::string shortened(const json& value) {
  constexpr size_t kMost = 80;
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > kMost) text = json_quote(sanitize_utf8(text.substr(0, kMost)) + "...");
  return text;
}

std::string Problem::to_string() const {
  std::string out = path.empty() ? "document" : path;
  if (!key.empty()) out = key + ": " + out;
  if (line > 0) out += fmt::format(", line {}", line);
  out += fmt::format(": {}", message);
  if (!got.empty()) out += fmt::format("; got {}", got);
  if (!known.empty()) out += fmt::format("; did you mean \"{}\"?", known);
  return out;
}

Validated validate(const std::vector<Layer>& layers, const PluginCatalog& plugins) {
  return Validator(layers, plugins).run();
}

std::string plugin_short_name(std::string_view name) {
  constexpr std::string_view kPrefix = "agent.plugins.";
  if (!name.starts_with(kPrefix)) return std::string(name);
  const auto parts = split(name.substr(kPrefix.size()), '.');
  return parts.size() == 2 && !parts[0].empty() && !parts[1].empty() ? std::string(parts[0]) : std::string(name);
}

}  // namespace monitor::config
