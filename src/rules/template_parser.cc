#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/text.h"
#include "rules/template_tree.h"

namespace monitor::rules::templates {

namespace {

constexpr int kMaxDepth = 50;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c) ||
         static_cast<unsigned char>(c) >= 0x80;
}

struct Token {
  enum class Kind : uint8_t {
    kEnd,
    kText,
    kActionBegin,
    kActionEnd,
    kWord,
    kField,
    kVariable,
    kDot,
    kString,
    kNumber,
    kSymbol
  };
  Kind kind = Kind::kEnd;
  std::string text = {};
  size_t at = 0;
  bool spaced = false;  // white space before it
};

Place place_in(std::string_view text, size_t at) {
  Place place;
  for (const char c : text.substr(0, at)) {
    if (c == '\n') {
      place = {place.line + 1, 1};
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80) {
      ++place.column;
    }
  }
  return place;
}

// Cuts the text into tokens. Throws nothing; an error ends it.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> run() {
    while (at_ < text_.size()) {
      if (auto status = literal_then_action(); !status) return status.error();
    }
    tokens_.push_back({Token::Kind::kEnd, "", text_.size()});
    return std::move(tokens_);
  }

 private:
  Error error(size_t at, const std::string& what) const {
    const Place place = place_in(text_, at);
    return {Code::kInvalidArgument, fmt::format("{}:{}: {}", place.line, place.column, what)};
  }

  Status literal_then_action() {
    const size_t open = text_.find("{{", at_);
    std::string_view literal = text_.substr(at_, open == std::string_view::npos ? open : open - at_);
    const size_t literal_at = at_;
    if (trim_next_) {
      while (!literal.empty() && is_space(literal.front())) literal.remove_prefix(1);
    }
    trim_next_ = false;
    at_ = open == std::string_view::npos ? text_.size() : open + 2;
    if (open != std::string_view::npos && at_ + 1 < text_.size() && text_[at_] == '-' && is_space(text_[at_ + 1])) {
      while (!literal.empty() && is_space(literal.back())) literal.remove_suffix(1);
      ++at_;
    }
    if (!literal.empty()) tokens_.push_back({Token::Kind::kText, std::string(literal), literal_at});
    return open == std::string_view::npos ? Status() : action(open);
  }

  Status action(size_t open) {
    size_t start = at_;
    while (start < text_.size() && is_space(text_[start])) ++start;
    if (text_.substr(start).starts_with("/*")) return comment(open, start);
    tokens_.push_back({Token::Kind::kActionBegin, "{{", open});
    while (true) {
      const size_t before = at_;
      while (at_ < text_.size() && is_space(text_[at_])) ++at_;
      if (at_ >= text_.size()) return error(open, "the action that begins here does not end; expected }}");
      const bool spaced = at_ > before;
      const std::string_view rest = text_.substr(at_);
      if (rest.starts_with("}}") || (spaced && rest.starts_with("-}}"))) {
        trim_next_ = rest[0] == '-';
        tokens_.push_back({Token::Kind::kActionEnd, "}}", at_});
        at_ += trim_next_ ? 3 : 2;
        return {};
      }
      if (auto status = token(spaced); !status) return status;
    }
  }

  Status comment(size_t open, size_t start) {
    const size_t end = text_.find("*/", start + 2);
    if (end == std::string_view::npos) return error(open, "the comment that begins here does not end");
    at_ = end + 2;
    size_t close = at_;
    while (close < text_.size() && is_space(text_[close])) ++close;
    if (close > at_ && text_.substr(close).starts_with("-}}")) {
      trim_next_ = true;
      at_ = close + 3;
      return {};
    }
    if (!text_.substr(at_).starts_with("}}")) return error(open, "a comment must be followed by }}");
    at_ += 2;
    return {};
  }

  Status token(bool spaced) {
    const size_t begin = at_;
    const char c = text_[at_];
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (c == '"' || c == '`' || c == '\'') return quoted(spaced);
    if (is_digit(c) || ((c == '-' || c == '+' || c == '.') && is_digit(next))) {
      ++at_;
      while (at_ < text_.size() &&
             (is_word(text_[at_]) || text_[at_] == '.' ||
              ((text_[at_] == '-' || text_[at_] == '+') && (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E')))) {
        ++at_;
      }
      return add(Token::Kind::kNumber, begin, spaced);
    }
    if (c == '$' || (c == '.' && is_word(next)) || is_word(c)) {
      ++at_;
      while (at_ < text_.size() && is_word(text_[at_])) ++at_;
      return add(c == '$' ? Token::Kind::kVariable : (c == '.' ? Token::Kind::kField : Token::Kind::kWord), begin,
                 spaced);
    }
    at_ += c == ':' && next == '=' ? 2 : 1;
    if (c == '.') return add(Token::Kind::kDot, begin, spaced);
    if (c == '|' || c == '(' || c == ')' || c == ',' || c == '=' || (c == ':' && next == '=')) {
      return add(Token::Kind::kSymbol, begin, spaced);
    }
    return error(begin, fmt::format("{} is not expected in an action", json_quote(text_.substr(begin, 1))));
  }

  Status add(Token::Kind kind, size_t begin, bool spaced) {
    tokens_.push_back({kind, std::string(text_.substr(begin, at_ - begin)), begin, spaced});
    return {};
  }

  Status quoted(bool spaced) {
    const size_t begin = at_;
    const char mark = text_[at_++];
    std::string value;
    while (true) {
      if (at_ >= text_.size() || (mark != '`' && text_[at_] == '\n')) {
        return error(begin, "the text that begins here does not end");
      }
      const char c = text_[at_++];
      if (c == mark) break;
      if (c != '\\' || mark == '`') {
        value += c;
        continue;
      }
      if (auto status = escape(value); !status) return status;
    }
    if (mark == '\'') return error(begin, "a character in '' is not supported; write a text in \"\"");
    tokens_.push_back({Token::Kind::kString, std::move(value), begin, spaced});
    return {};
  }

  Status escape(std::string& value) {
    static constexpr std::string_view kFrom = "abfnrtv\\\"'";
    static constexpr std::string_view kTo = "\a\b\f\n\r\t\v\\\"'";
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    if (const size_t index = kFrom.find(c); c != '\0' && index != std::string_view::npos) {
      value += kTo[index];
      ++at_;
      return {};
    }
    const int digits = c == 'x' ? 2 : (c == 'u' ? 4 : (c == 'U' ? 8 : 0));
    uint32_t code = 0;
    const std::string_view hex = text_.substr(std::min(at_ + 1, text_.size()), static_cast<size_t>(digits));
    const auto [end, fault] = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
    if (digits == 0 || fault != std::errc() || end != hex.data() + digits || code > 0x10FFFF) {
      return error(at_ - 1, "the escape is not valid; expected one of \\n \\t \\\\ \\\" \\xHH \\uHHHH");
    }
    at_ += 1 + static_cast<size_t>(digits);
    append_utf8(code, digits == 2, value);
    return {};
  }

  static void append_utf8(uint32_t code, bool byte, std::string& out) {
    if (byte || code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += {static_cast<char>(0xC0U | (code >> 6U)), static_cast<char>(0x80U | (code & 0x3FU))};
    } else if (code < 0x10000) {
      out += {static_cast<char>(0xE0U | (code >> 12U)), static_cast<char>(0x80U | ((code >> 6U) & 0x3FU)),
              static_cast<char>(0x80U | (code & 0x3FU))};
    } else {
      out += {static_cast<char>(0xF0U | (code >> 18U)), static_cast<char>(0x80U | ((code >> 12U) & 0x3FU)),
              static_cast<char>(0x80U | ((code >> 6U) & 0x3FU)), static_cast<char>(0x80U | (code & 0x3FU))};
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  bool trim_next_ = false;
  std::vector<Token> tokens_;
};

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

// Descends the tokens. Errors name the place.
class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens) : text_(text), tokens_(std::move(tokens)) {
    variables_ = {"$", "$labels", "$externalLabels", "$externalURL", "$value"};
  }

  Result<Tree> run() {
    auto end = block(tree_.main, true);
    if (!end) return end.error();
    if (*end != "") return error(last_, fmt::format("{{{{ {} }}}} without a beginning", *end));
    for (const auto& [name, at] : used_) {
      if (!tree_.defined.contains(name)) {
        return error(at, fmt::format("the template {} is not defined", json_quote(name)));
      }
    }
    return std::move(tree_);
  }

 private:
  using Kind = Token::Kind;

  // Of a byte. Most requests come in ascending order, so that each continues where the last one ended.
  Place place_of(size_t at) const {
    if (at < known_at_) known_ = {}, known_at_ = 0;
    const Place more = place_in(text_.substr(known_at_), at - known_at_);
    known_ = more.line > 1 ? Place{known_.line + more.line - 1, more.column}
                           : Place{known_.line, known_.column + more.column - 1};
    known_at_ = at;
    return known_;
  }

  const Token& peek() const { return tokens_[next_]; }
  const Token& take() { return tokens_[next_ + 1 < tokens_.size() ? next_++ : next_]; }
  bool symbol(std::string_view text) const { return peek().kind == Kind::kSymbol && peek().text == text; }
  Error error(size_t at, const std::string& what, Code code = Code::kInvalidArgument) const {
    const Place place = place_of(at);
    return {code, fmt::format("{}:{}: {}", place.line, place.column, what)};
  }

  // Reads statements up to an action that ends the block; returns its word, or "" at the end of the text.
  Result<std::string> block(Block& out, bool top = false) {
    if (++depth_ > kMaxDepth) return error(peek().at, fmt::format("blocks are nested more than {} deep", kMaxDepth));
    while (peek().kind != Kind::kEnd) {
      const Token token = take();
      if (token.kind == Kind::kText) {
        out.push_back({.kind = Statement::Kind::kText, .text = token.text});
        continue;
      }
      const Token word = peek();
      if (word.kind == Kind::kWord && (word.text == "end" || word.text == "else")) {
        take();
        last_ = word.at;
        --depth_;
        if (word.text == "end") {
          if (auto closed = close(); !closed) return closed.error();
        }
        return word.text;
      }
      if (auto status = statement(out, top); !status) return status.error();
    }
    --depth_;
    return std::string();
  }

  Status close() {
    if (peek().kind != Kind::kActionEnd) {
      return error(peek().at, fmt::format("got {}, expected }}}}", json_quote(peek().text)));
    }
    take();
    return {};
  }

  Status statement(Block& out, bool top) {
    const Token word = peek();
    if (word.kind == Kind::kWord) {
      if (word.text == "if" || word.text == "range" || word.text == "with") return control(out, word.text);
      if (word.text == "define" || word.text == "block") return define(out, word.text == "block", top);
      if (word.text == "template") return call_template(out);
      if (word.text == "break" || word.text == "continue") {
        take();
        if (loops_ == 0) return error(word.at, fmt::format("{{{{ {} }}}} outside of {{{{ range }}}}", word.text));
        out.push_back({.kind = word.text == "break" ? Statement::Kind::kBreak : Statement::Kind::kContinue});
        return close();
      }
    }
    Statement print{.kind = Statement::Kind::kPrint, .place = place_of(word.at)};
    auto pipe = pipeline();
    if (!pipe) return pipe.error();
    print.pipeline = std::move(*pipe);
    out.push_back(std::move(print));
    return close();
  }

  Status control(Block& out, const std::string& word) {
    const Token begin = take();
    Statement statement{.place = place_of(begin.at)};
    statement.kind = word == "if"      ? Statement::Kind::kIf
                     : word == "range" ? Statement::Kind::kRange
                                       : Statement::Kind::kWith;
    const size_t scope = variables_.size();
    auto pipe = pipeline(word == "range");
    if (!pipe) return pipe.error();
    statement.pipeline = std::move(*pipe);
    if (auto closed = close(); !closed) return closed;
    const int in_loop = word == "range" ? 1 : 0;
    loops_ += in_loop;
    auto end = block(statement.body);
    loops_ -= in_loop;
    if (!end) return end.error();
    if (*end == "else") {
      auto done = otherwise(statement);
      if (!done) return done;
    } else if (end->empty()) {
      return error(begin.at, fmt::format("{{{{ {} }}}} has no {{{{ end }}}}", word));
    }
    variables_.resize(scope);
    out.push_back(std::move(statement));
    return {};
  }

  // After {{ else: its end, or an "if" or "with" that shares the end.
  Status otherwise(Statement& statement) {
    const Token begin = peek();
    if (begin.kind == Kind::kWord && (begin.text == "if" || begin.text == "with")) {
      if (++depth_ > kMaxDepth) return error(begin.at, fmt::format("blocks are nested more than {} deep", kMaxDepth));
      const auto done = control(statement.otherwise, begin.text);
      --depth_;
      return done;
    }
    if (auto closed = close(); !closed) return closed;
    auto end = block(statement.otherwise);
    if (!end) return end.error();
    if (*end != "end") return error(begin.at, "{{ else }} has no {{ end }}");
    return {};
  }

  Status define(Block& out, bool use, bool top) {
    const Token begin = take();
    if (!top) return error(begin.at, fmt::format("{{{{ {} }}}} within another block", begin.text));
    const Token name = take();
    if (name.kind != Kind::kString) return error(name.at, "expected the template's name, a text in \"\"");
    if (use) {
      Statement call{.kind = Statement::Kind::kTemplate, .text = name.text, .place = place_of(begin.at)};
      auto pipe = pipeline();
      if (!pipe) return pipe.error();
      call.pipeline = std::move(*pipe);
      out.push_back(std::move(call));
    }
    if (auto closed = close(); !closed) return closed;
    std::vector<std::string> outer = std::exchange(variables_, {"$"});
    Block body;
    auto end = block(body);
    if (!end) return end.error();
    if (*end != "end") return error(begin.at, fmt::format("{{{{ {} }}}} has no {{{{ end }}}}", begin.text));
    variables_ = std::move(outer);
    if (!tree_.defined.emplace(name.text, std::move(body)).second) {
      return error(name.at, fmt::format("the template {} is defined twice", json_quote(name.text)));
    }
    return {};
  }

  Status call_template(Block& out) {
    const Token begin = take();
    const Token name = take();
    if (name.kind != Kind::kString) return error(name.at, "expected the template's name, a text in \"\"");
    used_.emplace(name.text, name.at);
    Statement call{.kind = Statement::Kind::kTemplate, .text = name.text, .place = place_of(begin.at)};
    if (peek().kind != Kind::kActionEnd) {
      auto pipe = pipeline();
      if (!pipe) return pipe.error();
      call.pipeline = std::move(*pipe);
    }
    out.push_back(std::move(call));
    return close();
  }

  Result<Pipeline> pipeline(bool two_variables = false) {
    if (++depth_ > kMaxDepth) return error(peek().at, fmt::format("pipelines are nested more than {} deep", kMaxDepth));
    Pipeline pipe{.place = place_of(peek().at)};
    if (auto status = declaration(pipe, two_variables); !status) return status.error();
    while (true) {
      auto one = command(!pipe.commands.empty());
      if (!one) return one.error();
      pipe.commands.push_back(std::move(*one));
      if (!symbol("|")) break;
      take();
    }
    --depth_;
    // Visible from here on, not in its own value.
    if (pipe.declares) variables_.insert(variables_.end(), pipe.variables.begin(), pipe.variables.end());
    return pipe;
  }

  Status declaration(Pipeline& pipe, bool two_variables) {
    const auto symbol_at = [this](size_t ahead, std::string_view text) {
      const size_t at = next_ + ahead;
      return at < tokens_.size() && tokens_[at].kind == Kind::kSymbol && tokens_[at].text == text;
    };
    if (peek().kind != Kind::kVariable) return {};
    size_t count = 0;
    if (symbol_at(1, ":=") || symbol_at(1, "=")) count = 1;
    if (two_variables && symbol_at(1, ",") && (symbol_at(3, ":=") || symbol_at(3, "="))) count = 2;
    for (size_t i = 0; i < count; ++i) {
      const Token name = take();
      if (name.kind != Kind::kVariable) return error(name.at, "expected a variable, such as $x");
      const Token sign = take();
      pipe.declares = sign.text == ":=";
      if (sign.text == "=" && std::ranges::find(variables_, name.text) == variables_.end()) {
        return error(name.at, fmt::format("the variable {} is not defined", name.text));
      }
      pipe.variables.push_back(name.text);
    }
    return {};
  }

  Result<Command> command(bool piped) {
    Command command;
    while (true) {
      const Token& token = peek();
      const bool ends = token.kind == Kind::kActionEnd || token.kind == Kind::kEnd || symbol("|") || symbol(")");
      if (ends) break;
      auto one = operand();
      if (!one) return one.error();
      command.operands.push_back(std::move(*one));
    }
    if (command.operands.empty()) return error(peek().at, "a value or a function is missing");
    const Operand& first = command.operands.front();
    const size_t given = command.operands.size() - 1 + (piped ? 1 : 0);
    if (first.kind != Operand::Kind::kFunction) {
      if (given == 0) return command;
      return Error(Code::kInvalidArgument,
                   fmt::format("{}:{}: got arguments after what is no function", first.place.line, first.place.column));
    }
    const Function& function = *first.function;
    const bool fits = std::cmp_greater_equal(given, function.least) &&
                      (function.most < 0 || std::cmp_less_equal(given, function.most));
    if (fits) return command;
    return Error(Code::kInvalidArgument, fmt::format("{}:{}: {} gets {} arguments, expected {}", first.place.line,
                                                     first.place.column, function.name, given,
                                                     function.most < 0 ? fmt::format("{} or more", function.least)
                                                     : function.least == function.most
                                                         ? std::to_string(function.least)
                                                         : fmt::format("{} to {}", function.least, function.most)));
  }

  Result<Operand> operand() {
    const Token token = take();
    Operand one{.place = place_of(token.at)};
    if (token.kind == Kind::kString) {
      one.literal = TemplateValue{token.text};
    } else if (token.kind == Kind::kNumber) {
      const auto value = number_value(token.text);
      if (!value) return error(token.at, fmt::format("{} is no number", token.text));
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
        return error(token.at, fmt::format("the variable {} is not defined", token.text));
      }
    } else if (token.kind == Kind::kWord) {
      if (auto status = word(token, one); !status) return status.error();
    } else if (token.kind == Kind::kSymbol && token.text == "(") {
      auto inner = pipeline();
      if (!inner) return inner.error();
      if (!symbol(")")) return error(peek().at, fmt::format("got {}, expected )", json_quote(peek().text)));
      take();
      one.kind = Operand::Kind::kPipeline;
      one.pipeline = std::make_shared<const Pipeline>(std::move(*inner));
    } else {
      return error(token.at, fmt::format("got {}, expected a value or a function", json_quote(token.text)));
    }
    while (peek().kind == Kind::kField && !peek().spaced) one.fields.push_back(take().text.substr(1));
    return one;
  }

  Status word(const Token& token, Operand& one) const {
    if (token.text == "true" || token.text == "false") {
      one.literal = TemplateValue{token.text == "true"};
      return {};
    }
    if (token.text == "nil") return {};
    one.kind = Operand::Kind::kFunction;
    one.function = find_function(token.text);
    if (one.function != nullptr) return {};
    if (unsupported_function(token.text)) {
      return error(token.at, fmt::format("the function {} is not supported by this program", token.text),
                   Code::kUnimplemented);
    }
    return error(token.at, fmt::format("there is no function {}", json_quote(token.text)));
  }

  std::string_view text_;
  mutable Place known_;
  mutable size_t known_at_ = 0;
  const std::vector<Token> tokens_;
  size_t next_ = 0;
  int depth_ = 0;
  int loops_ = 0;
  size_t last_ = 0;  // where the last {{ end }} or {{ else }} was
  std::vector<std::string> variables_;
  std::map<std::string, size_t> used_;  // templates, and where
  Tree tree_;
};

}  // namespace

Result<Tree> parse_tree(std::string_view text) {
  auto tokens = Lexer(text).run();
  if (!tokens) return tokens.error();
  return Parser(text, std::move(*tokens)).run();
}

}  // namespace monitor::rules::templates
