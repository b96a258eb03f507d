// The parts of a function's call, such as rate(up[5m]), apart from its arguments. Errors as parse().
#pragma once

#include <vector>

#include "base/result.h"
#include "query/ast.h"
#include "query/token_stream.h"

namespace monitor::query {

// Returns the function that the token `name` names; never null.
Result<const FunctionSpec*> known_function(const TokenStream& tokens, const Token& name);

// Checks the number of the arguments and their types.
Status check_arguments(const TokenStream& tokens, const FunctionSpec& function,
                       const std::vector<ExpressionPtr>& arguments, const Token& name);

}  // namespace monitor::query
