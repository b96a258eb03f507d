// TemplateTokens: the tokens of a template, read one after another. Internal to the template_*.cc files.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/template_lexer.h"

namespace monitor::rules::templates {

// How deep blocks and pipelines may be nested.
inline constexpr int kMaxDepth = 50;

// The text must outlive it.
class TemplateTokens {
 public:
  TemplateTokens(std::string_view text, std::vector<Token> tokens) : text_(text), tokens_(std::move(tokens)) {}

  const Token& peek() const { return tokens_[next_]; }
  // The last token stays.
  const Token& take() { return tokens_[next_ + 1 < tokens_.size() ? next_++ : next_]; }
  bool symbol(std::string_view text) const { return symbol_ahead(0, text); }
  // Whether the token so many after the next one is this symbol.
  bool symbol_ahead(size_t ahead, std::string_view text) const {
    const size_t at = next_ + ahead;
    return at < tokens_.size() && tokens_[at].kind == Token::Kind::kSymbol && tokens_[at].text == text;
  }

  Place place_of(size_t byte) const;
  // An error that begins with the place of the byte.
  Error error(size_t byte, const std::string& what, Code code = Code::kInvalidArgument) const;
  // Takes the end of an action.
  Status close();

 private:
  std::string_view text_;
  const std::vector<Token> tokens_;
  size_t next_ = 0;
  // Of the last request.
  mutable Place known_;
  mutable size_t known_at_ = 0;
};

}  // namespace monitor::rules::templates
