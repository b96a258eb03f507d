#include "rules/template_pipeline_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/text.h"

namespace monitor::rules::templates {

namespace {

using Kind = Token::Kind;

std::optional<TemplateValue> number_value(const std::string& text) {
  std::string digits = text;
  std::erase(digits, '_');
  if (digits.starts_with('+')) digits.erase(0, 1);
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    int64_t value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [to, fault] = std::from_chars(digits.data() + 2, end, value, 16);
    return fault == std::errc() && to == end ? std::optional(TemplateValue{value}) : std::nullopt;
  }
  if (const auto value = parse_i64(digits)) return TemplateValue{*value};
  if (const auto value = parse_double(digits)) return TemplateValue{*value};
  return std::nullopt;
}

}  // namespace

Result<Pipeline> PipelineParser::pipeline(bool two_variables) {
  if (++depth_ > kMaxDepth)
    return tokens_.error(tokens_.peek().at, fmt::format("pipelines are nested more than {} deep", kMaxDepth));
  Pipeline pipe{.place = tokens_.place_of(tokens_.peek().at)};
  if (auto status = declaration(pipe, two_variables); !status) return status.error();
  while (true) {
    auto one = command(!pipe.commands.empty());
    if (!one) return one.error();
    pipe.commands.push_back(std::move(*one));
    if (!tokens_.symbol("|")) break;
    tokens_.take();
  }
  --depth_;
  // Visible from here on, not in its own value.
  if (pipe.declares) variables_.insert(variables_.end(), pipe.variables.begin(), pipe.variables.end());
  return pipe;
}

Status PipelineParser::declaration(Pipeline& pipe, bool two_variables) {
  if (tokens_.peek().kind != Kind::kVariable) return {};
  size_t count = 0;
  if (tokens_.symbol_ahead(1, ":=") || tokens_.symbol_ahead(1, "=")) count = 1;
  if (two_variables && tokens_.symbol_ahead(1, ",") && (tokens_.symbol_ahead(3, ":=") || tokens_.symbol_ahead(3, "=")))
    count = 2;
  for (size_t i = 0; i < count; ++i) {
    const Token name = tokens_.take();
    if (name.kind != Kind::kVariable) return tokens_.error(name.at, "expected a variable, such as $x");
    const Token sign = tokens_.take();
    pipe.declares = sign.text == ":=";
    if (sign.text == "=" && std::ranges::find(variables_, name.text) == variables_.end()) {
      return tokens_.error(name.at, fmt::format("the variable {} is not defined", name.text));
    }
    pipe.variables.push_back(name.text);
  }
  return {};
}

namespace {

// A function that is an argument of another one gets no arguments of its own, as in {{ print toUpper }}.
Status check_arguments(const Operand& operand, size_t given) {
  const Function& function = *operand.function;
  const bool fits =
      std::cmp_greater_equal(given, function.least) && (function.most < 0 || std::cmp_less_equal(given, function.most));
  if (fits) return {};
  return Error(Code::kInvalidArgument,
               fmt::format("{}:{}: {} gets {} arguments, expected {}", operand.place.line, operand.place.column,
                           function.name, given,
                           function.most < 0                 ? fmt::format("{} or more", function.least)
                           : function.least == function.most ? std::to_string(function.least)
                                                             : fmt::format("{} to {}", function.least, function.most)));
}

}  // namespace

Result<Command> PipelineParser::command(bool piped) {
  Command command;
  while (true) {
    const Token& token = tokens_.peek();
    const bool ends =
        token.kind == Kind::kActionEnd || token.kind == Kind::kEnd || tokens_.symbol("|") || tokens_.symbol(")");
    if (ends) break;
    auto one = operand();
    if (!one) return one.error();
    const bool is_argument = !command.operands.empty() && one->kind == Operand::Kind::kFunction;
    if (is_argument) {
      if (auto status = check_arguments(*one, 0); !status) return status.error();
    }
    command.operands.push_back(std::move(*one));
  }
  if (command.operands.empty()) return tokens_.error(tokens_.peek().at, "a value or a function is missing");
  const Operand& first = command.operands.front();
  const size_t given = command.operands.size() - 1 + (piped ? 1 : 0);
  if (first.kind != Operand::Kind::kFunction) {
    if (given == 0) return command;
    return Error(Code::kInvalidArgument,
                 fmt::format("{}:{}: got arguments after what is no function", first.place.line, first.place.column));
  }
  if (auto status = check_arguments(first, given); !status) return status.error();
  return command;
}

Result<Operand> PipelineParser::operand() {
  const Token token = tokens_.take();
  Operand one{.place = tokens_.place_of(token.at)};
  if (token.kind == Kind::kString) {
    one.literal = TemplateValue{token.text};
  } else if (token.kind == Kind::kNumber) {
    const auto value = number_value(token.text);
    if (!value) return tokens_.error(token.at, fmt::format("{} is no number", token.text));
    one.literal = *value;
  } else if (token.kind == Kind::kDot) {
    one.kind = Operand::Kind::kDot;
  } else if (token.kind == Kind::kField) {
    one.kind = Operand::Kind::kDot;
    one.fields.push_back(token.text.substr(1));
  } else if (token.kind == Kind::kVariable) {
    one.kind = Operand::Kind::kVariable;
    one.name = token.text;
    if (std::ranges::find(variables_, token.text) == variables_.end()) {
      return tokens_.error(token.at, fmt::format("the variable {} is not defined", token.text));
    }
  } else if (token.kind == Kind::kWord) {
    if (auto status = word(token, one); !status) return status.error();
  } else if (token.kind == Kind::kSymbol && token.text == "(") {
    auto inner = pipeline();
    if (!inner) return inner.error();
    if (!tokens_.symbol(")"))
      return tokens_.error(tokens_.peek().at, fmt::format("got {}, expected )", json_quote(tokens_.peek().text)));
    tokens_.take();
    one.kind = Operand::Kind::kPipeline;
    one.pipeline = std::make_shared<const Pipeline>(std::move(*inner));
  } else {
    return tokens_.error(token.at, fmt::format("got {}, expected a value or a function", json_quote(token.text)));
  }
  while (tokens_.peek().kind == Kind::kField && !tokens_.peek().spaced)
    one.fields.push_back(tokens_.take().text.substr(1));
  return one;
}

Status PipelineParser::word(const Token& token, Operand& one) const {
  if (token.text == "true" || token.text == "false") {
    one.literal = TemplateValue{token.text == "true"};
    return {};
  }
  if (token.text == "nil") return {};
  one.kind = Operand::Kind::kFunction;
  one.function = find_function(token.text);
  if (one.function != nullptr) return {};
  if (unsupported_function(token.text)) {
    return tokens_.error(token.at, fmt::format("the function {} is not supported by this program", token.text),
                         Code::kUnimplemented);
  }
  return tokens_.error(token.at, fmt::format("there is no function {}", json_quote(token.text)));
}

}  // namespace monitor::rules::templates
