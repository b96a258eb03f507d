// Schema: the JSON Schema (in OpenAPI 3.0's dialect) of a parameter, a request body or a result, declared next to the
// code that reads or writes it:
//
//   schema::object({{"agent", schema::text("the agent's id")},
//                   {"seen", schema::time("when the log stored its newest record").or_null()}})
//
// A value type without invariants; building one costs a few string copies, once at the start of the program.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace monitor::analysis::web {

class Schema {
 public:
  // `members` is the inside of a JSON object, without braces.
  explicit Schema(std::string members = "") : members_(std::move(members)) {}

  Schema or_null() &&;
  // For a field of object(): the field may be missing.
  Schema optional() &&;
  Schema describe(std::string_view description) &&;
  // `json` is a JSON value.
  Schema with(std::string_view keyword, std::string_view json) &&;

  bool is_optional() const { return optional_; }
  std::string json() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
  bool optional_ = false;
};

namespace schema {

using Field = std::pair<std::string_view, Schema>;

// An empty description is omitted.
Schema any();
Schema text(std::string_view description = "");
Schema number(std::string_view description = "");
Schema integer(std::string_view description = "");
Schema boolean(std::string_view description = "");
// Unix seconds, as every time in the API.
Schema time(std::string_view description = "");
Schema one_of(const std::vector<std::string_view>& values, std::string_view description = "");
Schema list(const Schema& items, std::string_view description = "");
// An object with arbitrary names, all values of one kind.
Schema map(const Schema& values, std::string_view description = "");
Schema object(const std::vector<Field>& fields, std::string_view description = "");
// An object whose fields are not declared here.
Schema open_object(std::string_view description = "");
// Refers to one of the document's components.
Schema ref(std::string_view name);

}  // namespace schema

}  // namespace monitor::analysis::web
