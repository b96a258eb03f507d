#include "ui/web/schema.h"

#include <fmt/format.h>

#include "base/text.h"

namespace monitor::analysis::web {

Schema Schema::with(std::string_view keyword, std::string_view json) && {
  members_ += fmt::format("{}{}:{}", members_.empty() ? "" : ",", json_quote(keyword), json);
  return std::move(*this);
}

Schema Schema::or_null() && { return std::move(*this).with("nullable", "true"); }

Schema Schema::optional() && {
  optional_ = true;
  return std::move(*this);
}

Schema Schema::describe(std::string_view description) && {
  if (description.empty()) return std::move(*this);
  return std::move(*this).with("description", json_quote(description));
}

namespace schema {

namespace {

Schema of_type(std::string_view type, std::string_view description) {
  return Schema().with("type", json_quote(type)).describe(description);
}

}  // namespace

Schema any() { return Schema(); }
Schema text(std::string_view description) { return of_type("string", description); }
Schema number(std::string_view description) { return of_type("number", description); }
Schema integer(std::string_view description) { return of_type("integer", description); }
Schema boolean(std::string_view description) { return of_type("boolean", description); }
Schema time(std::string_view description) { return of_type("number", description); }
Schema open_object(std::string_view description) { return of_type("object", description); }

Schema one_of(const std::vector<std::string_view>& values, std::string_view description) {
  std::string list;
  for (const std::string_view value : values) list += (list.empty() ? "" : ",") + json_quote(value);
  return of_type("string", description).with("enum", "[" + list + "]");
}

Schema list(const Schema& items, std::string_view description) {
  return of_type("array", description).with("items", items.json());
}

Schema map(const Schema& values, std::string_view description) {
  return of_type("object", description).with("additionalProperties", values.json());
}

Schema object(const std::vector<Field>& fields, std::string_view description) {
  std::string properties;
  std::string required;
  for (const auto& [name, value] : fields) {
    properties += fmt::format("{}{}:{}", properties.empty() ? "" : ",", json_quote(name), value.json());
    if (!value.is_optional()) required += (required.empty() ? "" : ",") + json_quote(name);
  }
  Schema made = of_type("object", description).with("properties", "{" + properties + "}");
  return required.empty() ? made : std::move(made).with("required", "[" + required + "]");
}

Schema ref(std::string_view name) {
  return Schema().with("$ref", json_quote("#/components/schemas/" + std::string(name)));
}

}  // namespace schema

}  // namespace monitor::analysis::web
