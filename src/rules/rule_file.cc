#include "rules/rule_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "base/text.h"
#include "query/duration.h"
#include "query/parser.h"
#include "rules/scalar_place.h"
#include "rules/yaml_fields.h"

namespace monitor::rules {

namespace {

constexpr int64_t kLeastIntervalMs = 100;
constexpr int64_t kMostDurationMs = int64_t{10} * 365 * 86'400'000;  // so that sums with a time do not overflow
constexpr size_t kMostFaults = 100;
// Aliases count each time that they are used. A file without any has less.
constexpr size_t kMostTextBytes = size_t{32} << 20;
constexpr size_t kEntryBytes = 16;  // beside its texts

bool with_dots(std::string_view name, bool (*plain)(std::string_view)) {
  std::string undotted(name);
  std::ranges::replace(undotted, '.', '_');
  return plain(undotted);
}

class FileReader {
 public:
  FileReader(std::string_view text, const std::string& file) : text_(text), file_name_(file) {}

  RuleFile run() {
    YamlDocument document = parse_yaml(text_);
    file_.faults = std::move(document.faults);
    if (!file_.faults.empty() || !document.root || document.root->kind == YamlNode::Kind::kNull)
      return std::move(file_);
    YamlFields top(document.root, "the file", file_.faults);
    for (const YamlPtr& node : top.list("groups")) {
      if (full()) break;
      group(node);
    }
    top.refuse_unknown();
    if (!file_.faults.empty()) file_.groups.clear();
    if (file_.faults.size() > kMostFaults) file_.faults.resize(kMostFaults);
    return std::move(file_);
  }

 private:
  bool full() const { return file_.faults.size() >= kMostFaults || rules_ > kMaxRules || text_bytes_ > kMostTextBytes; }

  int64_t bounded_duration(YamlFields& fields, std::string_view key) {
    const int64_t ms = fields.duration_ms(key).value_or(0);
    if (ms <= kMostDurationMs) return ms;
    fields.fault(fields.place_of(key),
                 fmt::format("{}: got {}, expected at most 10y", key, query::format_duration_ms(ms)));
    return 0;
  }

  void group(const YamlPtr& node) {
    YamlFields fields(node, "a group", file_.faults);
    if (!fields.is_map()) return;
    Group group{.file = file_name_, .place = fields.place()};
    group.name = fields.text("name").value_or("");
    if (group.name.empty()) fields.fault(fields.place_of("name"), "name: a group must have a name");
    if (!group.name.empty() && !names_.insert(group.name).second) {
      fields.fault(fields.place_of("name"),
                   fmt::format("name: the file has two groups {}; names must be unique", json_quote(group.name)));
    }
    group.interval_ms = bounded_duration(fields, "interval");
    if (group.interval_ms != 0 && group.interval_ms < kLeastIntervalMs) {
      fields.fault(fields.place_of("interval"), fmt::format("interval: expected at least {} ms", kLeastIntervalMs));
    }
    group.limit = static_cast<size_t>(fields.integer("limit", 0, std::numeric_limits<int32_t>::max()).value_or(0));
    group.query_offset_ms = bounded_duration(fields, "query_offset");
    group.eval_delay_ms = bounded_duration(fields, "eval_delay");
    const auto shared = fields.texts("labels");
    for (const auto& one : shared) group.labels.emplace_back(one.key, one.value);
    for (const YamlPtr& one : fields.list("rules")) {
      if (++rules_ > kMaxRules) {
        fields.fault(fields.place(), fmt::format("the file has more than {} rules", kMaxRules));
        break;
      }
      if (full()) break;
      rule(one, shared, group);
      if (text_bytes_ > kMostTextBytes) {
        fields.fault(fields.place(),
                     fmt::format("the rules have more than {} MiB of text, with their aliases", kMostTextBytes >> 20U));
        break;
      }
    }
    fields.refuse_unknown();
    file_.groups.push_back(std::move(group));
  }

  void rule(const YamlPtr& node, const std::vector<YamlFields::Entry>& shared, Group& group) {
    YamlFields fields(node, "a rule", file_.faults);
    if (!fields.is_map()) return;
    Rule rule{.place = fields.place()};
    const auto record = fields.text("record");
    const auto alert = fields.text("alert");
    if (record && alert) fields.fault(fields.place(), "a rule has either record or alert, and not both");
    if (record.value_or("").empty() && alert.value_or("").empty()) {
      fields.fault(fields.place(), "a rule must have alert or record, which names it");
    }
    rule.alerting = alert.has_value();
    rule.name = rule.alerting ? *alert : record.value_or("");
    if (record && !record->empty() && !with_dots(*record, query::plain_metric_name)) {
      fields.fault(
          fields.place_of("record"),
          fmt::format("record: got {}, expected a metric's name: letters, digits, _ : and .", json_quote(*record)));
    }
    expression(fields, rule);
    rule.for_ms = bounded_duration(fields, "for");
    rule.keep_firing_for_ms = bounded_duration(fields, "keep_firing_for");
    labels(fields, shared, rule);
    const auto annotations = fields.texts("annotations");
    for (const auto& one : annotations) add_templated(fields, "annotations", one, true, rule.annotations);
    if (!rule.alerting) refuse_alerts_fields(fields, !annotations.empty());
    fields.refuse_unknown();
    std::ranges::sort(rule.annotations, {}, &TemplatedText::name);
    group.rules.push_back(std::move(rule));
  }

