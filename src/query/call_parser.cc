#include "query/call_parser.h"

#include <algorithm>
#include <string>

#include "query/functions.h"

namespace monitor::query {

Result<const FunctionSpec*> known_function(const TokenStream& tokens, const Token& name) {
  const FunctionSpec* const function = find_function(name.text);
  if (function == nullptr && unsupported_function(name.text)) {
    return tokens.unsupported(name.begin, "the function " + name.text + "()");
  }
  if (function == nullptr) {
    const auto nearest = nearest_function(name.text);
    return tokens.error(name.begin, "unknown function " + quote_short(name.text) +
                                        (nearest ? "; did you mean " + *nearest + "()?" : ""));
  }
  return function;
}

Status check_arguments(const TokenStream& tokens, const FunctionSpec& function,
                       const std::vector<ExpressionPtr>& arguments, const Token& name) {
  const size_t least = function.least_arguments();
  const bool endless = function.optional == FunctionSpec::kRepeats;
  const size_t most = function.arguments.size();
  if (arguments.size() < least || (!endless && arguments.size() > most)) {
    const std::string expected = endless         ? "at least " + std::to_string(least)
                                 : least == most ? std::to_string(least)
                                                 : std::to_string(least) + " to " + std::to_string(most);
    return tokens.error(name.begin,
                        name.text + "() takes " + expected + " arguments, not " + std::to_string(arguments.size()));
  }
  for (size_t i = 0; i < arguments.size(); ++i) {
    const ValueType wanted = function.arguments[std::min(i, most - 1)];
    if (arguments[i]->type == wanted) continue;
    return tokens.error(arguments[i]->begin, "argument " + std::to_string(i + 1) + " of " + name.text + "() must be " +
                                                 std::string(type_name(wanted)) + ", not " +
                                                 std::string(type_name(arguments[i]->type)));
  }
  // Scores are computed from what is stored of a series.
  const bool scores = function.special == SpecialFunction::kUnusual && !arguments.empty();
  if (scores && !std::holds_alternative<Selector>(arguments[0]->node)) {
    return tokens.error(arguments[0]->begin,
                        "argument 1 of unusual() must be a selector of series, not an expression "
                        "that computes values");
  }
  return {};
}

}  // namespace monitor::query
