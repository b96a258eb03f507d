#include "rules/template_tokens.h"

#include <fmt/format.h>

#include "base/text.h"

namespace monitor::rules::templates {

// Most requests come in ascending order, so that each continues where the last one ended.
Place TemplateTokens::place_of(size_t byte) const {
  if (byte < known_at_) known_ = {}, known_at_ = 0;
  const Place more = place_in(text_.substr(known_at_), byte - known_at_);
  known_ = more.line > 1 ? Place{known_.line + more.line - 1, more.column}
                         : Place{known_.line, known_.column + more.column - 1};
  known_at_ = byte;
  return known_;
}

Error TemplateTokens::error(size_t byte, const std::string& what, Code code) const {
  const Place place = place_of(byte);
  return {code, fmt::format("{}:{}: {}", place.line, place.column, what)};
}

Status TemplateTokens::close() {
  if (peek().kind != Token::Kind::kActionEnd) {
    return error(peek().at, fmt::format("got {}, expected }}}}", json_quote(peek().text)));
  }
  take();
  return {};
}

}  // namespace monitor::rules::templates
