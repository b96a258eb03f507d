#include "notify/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/disk.h"
#include "base/text.h"
#include "notify/config_parts.h"
#include "notify/secret_file.h"
#include "rules/yaml_fields.h"

namespace monitor::notify {

namespace {

using rules::Fault;
using rules::YamlFields;
using rules::YamlNode;
using rules::YamlPtr;

constexpr size_t kMaxNodes = 50'000;
constexpr int64_t kMaxIntervalMs = int64_t{366} * 24 * 3'600'000;

// What of a route is a reference, and where it is in the file.
struct Reference {
  rules::Place place;
  std::string name;
};

class ConfigParser {
 public:
  explicit ConfigParser(std::vector<Fault>& faults) : faults_(faults) {}

  Config parse(const YamlPtr& root) {
    Config config;
    YamlFields fields(root, "the configuration of notifications", faults_);
    if (!fields.is_map()) return config;
    const YamlPtr route = fields.take("route");
    if (route) {
      config.route = parse_route(route, nullptr, 0);
    } else {
      fields.fault(fields.place(), "there is no route; expected route: with a receiver");
    }
    for (const YamlPtr& node : fields.list("receivers")) {
      if (config.receivers.size() == kMaxReceivers) {
        fields.fault(node->place, fmt::format("there are more than {} receivers", kMaxReceivers));
        break;
      }
      config.receivers.push_back(parse_receiver(node, faults_));
      check_unique(receivers_, config.receivers.back().name, node, "receiver");
    }
    for (const YamlPtr& node : fields.list("inhibit_rules")) config.inhibit_rules.push_back(parse_inhibit(node));
    for (const YamlPtr& node : fields.list("time_intervals")) {
      config.time_intervals.push_back(parse_intervals(node, faults_));
      check_unique(intervals_, config.time_intervals.back().name, node, "time interval");
    }
    refuse_known_of_alertmanager(fields);
    fields.refuse_unknown();
    check_references();
    return config;
  }

 private:
  // Keys of Alertmanager's file that have no meaning here get a reason instead of "no key".
  static void refuse_known_of_alertmanager(YamlFields& fields) {
    const std::pair<const char*, const char*> keys[] = {
        {"global", "state the settings at each receiver; durations of retries are fixed"},
        {"templates", "messages have a fixed form; write what people must read into the rule's annotations"},
        {"mute_time_intervals", "name them in time_intervals, and use them in a route"},
    };
    for (const auto& [key, instead] : keys) {
      if (fields.take(key)) fields.fault(fields.place_of(key), fmt::format("{} is not supported: {}", key, instead));
    }
  }

  void check_unique(std::set<std::string>& seen, const std::string& name, const YamlPtr& node, const char* what) {
    if (!name.empty() && !seen.insert(name).second) {
      faults_.push_back({node->place, fmt::format("the {} {} is there twice", what, json_quote(name))});
    }
  }

  Route parse_route(const YamlPtr& node, const Route* parent, int depth) {
    Route route;
    if (parent != nullptr) {
      route = *parent;
      route.matchers.clear();
      route.routes.clear();
      route.proceed = false;
      route.mute_time_intervals.clear();
      route.active_time_intervals.clear();
    }
    YamlFields fields(node, "a route", faults_);
    if (!fields.is_map()) return route;
    if (++routes_ > kMaxRoutes || depth > kMaxRouteDepth) {
      fields.fault(node->place, routes_ > kMaxRoutes
                                    ? fmt::format("there are more than {} routes", kMaxRoutes)
                                    : fmt::format("routes are nested more than {} deep", kMaxRouteDepth));
      return route;
    }
    if (const auto receiver = fields.text("receiver")) route.receiver = *receiver;
    if (route.receiver.empty()) fields.fault(node->place, "the first route needs a receiver");
    used_receivers_.push_back({fields.place_of("receiver"), route.receiver});
    route.matchers = parse_matchers(fields, "matchers", faults_);
    refuse_old_matchers(fields);
    parse_grouping(fields, route);
    route.proceed = fields.boolean("continue").value_or(false);
    route.mute_time_intervals = interval_names(fields, "mute_time_intervals");
    route.active_time_intervals = interval_names(fields, "active_time_intervals");
    if (parent == nullptr) check_first(fields, route);
    route.key = (parent == nullptr ? "" : parent->key + "/") + to_string(route.matchers);
    // Apart, because each child begins as a copy of its parent.
    std::vector<Route> children;
    for (const YamlPtr& child : fields.list("routes")) children.push_back(parse_route(child, &route, depth + 1));
    route.routes = std::move(children);
    fields.refuse_unknown();
    return route;
  }

