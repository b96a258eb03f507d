// A JSON document with the places of its values, and merge patches of several.
//
// Parsing is strict: UTF-8, no duplicate key, no trailing text, a cap on size and depth. Every value's line is kept, so
// that a refusal can say where. Immutable after parsing; cheap to copy.
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
  // The error's message says line and column. Error codes: kInvalidArgument, kResourceExhausted (size, depth).
  static Result<Document> parse(std::string_view text);

  const nlohmann::json& value() const { return *value_; }
  // The line of the value at a JSON pointer (RFC 6901) or of its nearest ancestor; 0 if nothing of it is in here.
  int line(const std::string& pointer) const;
  bool contains(const std::string& pointer) const { return lines_->contains(pointer); }
  // The same without a field at the top.
  Document without(const std::string& name) const;

 private:
  Document(std::shared_ptr<const nlohmann::json> value, std::shared_ptr<const std::map<std::string, int>> lines)
      : value_(std::move(value)), lines_(std::move(lines)) {}

  std::shared_ptr<const nlohmann::json> value_;
  std::shared_ptr<const std::map<std::string, int>> lines_;
};

// One layer of a configuration: a document and the key it stands under.
struct Layer {
  std::string key;
  int64_t revision = 0;
  Document document;
  bool own = false;  // an agent's own document: it alone may name groups
};

// Lowest first; a later one patches what is below it (RFC 7396).
nlohmann::json merge_layers(const std::vector<Layer>& layers);

// The topmost layer that says something at the pointer or above it; nullptr if none does (a built-in default).
const Layer* origin_of(const std::vector<Layer>& layers, const std::string& pointer);

// One step of a JSON pointer, escaped: "/a~1b" for "a/b".
std::string pointer_step(std::string_view name);

}  // namespace monitor::config
