#include "rules/template.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/size_format.h"
#include "base/text.h"
#include "rules/template_tree.h"

namespace monitor::rules {

namespace templates {

namespace {

// Bounds on one expansion, so that no template can hold up an evaluation.
constexpr size_t kMaxSteps = 100'000;
constexpr int kMaxCalls = 50;

Error error_at(const Place& place, const std::string& text) {
  return {Code::kInvalidArgument, fmt::format("{}:{}: {}", place.line, place.column, text)};
}

// Runs one expansion.
class Run {
 public:
  Run(const Tree& tree, const TemplateContext& context) : tree_(tree), context_(context) {}

  Result<std::string> expand() {
    static const query::Labels kNone;
    TemplateMap root{.kind = TemplateMap::Kind::kFields, .values = {}};
    root.values["Labels"] = labels_value(context_.labels != nullptr ? *context_.labels : kNone);
    root.values["ExternalLabels"] =
        labels_value(context_.external_labels != nullptr ? *context_.external_labels : kNone);
    root.values["ExternalURL"] = {std::string(context_.external_url)};
    root.values["Value"] = {context_.value};
    variables_ = {{"$labels", root.values["Labels"]},
                  {"$externalLabels", root.values["ExternalLabels"]},
                  {"$externalURL", root.values["ExternalURL"]},
                  {"$value", root.values["Value"]}};
    if (context_.fields != nullptr) {
      for (const auto& [name, value] : context_.fields->values) root.values.insert_or_assign(name, value);
    }
    const TemplateValue dot{std::make_shared<const TemplateMap>(std::move(root))};
    variables_.emplace_back("$", dot);
    auto flow = run(tree_.main, dot);
    if (!flow) return flow.error();
    return std::move(out_);
  }

 private:
  enum class Flow : uint8_t { kOn, kBreak, kContinue };

  Status spend(const Place& place) {
    if (++steps_ > kMaxSteps) return error_at(place, fmt::format("the template takes more than {} steps", kMaxSteps));
    return {};
  }

  Status print(const Place& place, std::string_view text) {
    if (out_.size() + text.size() > kMaxExpandedBytes) {
      return error_at(place, fmt::format("the text becomes longer than {}", format_size(kMaxExpandedBytes)));
    }
    out_ += text;
    return {};
  }

  Result<Flow> run(const Block& block, const TemplateValue& dot) {
    for (const Statement& one : block) {
      if (auto status = spend(one.place); !status) return status.error();
      auto flow = run(one, dot);
      if (!flow || *flow != Flow::kOn) return flow;
    }
    return Flow::kOn;
  }

  Result<Flow> run(const Statement& one, const TemplateValue& dot) {
    switch (one.kind) {
      case Statement::Kind::kText:
        if (auto status = print(one.place, one.text); !status) return status.error();
        return Flow::kOn;
      case Statement::Kind::kBreak:
        return Flow::kBreak;
      case Statement::Kind::kContinue:
        return Flow::kContinue;
      case Statement::Kind::kTemplate:
        return call(one, dot);
      case Statement::Kind::kRange:
        return range(one, dot);
      case Statement::Kind::kPrint: {
        const auto value = evaluate(one.pipeline, dot);
        if (!value) return value.error();
        if (!one.pipeline.variables.empty()) return Flow::kOn;
        if (auto status = print(one.place, value->text()); !status) return status.error();
        return Flow::kOn;
      }
      case Statement::Kind::kIf:
      case Statement::Kind::kWith:
        break;
    }
    const size_t scope = variables_.size();
    const auto value = evaluate(one.pipeline, dot);
    if (!value) return value.error();
    const bool with = one.kind == Statement::Kind::kWith;
    auto flow = value->truth() ? run(one.body, with ? *value : dot) : run(one.otherwise, dot);
    variables_.resize(scope);
    return flow;
  }

