#include "config/validate.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/time_format.h"
#include "config/source.h"
#include "config/validator.h"

namespace monitor::config {

using nlohmann::json;

namespace {

constexpr size_t kMaxProblems = 50;
constexpr size_t kMaxGroups = 16;

}  // namespace

Validated Validator::run() {
  for (const Layer& layer : layers_) {
    if (!layer.document.value().is_object()) {
      problem("", "must be an object, as {\"interval\": 5}", layer.document.value());
      result_.problems.back().key = layer.key;
      result_.problems.back().line = 1;
      return std::move(result_);
    }
  }
  check_layers();
  const json merged = merge_layers(layers_);
  check_names(merged, "", field_names());
  for (const Setting& one : settings()) read(one, merged);
  warn_of_coarse_cpu();
  std::ranges::stable_sort(result_.problems, {}, &Problem::warning);  // errors first
  return std::move(result_);
}

Problem& Validator::problem(const std::string& path, std::string message, const json& got) {
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

void Validator::unknown(const std::string& path, std::string_view what, const std::string& name,
                        const std::vector<std::string>& known) {
  Problem& p = problem(path, fmt::format("unknown {}", what), name);
  p.known = nearest(name, known).value_or("");
  if (p.known.empty()) p.message += fmt::format(" (known: {})", join(known, ", "));
}

// Fields that only one kind of layer may set.
void Validator::check_layers() {
  for (const Layer& layer : layers_) {
    if (layer.own || !layer.document.contains("/groups")) continue;
    Problem& p = problem("/groups", "is allowed only in an agent's own document", layer.document.value().at("groups"));
    p.key = layer.key;
    p.line = layer.document.line("/groups");
  }
}

void Validator::check_names(const json& object, const std::string& path, const std::vector<std::string>& known) {
  for (const auto& [name, value] : object.items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      unknown(path + pointer_step(name), "field", name, known);
    }
  }
}

void Validator::read(const Setting& one, const json& merged) {
  const std::string path = "/" + std::string(one.name);
  json value = json::parse(one.default_value.empty() ? "null" : one.default_value);
  const size_t slash = one.name.find('/');
  const std::string top(one.name.substr(0, slash));
  if (merged.contains(top) && slash != std::string_view::npos) {
    const json& object = merged.at(top);
    const std::string name(one.name.substr(slash + 1));
    if (!object.is_object()) {
      if (field_names_of(top).front() == name) problem("/" + top, "must be an object", object);
      return;
    }
    if (field_names_of(top).front() == name) check_names(object, "/" + top, field_names_of(top));
    if (object.contains(name)) value = object.at(name);
  } else if (merged.contains(top)) {
    value = merged.at(top);
  }
  Settings& s = result_.settings;
  if (one.default_value.empty() && value.is_null()) return;
  if (one.name == "interval") s.interval_ns = duration(one, path, value).value_or(s.interval_ns);
  if (one.name == "send_every") s.send_every_ns = duration(one, path, value).value_or(s.send_every_ns);
  if (one.name == "metrics") read_metrics(path, value);
  if (one.name == "plugins") read_list(path, value, &Validator::read_plugin);
  if (one.name == "labels") read_labels(path, value);
  if (one.name == "groups") s.groups = texts(one, path, value, kMaxGroups, valid_name);
  if (one.name == "spool/max") s.spool_max_bytes = size(one, path, value);
  if (one.name == "log_level") {
    if (const auto level = choice(one, path, value)) s.log_level = parse_log_level(*level).value();
  }
  if (one.name == "spool/full") {
    if (const auto full = choice(one, path, value)) s.spool_drops_newest = *full == "drop-newest";
  }
}

void Validator::warn_of_coarse_cpu() {
  const Settings& s = result_.settings;
  for (size_t i = 0; i < s.metrics.size(); ++i) {
    const MetricSelection& metric = s.metrics[i];
    const int64_t interval = s.interval_of(metric);
    if (metric.name != "cpu" || interval >= kNanosPerSecond) continue;
    const std::string path = metric.interval_ns == 0 ? "/interval" : fmt::format("/metrics/{}/interval", i);
    Problem& p = problem(path, "the kernel counts processor time in steps of 10 ms, so cpu is coarse below 1 s",
                         format_duration(interval));
    p.warning = true;
  }
}

namespace {

// Names come from outside, with any content and length.
std::string printable(const std::string& path) {
  constexpr size_t kMost = 200;
  const std::string quoted = json_quote(sanitize_utf8(path.substr(0, kMost)));
  return quoted.substr(1, quoted.size() - 2) + (path.size() > kMost ? "..." : "");
}

}  // namespace

std::string shortened(const json& value) {
  constexpr size_t kMost = 80;
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > kMost) text = json_quote(sanitize_utf8(text.substr(0, kMost)) + "...");
  return text;
}

std::string Problem::to_string() const {
  std::string out = path.empty() ? "document" : printable(path);
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

std::vector<std::string> groups_of(const json& own_document) {
  std::vector<std::string> groups;
  if (!own_document.is_object() || !own_document.contains("groups") || !own_document.at("groups").is_array()) {
    return groups;
  }
  for (const json& group : own_document.at("groups")) {
    const bool usable = group.is_string() && valid_name(group.get_ref<const std::string&>());
    if (!usable || groups.size() == kMaxGroups) return {};
    const auto& name = group.get_ref<const std::string&>();
    if (std::find(groups.begin(), groups.end(), name) == groups.end()) groups.push_back(name);
  }
  return groups;
}

std::string plugin_short_name(std::string_view name) {
  constexpr std::string_view kPrefix = "agent.plugins.";
  if (!name.starts_with(kPrefix)) return std::string(name);
  const auto parts = split(name.substr(kPrefix.size()), '.');
  return parts.size() == 2 && !parts[0].empty() && !parts[1].empty() ? std::string(parts[0]) : std::string(name);
}

}  // namespace monitor::config