  static void check_first(YamlFields& fields, const Route& route) {
    if (!route.matchers.empty()) {
      fields.fault(fields.place_of("matchers"),
                   "the first route takes every alert and has no matchers; put them into its routes");
    }
    if (route.proceed)
      fields.fault(fields.place_of("continue"), "the first route has no continue: no route follows it");
    if (!route.mute_time_intervals.empty() || !route.active_time_intervals.empty()) {
      fields.fault(fields.place(), "the first route has no time intervals; put them into its routes");
    }
  }

  static void refuse_old_matchers(YamlFields& fields) {
    for (const char* const key : {"match", "match_re"}) {
      if (fields.take(key)) {
        fields.fault(fields.place_of(key),
                     fmt::format("{} is not supported; write matchers: [ 'LABEL=\"VALUE\"' ]", key));
      }
    }
  }

  void parse_grouping(YamlFields& fields, Route& route) {
    const auto labels = fields.list("group_by");
    if (!labels.empty() || fields.take("group_by")) {
      route.group_by.clear();
      route.group_by_all = false;
    }
    for (const YamlPtr& label : labels) {
      if (label->kind == YamlNode::Kind::kScalar && label->text == "..." && labels.size() == 1) {
        route.group_by_all = true;
      } else if (label->kind != YamlNode::Kind::kScalar || label->text.empty() || label->text == "...") {
        fields.fault(label->place, "group_by: expected names of labels, or '...' alone");
      } else if (std::ranges::find(route.group_by, label->text) != route.group_by.end()) {
        fields.fault(label->place, fmt::format("group_by: the label {} is there twice", json_quote(label->text)));
      } else {
        route.group_by.push_back(label->text);
      }
    }
    duration(fields, "group_wait", 0, route.group_wait_ms);
    duration(fields, "group_interval", 1, route.group_interval_ms);
    duration(fields, "repeat_interval", 1, route.repeat_interval_ms);
  }

  static void duration(YamlFields& fields, const char* key, int64_t least, int64_t& into) {
    const auto got = fields.duration_ms(key);
    if (!got) return;
    if (*got < least || *got > kMaxIntervalMs) {
      fields.fault(fields.place_of(key),
                   fmt::format("{}: expected a duration {}and at most 366d", key, least > 0 ? "above 0 " : ""));
      return;
    }
    into = *got;
  }

  std::vector<std::string> interval_names(YamlFields& fields, const char* key) {
    std::vector<std::string> names;
    for (const YamlPtr& item : fields.list(key)) {
      if (item->kind != YamlNode::Kind::kScalar || item->text.empty()) {
        fields.fault(item->place, fmt::format("{}: expected the name of a time interval", key));
        continue;
      }
      used_intervals_.push_back({item->place, item->text});
      names.push_back(item->text);
    }
    return names;
  }

  InhibitRule parse_inhibit(const YamlPtr& node) {
    InhibitRule rule;
    YamlFields fields(node, "an inhibit rule", faults_);
    if (!fields.is_map()) return rule;
    rule.source = parse_matchers(fields, "source_matchers", faults_);
    rule.target = parse_matchers(fields, "target_matchers", faults_);
    for (const char* const key : {"source_match", "source_match_re", "target_match", "target_match_re"}) {
      if (fields.take(key)) {
        fields.fault(fields.place_of(key),
                     fmt::format("{} is not supported; write source_matchers and target_matchers", key));
      }
    }
    if (rule.source.empty() || rule.target.empty()) {
      fields.fault(node->place, "an inhibit rule needs source_matchers and target_matchers");
    }
    for (const YamlPtr& label : fields.list("equal")) {
      if (label->kind == YamlNode::Kind::kScalar && !label->text.empty()) {
        rule.equal.push_back(label->text);
      } else {
        fields.fault(label->place, "equal: expected the name of a label");
      }
    }
    fields.refuse_unknown();
    return rule;
  }

