// A number with its noun, for messages to people: "1 agent", "3 agents". Pure functions.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace monitor {

// `many` is needed for nouns whose plural is not the singular with an s: counted(2, "batch", "batches").
template <std::integral Number>
std::string counted(Number count, std::string_view one, std::string_view many = "") {
  std::string text = std::to_string(count) + ' ';
  if (count == 1) return text.append(one);
  return many.empty() ? text.append(one) + 's' : text.append(many);
}

}  // namespace monitor
