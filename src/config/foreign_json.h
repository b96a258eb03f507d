// Parses JSON from untrusted authors: an agent's status, a document before validation. Thread-safe.
#pragma once

#include <nlohmann/json.hpp>

#include <string_view>

#include "config/document.h"

namespace monitor::config {

// Returns a discarded value (is_discarded()) if the text is not JSON. Omits everything nested deeper than a document
// may be, because nlohmann copies, compares and prints values recursively on the stack. `Json` is nlohmann's json or
// ordered_json.
template <typename Json>
Json parse_foreign(std::string_view text) {
  const auto shallow = [](int depth, typename Json::parse_event_t, Json&) {
    return depth <= static_cast<int>(kMaxDocumentDepth);
  };
  return Json::parse(text, shallow, false);
}

}  // namespace monitor::config
