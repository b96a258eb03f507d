#include "query/selector_parser.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "query/parser.h"

namespace monitor::query {
namespace {

constexpr double kMostMs = 9.2e18;

Result<Matcher> parse_condition(TokenStream& tokens, const std::string& label) {
  const Token op = tokens.take();
  Matcher::Kind kind = Matcher::Kind::kEqual;
  if (op.text == "!=") kind = Matcher::Kind::kNotEqual;
  if (op.text == "=~") kind = Matcher::Kind::kRegex;
  if (op.text == "!~") kind = Matcher::Kind::kNotRegex;
  if (tokens.peek().kind != TokenKind::kString) return tokens.unexpected("label matching", "a string");
  const Token value = tokens.take();
  const bool regex = kind == Matcher::Kind::kRegex || kind == Matcher::Kind::kNotRegex;
  if (regex && tokens.count_regex() > kMaxRegexes) {
    return tokens.error(value.begin, "the query has more than " + std::to_string(kMaxRegexes) + " regular expressions");
  }
  auto matcher = Matcher::create(kind, label, value.text);
  if (!matcher) return tokens.error(value.begin, matcher.error().message());
  return matcher;
}

bool at_condition_operator(const TokenStream& tokens) {
  return tokens.at_symbol("=") || tokens.at_symbol("!=") || tokens.at_symbol("=~") || tokens.at_symbol("!~");
}

// One entry between braces: job="api", "host.name"="a", or the metric's name as a string alone.
Result<Matcher> parse_entry(TokenStream& tokens, bool& named) {
  const Token first = tokens.peek();
  if (first.kind != TokenKind::kIdentifier && first.kind != TokenKind::kString) {
    return tokens.unexpected("label matching", "a label's name or \"}\"");
  }
  tokens.take();
  if (at_condition_operator(tokens)) return parse_condition(tokens, first.text);
  if (first.kind == TokenKind::kIdentifier) {
    return tokens.unexpected("label matching", "one of \"=\", \"!=\", \"=~\", \"!~\"");
  }
  if (named) return tokens.error(first.begin, "the metric's name is given twice");
  named = true;
  return Matcher::create(Matcher::Kind::kEqual, std::string(kNameLabel), first.text);
}

Status parse_braces(TokenStream& tokens, bool named, std::vector<Matcher>& matchers) {
  while (!tokens.take_symbol("}")) {
    const size_t begin = tokens.peek().begin;
    auto matcher = parse_entry(tokens, named);
    if (!matcher) return matcher.error();
    const bool second_name = named && matcher->label() == kNameLabel && !matchers.empty() &&
                             matchers.front().label() == kNameLabel && matchers.front().kind() == Matcher::Kind::kEqual;
    if (second_name) return tokens.error(begin, "the metric's name is given twice");
    matchers.push_back(std::move(*matcher));
    if (!tokens.at_symbol("}")) {
      if (auto comma = tokens.expect(",", "label matching"); !comma) return comma;
    }
  }
  return {};
}

Result<int64_t> signed_duration(TokenStream& tokens, std::string_view where) {
  const bool negative = tokens.take_symbol("-");
  if (!negative) tokens.take_symbol("+");
  auto ms = parse_duration(tokens, where);
  if (!ms) return ms.error();
  return negative ? -*ms : *ms;
}

Status parse_at(TokenStream& tokens, TimeShift& shift) {
  const size_t begin = tokens.peek().begin;
  for (const auto& [word, at] : {std::pair{"start", TimeShift::At::kStart}, std::pair{"end", TimeShift::At::kEnd}}) {
    if (!tokens.at_keyword(word)) continue;
    tokens.take();
    if (auto open = tokens.expect("(", "the time after \"@\""); !open) return open;
    if (auto close = tokens.expect(")", "the time after \"@\""); !close) return close;
    shift.at = at;
    return {};
  }
  const bool negative = tokens.take_symbol("-");
  if (!negative) tokens.take_symbol("+");
  const Token& token = tokens.peek();
  const bool number = token.kind == TokenKind::kNumber;
  if (!number && token.kind != TokenKind::kDuration) {
    if (tokens.at_keyword("inf") || tokens.at_keyword("nan")) {
      return tokens.error(begin, "the time after \"@\" must be finite");
    }
    return tokens.unexpected("the time after \"@\"", "a Unix time in seconds, start() or end()");
  }
  const double seconds = number ? token.number : static_cast<double>(token.duration_ms) / 1000;
  tokens.take();
  const double ms = std::round(seconds * 1000) * (negative ? -1 : 1);
  if (std::abs(ms) > kMostMs) return tokens.error(begin, "the time after \"@\" is out of range");
  shift.at = TimeShift::At::kFixed;
  shift.at_ms = static_cast<int64_t>(ms);
  return {};
}

}  // namespace

Result<std::vector<Matcher>> parse_matchers(TokenStream& tokens) {
  std::vector<Matcher> matchers;
  const size_t begin = tokens.peek().begin;
  const bool named = tokens.peek().kind == TokenKind::kIdentifier;
  if (named) {
    auto name = Matcher::create(Matcher::Kind::kEqual, std::string(kNameLabel), tokens.take().text);
    if (!name) return name.error();
    matchers.push_back(std::move(*name));
  }
  if (tokens.take_symbol("{")) {
    if (auto status = parse_braces(tokens, named, matchers); !status) return status.error();
  }
  if (std::ranges::all_of(matchers, [](const Matcher& m) { return m.matches(""); })) {
    return tokens.error(begin, "the selector would select every series; at least one condition must not match \"\"");
  }
  return matchers;
}

Result<std::vector<std::string>> parse_label_list(TokenStream& tokens) {
  if (auto open = tokens.expect("(", "a list of labels"); !open) return open.error();
  std::vector<std::string> labels;
  while (!tokens.take_symbol(")")) {
    const Token token = tokens.peek();
    if ((token.kind != TokenKind::kIdentifier && token.kind != TokenKind::kString) || token.text.empty()) {
      return tokens.unexpected("a list of labels", "a label's name");
    }
    if (token.kind == TokenKind::kIdentifier && !plain_label_name(token.text)) {
      return tokens.error(token.begin, quote_short(token.text) + " is no label's name; quote it if it is meant");
    }
    labels.push_back(tokens.take().text);
    if (!tokens.at_symbol(")")) {
      if (auto comma = tokens.expect(",", "a list of labels"); !comma) return comma.error();
    }
  }
  return labels;
}

Result<int64_t> parse_duration(TokenStream& tokens, std::string_view where) {
  const Token token = tokens.peek();
  if (token.kind == TokenKind::kDuration) {
    tokens.take();
    return token.duration_ms;
  }
  if (token.kind == TokenKind::kNumber) {
    tokens.take();
    const double ms = std::round(token.number * 1000);
    if (!(std::abs(ms) < kMostMs)) return tokens.error(token.begin, "the duration is out of range");
    return static_cast<int64_t>(ms);
  }
  if (tokens.at_symbol("(") || tokens.at_symbol("-") || tokens.at_symbol("+") || token.kind == TokenKind::kIdentifier) {
    return tokens.unsupported(token.begin, "arithmetic in durations");
  }
  return tokens.unexpected(where, "a duration such as 5m");
}

Result<Brackets> parse_brackets(TokenStream& tokens) {
  tokens.take();
  Brackets brackets;
  const size_t begin = tokens.peek().begin;
  auto range = parse_duration(tokens, "a range");
  if (!range) return range.error();
  if (*range <= 0) return tokens.error(begin, "the range must be longer than 0");
  brackets.range_ms = *range;
  if (tokens.take_symbol(":")) {
    brackets.subquery = true;
    if (!tokens.at_symbol("]")) {
      const size_t step_begin = tokens.peek().begin;
      auto step = parse_duration(tokens, "a subquery's step");
      if (!step) return step.error();
      if (*step <= 0) return tokens.error(step_begin, "the step must be longer than 0");
      brackets.step_ms = *step;
    }
  }
  if (!tokens.at_symbol("]") && tokens.peek().kind == TokenKind::kOperator) {
    return tokens.unsupported(tokens.peek().begin, "arithmetic in durations");
  }
  if (auto close = tokens.expect("]", "a range"); !close) return close.error();
  return brackets;
}

Result<TimeShift> parse_time_shift(TokenStream& tokens) {
  TimeShift shift;
  bool at = false;
  bool offset = false;
  while (true) {
    const size_t begin = tokens.peek().begin;
    if (tokens.take_symbol("@")) {
      if (at) return tokens.error(begin, "\"@\" is given twice");
      at = true;
      if (auto status = parse_at(tokens, shift); !status) return status.error();
    } else if (tokens.take_keyword("offset")) {
      if (offset) return tokens.error(begin, "\"offset\" is given twice");
      offset = true;
      auto ms = signed_duration(tokens, "an offset");
      if (!ms) return ms.error();
      shift.offset_ms = *ms;
    } else {
      return shift;
    }
  }
}

}  // namespace monitor::query
