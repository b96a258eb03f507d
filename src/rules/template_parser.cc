// parse_tree(): the statements of a template, and the blocks in which they are.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "rules/template_pipeline_parser.h"

namespace monitor::rules::templates {

namespace {

// Descends the tokens. Errors name the place.
class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens) : tokens_(text, std::move(tokens)), pipelines_(tokens_) {}

  Result<Tree> run() {
    auto end = block(tree_.main, true);
    if (!end) return end.error();
    if (*end != "") return tokens_.error(last_, fmt::format("{{{{ {} }}}} without a beginning", *end));
    for (const auto& [name, at] : used_) {
      if (!tree_.defined.contains(name)) {
        return tokens_.error(at, fmt::format("the template {} is not defined", json_quote(name)));
      }
    }
    return std::move(tree_);
  }

 private:
  using Kind = Token::Kind;

  // Reads statements up to an action that ends the block; returns its word, or "" at the end of the text.
  Result<std::string> block(Block& out, bool top = false) {
    if (++pipelines_.depth() > kMaxDepth)
      return tokens_.error(tokens_.peek().at, fmt::format("blocks are nested more than {} deep", kMaxDepth));
    while (tokens_.peek().kind != Kind::kEnd) {
      const Token token = tokens_.take();
      if (token.kind == Kind::kText) {
        out.push_back({.kind = Statement::Kind::kText, .text = token.text});
        continue;
      }
      const Token word = tokens_.peek();
      if (word.kind == Kind::kWord && (word.text == "end" || word.text == "else")) {
        tokens_.take();
        last_ = word.at;
        --pipelines_.depth();
        if (word.text == "end") {
          if (auto closed = tokens_.close(); !closed) return closed.error();
        }
        return word.text;
      }
      if (auto status = statement(out, top); !status) return status.error();
    }
    --pipelines_.depth();
    return std::string();
  }

  Status statement(Block& out, bool top) {
    const Token word = tokens_.peek();
    if (word.kind == Kind::kWord) {
      if (word.text == "if" || word.text == "range" || word.text == "with") return control(out, word.text);
      if (word.text == "define" || word.text == "block") return define(out, word.text == "block", top);
      if (word.text == "template") return call_template(out);
      if (word.text == "break" || word.text == "continue") {
        tokens_.take();
        if (loops_ == 0)
          return tokens_.error(word.at, fmt::format("{{{{ {} }}}} outside of {{{{ range }}}}", word.text));
        out.push_back({.kind = word.text == "break" ? Statement::Kind::kBreak : Statement::Kind::kContinue});
        return tokens_.close();
      }
    }
    Statement print{.kind = Statement::Kind::kPrint, .place = tokens_.place_of(word.at)};
    auto pipe = pipelines_.pipeline();
    if (!pipe) return pipe.error();
    print.pipeline = std::move(*pipe);
    out.push_back(std::move(print));
    return tokens_.close();
  }

  Status control(Block& out, const std::string& word) {
    const Token begin = tokens_.take();
    Statement statement{.place = tokens_.place_of(begin.at)};
    statement.kind = word == "if"      ? Statement::Kind::kIf
                     : word == "range" ? Statement::Kind::kRange
                                       : Statement::Kind::kWith;
    const size_t scope = pipelines_.variables().size();
    auto pipe = pipelines_.pipeline(word == "range");
    if (!pipe) return pipe.error();
    statement.pipeline = std::move(*pipe);
    if (auto closed = tokens_.close(); !closed) return closed;
    const int in_loop = word == "range" ? 1 : 0;
    loops_ += in_loop;
    auto end = block(statement.body);
    loops_ -= in_loop;
    if (!end) return end.error();
    if (*end == "else") {
      auto done = otherwise(statement);
      if (!done) return done;
    } else if (end->empty()) {
      return tokens_.error(begin.at, fmt::format("{{{{ {} }}}} has no {{{{ end }}}}", word));
    }
    pipelines_.variables().resize(scope);
    out.push_back(std::move(statement));
    return {};
  }

  // After {{ else: its end, or an "if" or "with" that shares the end.
  Status otherwise(Statement& statement) {
    const Token begin = tokens_.peek();
    if (begin.kind == Kind::kWord && (begin.text == "if" || begin.text == "with")) {
      if (++pipelines_.depth() > kMaxDepth)
        return tokens_.error(begin.at, fmt::format("blocks are nested more than {} deep", kMaxDepth));
      const auto done = control(statement.otherwise, begin.text);
      --pipelines_.depth();
      return done;
    }
    if (auto closed = tokens_.close(); !closed) return closed;
    auto end = block(statement.otherwise);
    if (!end) return end.error();
    if (*end != "end") return tokens_.error(begin.at, "{{ else }} has no {{ end }}");
    return {};
  }

  Status define(Block& out, bool use, bool top) {
    const Token begin = tokens_.take();
    if (!top) return tokens_.error(begin.at, fmt::format("{{{{ {} }}}} within another block", begin.text));
    const Token name = tokens_.take();
    if (name.kind != Kind::kString) return tokens_.error(name.at, "expected the template's name, a text in \"\"");
    if (use) {
      Statement call{.kind = Statement::Kind::kTemplate, .text = name.text, .place = tokens_.place_of(begin.at)};
      auto pipe = pipelines_.pipeline();
      if (!pipe) return pipe.error();
      call.pipeline = std::move(*pipe);
      out.push_back(std::move(call));
    }
    if (auto closed = tokens_.close(); !closed) return closed;
    std::vector<std::string> outer = std::exchange(pipelines_.variables(), {"$"});
    Block body;
    auto end = block(body);
    if (!end) return end.error();
    if (*end != "end") return tokens_.error(begin.at, fmt::format("{{{{ {} }}}} has no {{{{ end }}}}", begin.text));
    pipelines_.variables() = std::move(outer);
    if (!tree_.defined.emplace(name.text, std::move(body)).second) {
      return tokens_.error(name.at, fmt::format("the template {} is defined twice", json_quote(name.text)));
    }
    return {};
  }

  Status call_template(Block& out) {
    const Token begin = tokens_.take();
    const Token name = tokens_.take();
    if (name.kind != Kind::kString) return tokens_.error(name.at, "expected the template's name, a text in \"\"");
    used_.emplace(name.text, name.at);
    Statement call{.kind = Statement::Kind::kTemplate, .text = name.text, .place = tokens_.place_of(begin.at)};
    if (tokens_.peek().kind != Kind::kActionEnd) {
      auto pipe = pipelines_.pipeline();
      if (!pipe) return pipe.error();
      call.pipeline = std::move(*pipe);
    }
    out.push_back(std::move(call));
    return tokens_.close();
  }

  TemplateTokens tokens_;
  PipelineParser pipelines_;
  int loops_ = 0;
  size_t last_ = 0;                     // where the last {{ end }} or {{ else }} was
  std::map<std::string, size_t> used_;  // templates, and where
  Tree tree_;
};

}  // namespace

Result<Tree> parse_tree(std::string_view text) {
  auto tokens = tokens_of(text);
  if (!tokens) return tokens.error();
  return Parser(text, std::move(*tokens)).run();
}

}  // namespace monitor::rules::templates
