// TokenStream: the tokens of a query, read one by one by the parser.
#pragma once

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/labels.h"
#include "query/lexer.h"

namespace monitor::query {

// Lower case, because PromQL's keywords may be written in either.
inline std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

class TokenStream {
 public:
  // `tokens` is as from tokenize(query). The query must outlive the stream.
  TokenStream(std::string_view query, std::vector<Token> tokens) : query_(query), tokens_(std::move(tokens)) {}

  const Token& peek(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  const Token& take() {
    const Token& token = peek();
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  size_t last_end() const { return at_ == 0 ? 0 : tokens_[at_ - 1].end; }

  bool at_symbol(std::string_view text, size_t ahead = 0) const {
    const Token& token = peek(ahead);
    return (token.kind == TokenKind::kPunctuation || token.kind == TokenKind::kOperator) && token.text == text;
  }
  bool at_keyword(std::string_view word, size_t ahead = 0) const {
    return peek(ahead).kind == TokenKind::kIdentifier && lower(peek(ahead).text) == word;
  }
  bool take_symbol(std::string_view text) {
    if (!at_symbol(text)) return false;
    take();
    return true;
  }
  bool take_keyword(std::string_view word) {
    if (!at_keyword(word)) return false;
    take();
    return true;
  }
  Status expect(std::string_view symbol, std::string_view where) {
    if (take_symbol(symbol)) return {};
    return unexpected(where, quote(symbol));
  }

  // Counts one more regular expression of the query, and returns their number.
  size_t count_regex() { return ++regexes_; }

  Error error(size_t byte, const std::string& text, Code code = Code::kInvalidArgument) const {
    return error_at(query_, byte, text, code);
  }
  // unexpected "]" in a function call; expected ")"
  Error unexpected(std::string_view where, const std::string& expected) const {
    const std::string found = peek().kind == TokenKind::kEnd ? "end of the query" : quote_short(peek().text);
    return error(peek().begin, "unexpected " + found + " in " + std::string(where) + "; expected " + expected);
  }
  Error unsupported(size_t byte, const std::string& what) const {
    return error(byte, what + " is not supported", Code::kUnimplemented);
  }

 private:
  std::string_view query_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  size_t regexes_ = 0;
};

}  // namespace monitor::query
