// The lexer of PromQL: turns the text of a query into tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace monitor::query {

enum class TokenKind : uint8_t {
  kEnd,
  kIdentifier,  // names and keywords; the parser knows which
  kNumber,
  kDuration,
  kString,       // `text` is the unescaped content
  kOperator,     // + - * / % ^ == != =~ !~ = < <= > >=
  kPunctuation,  // ( ) { } [ ] , : @
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text = {};
  double number = 0;        // of a kNumber
  int64_t duration_ms = 0;  // of a kDuration
  size_t begin = 0;         // bytes from the start of the query
  size_t end = 0;
};

// The last token is a kEnd. Errors: kInvalidArgument, "LINE:COLUMN: reason", as from error_at().
Result<std::vector<Token>> tokenize(std::string_view query);

// The place of a byte in the query: "1:5".
std::string place_of(std::string_view query, size_t byte);

// An error of the query at a byte: "1:5: text". Lines and columns count from 1; a column is a UTF-8 character.
Error error_at(std::string_view query, size_t byte, const std::string& text, Code code = Code::kInvalidArgument);

}  // namespace monitor::query
