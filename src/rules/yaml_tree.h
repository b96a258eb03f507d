// A YAML document as a tree whose nodes have their place in the file, so that faults can name line and column.
//
// Size, depth and number of nodes are bounded for every text. An alias refers to the node of its anchor and copies
// nothing, so code that walks the tree must bound how often it visits a node.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace monitor::rules {

// Counted from 1, as editors do. Columns are characters.
struct Place {
  int line = 1;
  int column = 1;

  bool operator==(const Place&) const = default;
};

// An error in a file, with its place.
struct Fault {
  Place place;
  std::string text;

  // "3:5: TEXT"
  std::string to_string() const;
};

struct YamlNode;
using YamlPtr = std::shared_ptr<const YamlNode>;

// Immutable once it is parsed.
struct YamlNode {
  enum class Kind { kNull, kScalar, kSequence, kMap };

  Kind kind = Kind::kNull;
  Place place;
  std::string text = {};  // of a scalar
  bool quoted = false;    // the scalar was quoted or a block, so it is always a text
  std::vector<YamlPtr> items = {};
  std::vector<std::pair<YamlPtr, YamlPtr>> entries = {};  // in the order of the file

  // "a text", "nothing", "a list", "a map"
  std::string_view kind_name() const;
};

struct YamlLimits {
  size_t bytes = size_t{4} << 20;
  size_t depth = 64;
  size_t nodes = 500'000;
};

struct YamlDocument {
  YamlPtr root;               // nullptr if there are faults, or the text is empty
  std::vector<Fault> faults;  // at most one
};

// Parses a text with one document. The key "<<" merges maps, as in YAML 1.1. A tag is a fault, and so is a key that
// occurs twice in a map.
YamlDocument parse_yaml(std::string_view text, const YamlLimits& limits = {});

}  // namespace monitor::rules
