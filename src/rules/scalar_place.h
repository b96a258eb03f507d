// Translates a place within the text of a YAML scalar into a place in the file. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "rules/yaml_tree.h"

namespace monitor::rules {

struct InnerPlace {
  Place place;
  std::string text;
};
// Splits "2:5: TEXT". A text without a place is at 1:1.
InnerPlace split_place(std::string_view text);

// Exact for scalars on one line without escapes, and for block scalars that keep their lines (|). For others, the
// scalar's own place.
Place place_in_scalar(std::string_view file, const YamlNode& scalar, const Place& inside);

}  // namespace monitor::rules
