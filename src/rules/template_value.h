// TemplateValue: the value of a part of a template. A value type; copying a list or a map copies a pointer.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "query/labels.h"

namespace monitor::rules {

struct TemplateMap;

struct TemplateValue {
  using List = std::shared_ptr<const std::vector<TemplateValue>>;
  using Map = std::shared_ptr<const TemplateMap>;
  std::variant<std::monostate, bool, int64_t, double, std::string, List, Map> data;

  bool is_nothing() const { return std::holds_alternative<std::monostate>(data); }
  // As Go: false, 0, "" and what is empty are false.
  bool truth() const;
  // As Go prints it with %v.
  std::string text() const;
  // As Go's %T calls it.
  std::string_view type_name() const;
};

struct TemplateMap {
  enum class Kind : uint8_t {
    kTexts,   // a missing text is ""
    kValues,  // a missing value is nothing
    kFields   // a missing field is an error
  };
  Kind kind = Kind::kValues;
  std::map<std::string, TemplateValue> values;
};

TemplateValue labels_value(const query::Labels& labels);
// A series of a query's result: .Labels and .Value.
TemplateValue sample_value(const query::Labels& labels, double value);

}  // namespace monitor::rules
