// JSON that somebody else wrote: a status of an agent, a document before it was checked. Thread-safe.
#pragma once

#include <nlohmann/json.hpp>

#include <string_view>

#include "config/document.h"

namespace monitor::config {

// Values are copied, compared and printed level by level, on the stack: what is nested deeper than a document may be is
// left out. Discarded (is_discarded()) when it is no JSON. `Json` is nlohmann's json or ordered_json.
template <typename Json>
Json parse_foreign(std::string_view text) {
  const auto shallow = [](int depth, typename Json::parse_event_t, Json&) {
    return depth <= static_cast<int>(kMaxDocumentDepth);
  };
  return Json::parse(text, shallow, false);
}

}  // namespace monitor::config
