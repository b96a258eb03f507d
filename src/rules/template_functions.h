// The functions that templates may call: those of Go's text/template, and those of Prometheus.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "rules/template.h"
#include "rules/template_value.h"

namespace monitor::rules::templates {

using Arguments = std::span<const TemplateValue>;
using Compute = Result<TemplateValue> (*)(Arguments arguments, const TemplateContext& context);

struct Function {
  std::string_view name;
  int least = 0;  // arguments
  int most = 0;   // -1: any number
  Compute compute = nullptr;
};

// Each in a file of its own: template_query_functions.cc and so on.
std::span<const Function> query_functions();
std::span<const Function> text_functions();
std::span<const Function> print_functions();
std::span<const Function> logic_functions();

// nullptr if there is none.
const Function* find_function(std::string_view name);
// True if Go or Prometheus has a function of this name that this program does not support.
bool unsupported_function(std::string_view name);

// Go's fmt.Sprintf for the verbs d, s, q, v, t, f, e, g, x and %.
std::string format_as_go(std::string_view format, Arguments arguments);

}  // namespace monitor::rules::templates
