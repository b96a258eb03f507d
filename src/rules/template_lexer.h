// Cuts a template into tokens. Internal to the template_*.cc files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/yaml_tree.h"

namespace monitor::rules::templates {

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

// The place of a byte of the text.
Place place_in(std::string_view text, size_t at);

// The last token is kEnd. Errors as Template::parse().
Result<std::vector<Token>> tokens_of(std::string_view text);

}  // namespace monitor::rules::templates