  static void refuse_alerts_fields(YamlFields& fields, bool annotations) {
    for (const char* const key : {"for", "keep_firing_for"}) {
      if (fields.take(key))
        fields.fault(fields.place_of(key), fmt::format("{}: only a rule with alert may have it", key));
    }
    if (annotations) {
      fields.fault(fields.place_of("annotations"), "annotations: only a rule with alert may have them");
    }
  }

  void expression(YamlFields& fields, Rule& rule) {
    const YamlPtr node = fields.take("expr");
    rule.expression_text = fields.text("expr").value_or("");
    text_bytes_ += rule.expression_text.size();
    if (!node || rule.expression_text.empty()) {
      fields.fault(fields.place_of("expr"), "expr: a rule must have an expression");
      return;
    }
    rule.expression_place = place_in_scalar(text_, *node, {});
    rule.expression_scalar = node->place;
    auto parsed = query::parse(rule.expression_text);
    if (!parsed) {
      add_inner_fault("expr", *node, parsed.error());
      return;
    }
    const query::ValueType type = (*parsed)->type;
    if (type != query::ValueType::kVector && type != query::ValueType::kScalar) {
      fields.fault(node->place, fmt::format("expr: got {}, expected an instant vector or a scalar", type_name(type)));
      return;
    }
    rule.expression = std::move(*parsed);
  }

  // `error` begins with its place within the text of the scalar.
  void add_inner_fault(const std::string& what, const YamlNode& node, const Error& error) {
    const InnerPlace inner = split_place(error.message());
    const Place place = place_in_scalar(text_, node, inner.place);
    file_.faults.push_back(
        {place, fmt::format("{}: at {}:{}: {}", what, inner.place.line, inner.place.column, inner.text)});
  }

  void labels(YamlFields& fields, const std::vector<YamlFields::Entry>& shared, Rule& rule) {
    std::map<std::string, YamlFields::Entry> all;
    for (const auto& one : shared) all[one.key] = one;
    for (const auto& one : fields.texts("labels")) all[one.key] = one;
    for (const auto& [name, one] : all) {
      if (!with_dots(name, query::plain_label_name) || name == query::kNameLabel) {
        fields.fault(one.key_place, fmt::format("labels: got {}, expected a label's name: letters, digits, _ and .",
                                                json_quote(name)));
        continue;
      }
      if (rule.alerting && name == "alertname") {
        fields.fault(one.key_place, "labels: alertname is the name of the rule and cannot be set");
        continue;
      }
      add_templated(fields, "labels", one, rule.alerting, rule.labels);
    }
  }

  void add_templated(YamlFields& fields, const std::string& what, const YamlFields::Entry& one, bool templated,
                     std::vector<TemplatedText>& out) {
    text_bytes_ += one.key.size() + one.value.size() + kEntryBytes;
    if (text_bytes_ > kMostTextBytes) return;
    if (what == "annotations" && !with_dots(one.key, query::plain_label_name)) {
      fields.fault(one.key_place, fmt::format("annotations: got {}, expected a name of letters, digits, _ and .",
                                              json_quote(one.key)));
      return;
    }
    auto parsed = Template::parse(templated ? std::string_view(one.value) : std::string_view());
    if (!parsed) {
      const YamlNode node{.kind = YamlNode::Kind::kScalar, .place = one.value_place, .text = one.value};
      add_inner_fault(fmt::format("{}: {}: the template", what, one.key), node, parsed.error());
      return;
    }
    out.push_back({one.key, templated ? std::make_shared<const Template>(std::move(*parsed))
                                      : std::make_shared<const Template>(Template::literal(one.value))});
  }

  std::string_view text_;
  const std::string& file_name_;
  RuleFile file_;
  std::set<std::string> names_;
  size_t rules_ = 0;
  size_t text_bytes_ = 0;
};

}  // namespace

size_t RuleFile::rules() const {
  size_t count = 0;
  for (const Group& group : groups) count += group.rules.size();
  return count;
}

std::string RuleFile::fault_text(std::string_view file) const {
  std::string text;
  for (const Fault& fault : faults) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : "\n", sanitize_utf8(file), fault.to_string());
  }
  return text;
}

RuleFile parse_rule_file(std::string_view text, const std::string& file) { return FileReader(text, file).run(); }

}  // namespace monitor::rules