  Result<Flow> call(const Statement& one, const TemplateValue& dot) {
    if (++calls_ > kMaxCalls) {
      return error_at(one.place, fmt::format("templates call one another more than {} deep", kMaxCalls));
    }
    TemplateValue argument;
    if (!one.pipeline.commands.empty()) {
      auto value = evaluate(one.pipeline, dot);
      if (!value) return value.error();
      argument = std::move(*value);
    }
    Variables outer = std::exchange(variables_, {{"$", argument}});
    auto flow = run(tree_.defined.find(one.text)->second, argument);
    variables_ = std::move(outer);
    --calls_;
    return flow;
  }

  Result<Flow> range(const Statement& one, const TemplateValue& dot) {
    const size_t scope = variables_.size();
    const auto value = evaluate(one.pipeline, dot, /*for_range=*/true);
    if (!value) return value.error();
    std::vector<std::pair<TemplateValue, TemplateValue>> items;
    if (const auto* const list = std::get_if<TemplateValue::List>(&value->data)) {
      for (size_t i = 0; i < (*list)->size(); ++i)
        items.emplace_back(TemplateValue{static_cast<int64_t>(i)}, (**list)[i]);
    } else if (const auto* const map = std::get_if<TemplateValue::Map>(&value->data);
               map != nullptr && (*map)->kind != TemplateMap::Kind::kFields) {
      for (const auto& [name, item] : (*map)->values) items.emplace_back(TemplateValue{name}, item);
    } else if (!value->is_nothing()) {
      return error_at(one.place, fmt::format("range can't iterate over {}", value->type_name()));
    }
    if (items.empty()) {
      auto flow = run(one.otherwise, dot);
      variables_.resize(scope);
      return flow;
    }
    for (const auto& [index, item] : items) {
      variables_.resize(scope);
      const std::vector<std::string>& names = one.pipeline.variables;
      if (names.size() == 1) set(one.pipeline, names[0], item);
      if (names.size() == 2) set(one.pipeline, names[0], index), set(one.pipeline, names[1], item);
      auto flow = run(one.body, item);
      if (!flow) return flow;
      if (*flow == Flow::kBreak) break;
    }
    variables_.resize(scope);
    return Flow::kOn;
  }

  void set(const Pipeline& pipeline, const std::string& name, const TemplateValue& value) {
    if (!pipeline.declares) {
      for (auto it = variables_.rbegin(); it != variables_.rend(); ++it) {
        if (it->first != name) continue;
        it->second = value;
        return;
      }
    }
    variables_.emplace_back(name, value);
  }

  Result<TemplateValue> evaluate(const Pipeline& pipeline, const TemplateValue& dot, bool for_range = false) {
    std::optional<TemplateValue> last;
    for (const Command& command : pipeline.commands) {
      auto value = evaluate(command, dot, last);
      if (!value) return value;
      last = std::move(*value);
    }
    if (!for_range) {
      for (const std::string& name : pipeline.variables) set(pipeline, name, *last);
    }
    return *last;
  }

  Result<TemplateValue> evaluate(const Command& command, const TemplateValue& dot,
                                 const std::optional<TemplateValue>& piped) {
    const Operand& first = command.operands.front();
    if (auto status = spend(first.place); !status) return status.error();
    if (first.kind != Operand::Kind::kFunction) return value_of(first, dot);
    std::vector<TemplateValue> arguments;
    // "and" and "or" look at no more arguments than they need.
    const bool lazy = first.function->name == "and" || first.function->name == "or";
    for (size_t i = 1; i < command.operands.size(); ++i) {
      auto value = value_of(command.operands[i], dot);
      if (!value) return value;
      if (lazy && value->truth() == (first.function->name == "or")) return value;
      arguments.push_back(std::move(*value));
    }
    if (piped) arguments.push_back(*piped);
    return apply(first, arguments);
  }