  void check_references() {
    for (const Reference& used : used_receivers_) check_name(used, receivers_, "receiver");
    for (const Reference& used : used_intervals_) check_name(used, intervals_, "time interval");
  }

  void check_name(const Reference& used, const std::set<std::string>& known, const char* what) {
    if (used.name.empty() || known.contains(used.name)) return;
    const std::vector<std::string> names(known.begin(), known.end());
    const auto similar = nearest(used.name, names);
    faults_.push_back({used.place, fmt::format("there is no {} {}{}", what, json_quote(used.name.substr(0, 80)),
                                               similar ? "; did you mean " + *similar + "?" : "")});
  }

  std::vector<Fault>& faults_;
  size_t routes_ = 0;
  std::set<std::string> receivers_;
  std::set<std::string> intervals_;
  std::vector<Reference> used_receivers_;
  std::vector<Reference> used_intervals_;
};

void add_routes(const Route& route, const query::Labels& labels, std::vector<const Route*>& found) {
  const size_t before = found.size();
  for (const Route& child : route.routes) {
    if (!matches_all(child.matchers, labels)) continue;
    add_routes(child, labels, found);
    if (!child.proceed) break;
  }
  if (found.size() == before) found.push_back(&route);
}

}  // namespace

const Receiver* Config::receiver(std::string_view name) const {
  const auto found = std::ranges::find(receivers, name, &Receiver::name);
  return found == receivers.end() ? nullptr : &*found;
}

const NamedIntervals* Config::intervals(std::string_view name) const {
  const auto found = std::ranges::find(time_intervals, name, &NamedIntervals::name);
  return found == time_intervals.end() ? nullptr : &*found;
}

std::vector<const Route*> Config::routes_of(const query::Labels& labels) const {
  std::vector<const Route*> found;
  add_routes(route, labels, found);
  return found;
}

ParsedConfig parse_config(std::string_view text) {
  ParsedConfig parsed;
  auto document = rules::parse_yaml(text, {.bytes = kMaxConfigBytes, .depth = 64, .nodes = kMaxNodes});
  parsed.faults = std::move(document.faults);
  if (!parsed.faults.empty()) return parsed;
  if (!document.root) {
    parsed.faults.push_back({{}, "the file is empty; expected route: and receivers:"});
    return parsed;
  }
  parsed.config = ConfigParser(parsed.faults).parse(document.root);
  std::ranges::stable_sort(parsed.faults, {},
                           [](const Fault& one) { return std::pair(one.place.line, one.place.column); });
  if (parsed.faults.size() > kMaxFaults) parsed.faults.resize(kMaxFaults);
  return parsed;
}

Result<Config> load_config(const std::string& path) {
  PosixDisk disk;
  const auto text = disk.read_file(path, kMaxConfigBytes);
  if (!text) return text.error();
  return check_config(path, *text);
}

Result<Config> check_config(const std::string& path, std::string_view text) {
  ParsedConfig parsed = parse_config(text);
  if (parsed.faults.empty()) return std::move(parsed.config);
  std::string lines;
  for (const Fault& fault : parsed.faults) {
    lines += (lines.empty() ? "" : "\n") + path + ":" + fault.to_string();
  }
  return Error(Code::kInvalidArgument, lines);
}

Status check_files(const Config& config) {
  std::string lines;
  for (const Receiver& receiver : config.receivers) {
    for (const Integration& one : receiver.integrations) {
      for (const auto& [key, path] : secret_files_of(one)) {
        const auto secret = read_secret(path, key);
        if (secret) continue;
        lines += fmt::format("{}receiver {}, {}: {}", lines.empty() ? "" : "\n", receiver.name, one.name,
                             secret.error().message());
      }
    }
  }
  return lines.empty() ? Status() : Error(Code::kFailedPrecondition, lines);
}

}  // namespace monitor::notify
