// The parts of a binary operation between its operands: the operator, and which series of two vectors match.
#pragma once

#include <string_view>

#include "base/result.h"
#include "query/ast.h"
#include "query/token_stream.h"

namespace monitor::query {

struct Operator {
  std::string_view text;
  BinaryOp op;
  int precedence;  // the operators with the higher one bind more strongly
};

// The precedence of ^, and of a sign, which binds as strongly.
inline constexpr int kPowerPrecedence = 6;

// Null if the token is no binary operator.
const Operator* find_operator(const Token& token);

// Parses on (...) or ignoring (...), with its group_left or group_right, if the next token begins one, and sets
// `given`. `set`: the operator is and, or or unless, which allow no grouping.
Status parse_matching(TokenStream& tokens, Matching& matching, bool set, bool& given);

// Checks that the operands have the types that the operator needs. `sign` is the token of the operator; `matching`:
// on() or ignoring() is given. Errors as parse().
Status check_operands(const TokenStream& tokens, const Binary& binary, const Expression& left, const Expression& right,
                      const Token& sign, bool matching);

}  // namespace monitor::query