  Result<TemplateValue> apply(const Operand& operand, Arguments arguments) {
    auto value = operand.function->compute(arguments, context_);
    if (!value) {
      return error_at(operand.place, fmt::format("{}: {}", operand.function->name, value.error().message()));
    }
    return fields_of(operand, std::move(*value));
  }

  Result<TemplateValue> value_of(const Operand& operand, const TemplateValue& dot) {
    switch (operand.kind) {
      case Operand::Kind::kLiteral:
        return fields_of(operand, operand.literal);
      case Operand::Kind::kDot:
        return fields_of(operand, dot);
      case Operand::Kind::kFunction:
        return apply(operand, {});
      case Operand::Kind::kVariable:
        for (auto it = variables_.rbegin(); it != variables_.rend(); ++it) {
          if (it->first == operand.name) return fields_of(operand, it->second);
        }
        return error_at(operand.place, fmt::format("the variable {} is not defined", operand.name));
      case Operand::Kind::kPipeline:
        break;
    }
    auto value = evaluate(*operand.pipeline, dot);
    if (!value) return value;
    return fields_of(operand, std::move(*value));
  }

  // {{ .Alerts.Firing }} and {{ .Alerts.Resolved }}, as in Alertmanager; nothing if the value is no list of alerts.
  static TemplateValue alerts_in_state(const TemplateValue& value, std::string_view field) {
    const auto* const list = std::get_if<TemplateValue::List>(&value.data);
    if (list == nullptr || (field != "Firing" && field != "Resolved")) return {};
    auto some = std::make_shared<std::vector<TemplateValue>>();
    for (const TemplateValue& one : **list) {
      const auto* const alert = std::get_if<TemplateValue::Map>(&one.data);
      if (alert == nullptr) return {};
      const auto status = (*alert)->values.find("Status");
      if (status == (*alert)->values.end()) return {};
      if (status->second.text() == (field == "Firing" ? "firing" : "resolved")) some->push_back(one);
    }
    return {TemplateValue::List(std::move(some))};
  }

  static Result<TemplateValue> fields_of(const Operand& operand, TemplateValue value) {
    for (const std::string& field : operand.fields) {
      if (auto some = alerts_in_state(value, field); !some.is_nothing()) {
        value = std::move(some);
        continue;
      }
      const auto* const map = std::get_if<TemplateValue::Map>(&value.data);
      if (map == nullptr) {
        return error_at(operand.place, fmt::format("{} has no field {}", value.type_name(), field));
      }
      const auto found = (*map)->values.find(field);
      if (found == (*map)->values.end()) {
        if ((*map)->kind == TemplateMap::Kind::kFields) {
          return error_at(operand.place, fmt::format("there is no field {}", field));
        }
        value = (*map)->kind == TemplateMap::Kind::kTexts ? TemplateValue{std::string()} : TemplateValue{};
        continue;
      }
      value = TemplateValue(found->second);
    }
    return value;
  }

  using Variables = std::vector<std::pair<std::string, TemplateValue>>;
  const Tree& tree_;
  const TemplateContext& context_;
  Variables variables_;
  std::string out_;
  size_t steps_ = 0;
  int calls_ = 0;
};

}  // namespace

}  // namespace templates

Result<Template> Template::parse(std::string_view text) {
  if (text.size() > kMaxTemplateBytes) {
    return Error(Code::kInvalidArgument, fmt::format("1:1: the text has {}, the limit is {}", format_size(text.size()),
                                                     format_size(kMaxTemplateBytes)));
  }
  if (text.find("{{") == std::string_view::npos) return Template(std::string(text), nullptr);
  auto tree = templates::parse_tree(text);
  if (!tree) return tree.error();
  return Template(std::string(text), std::make_shared<const templates::Tree>(std::move(*tree)));
}

Result<std::string> Template::expand(const TemplateContext& context) const {
  if (!tree_) return text_;
  return templates::Run(*tree_, context).expand();
}

}  // namespace monitor::rules
