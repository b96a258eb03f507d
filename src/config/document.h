// Document: a JSON document that knows the line of each value, and merge patches of several documents.
//
// Parsing is strict: UTF-8, no duplicate keys, no trailing text, limits on size and depth. Error messages can name the
// line of a bad value. Immutable after parsing; cheap to copy.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace monitor::config {

inline constexpr size_t kMaxDocumentBytes = size_t{256} * 1024;
inline constexpr size_t kMaxDocumentDepth = 32;

class Document {
 public:
  // The error's message has line and column. Codes: kInvalidArgument, kResourceExhausted (size, depth).
  static Result<Document> parse(std::string_view text);

  const nlohmann::json& value() const { return *value_; }
  // The line of the value at a JSON pointer (RFC 6901), or of its nearest ancestor in the document; 0 if there is none.
  int line(const std::string& pointer) const;
  bool contains(const std::string& pointer) const { return lines_->contains(pointer); }
  // A copy without one top-level field.
  Document without(const std::string& name) const;

 private:
  Document(std::shared_ptr<const nlohmann::json> value, std::shared_ptr<const std::map<std::string, int>> lines)
      : value_(std::move(value)), lines_(std::move(lines)) {}

  std::shared_ptr<const nlohmann::json> value_;
  std::shared_ptr<const std::map<std::string, int>> lines_;
};

// A layer of a configuration: a document and its key.
struct Layer {
  std::string key;
  int64_t revision = 0;
  Document document;
  bool own = false;  // an agent's own document, the only one that may list groups
};

// Merges layers, lowest first: each patches the result of the layers below it (JSON Merge Patch, RFC 7396).
nlohmann::json merge_layers(const std::vector<Layer>& layers);

// The highest layer that sets the value at the pointer or an ancestor of it; nullptr for a built-in default.
const Layer* origin_of(const std::vector<Layer>& layers, const std::string& pointer);

// One step of a JSON pointer, escaped: "/a~1b" for "a/b".
std::string pointer_step(std::string_view name);

}  // namespace monitor::config
