// Template: a text with computed parts, in the language of Prometheus' templates
// (https://prometheus.io/docs/prometheus/latest/configuration/template_reference/): "{{ $labels.agent }} is at
// {{ $value | humanizePercentage }}". The language is Go's text/template. Parsing
// rejects the parts of it that this program does not support.
//
// Immutable after parsing; may be shared by threads. Expanding takes bounded time, memory and depth.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/evaluator.h"
#include "query/labels.h"
#include "rules/yaml_tree.h"

namespace monitor::rules {

inline constexpr size_t kMaxTemplateBytes = size_t{64} << 10;
inline constexpr size_t kMaxExpandedBytes = size_t{64} << 10;

struct TemplateMap;

// The values that a template may use. The pointers must be valid while it is expanded.
struct TemplateContext {
  const query::Labels* labels = nullptr;  // {{ $labels }}, {{ .Labels }}
  double value = 0;                       // {{ $value }}, {{ .Value }}
  const query::Labels* external_labels = nullptr;
  std::string_view external_url = {};
  // Further fields of {{ . }}, for a text that is about more than one series; nullptr: none. It must outlive the call.
  const TemplateMap* fields = nullptr;
  // Evaluates {{ query "EXPRESSION" }} at the time of the evaluation.
  std::function<Result<std::vector<query::ResultSeries>>(const std::string& expression)> query = {};
};

namespace templates {
struct Tree;
}

class Template {
 public:
  // Errors: kInvalidArgument; kUnimplemented for what this program does not support. The message begins with the place
  // in the text.
  static Result<Template> parse(std::string_view text);

  // A template that expands to exactly this text.
  static Template literal(std::string_view text) { return {std::string(text), nullptr}; }

  // Errors: a part cannot be computed from these values. The message begins with the place in the text.
  Result<std::string> expand(const TemplateContext& context) const;

  const std::string& text() const { return text_; }

 private:
  Template(std::string text, std::shared_ptr<const templates::Tree> tree)
      : text_(std::move(text)), tree_(std::move(tree)) {}

  std::string text_;
  std::shared_ptr<const templates::Tree> tree_;  // nullptr: the text has no computed part
};

}  // namespace monitor::rules
