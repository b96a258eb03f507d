#include "plugins/host/options.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "plugins/wire/wire.h"

namespace monitor::plugin_host {

using nlohmann::json;

Result<Options> Options::parse(const std::string& config) {
  Options options;
  json document = json::parse(config, nullptr, false);
  if (!document.is_object()) return Error(Code::kInvalidArgument, "its configuration must be an object");
  options.document_ = std::make_shared<const json>(std::move(document));
  return options;
}

const json* Options::at(std::string_view path) {
  const std::string top(path.substr(0, path.find('/', 1)));
  if (top.size() > 1 && std::find(asked_.begin(), asked_.end(), top.substr(1)) == asked_.end()) {
    asked_.push_back(top.substr(1));
  }
  try {
    const json::json_pointer pointer{std::string(path)};
    return document_->contains(pointer) ? &document_->at(pointer) : nullptr;
  } catch (const json::exception&) {
    return nullptr;  // no pointer, or one into what is no object: there is nothing
  }
}

Options::Found Options::find(std::string_view path) {
  const json* const value = at(path);
  Found found;
  if (value == nullptr) return found;
  if (value->is_null()) found.type = Type::kNull;
  if (value->is_boolean()) found = {Type::kBoolean, value->get<bool>() ? 1.0 : 0.0, {}, 0};
  if (value->is_number()) found = {Type::kNumber, value->get<double>(), {}, 0};
  if (value->is_string()) found = {Type::kText, 0, value->get_ref<const std::string&>(), 0};
  if (value->is_array()) found = {Type::kList, 0, {}, value->size()};
  if (value->is_object()) found = {Type::kObject, 0, {}, value->size()};
  return found;
}

std::string_view Options::name(std::string_view path, size_t index) {
  const json* const value = at(path);
  if (value == nullptr || !value->is_object() || index >= value->size()) return {};
  return *names_.emplace_back(std::make_shared<std::string>(std::next(value->begin(), static_cast<long>(index)).key()));
}

void Options::refuse(std::string_view path, std::string message) {
  if (!problem_.empty()) return;
  const json* const value = at(path);
  problem_ = fmt::format("{}: {}", plugin_wire::tame(path), message);
  if (value != nullptr) {
    problem_ += "; got " + plugin_wire::tame(value->dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 80));
  }
}

std::string Options::problem() const {
  if (!problem_.empty()) return problem_;
  for (const auto& [name, value] : document_->items()) {
    // In a pointer, ~ and / are escaped.
    const json::json_pointer pointer = json::json_pointer() / name;
    if (std::find(asked_.begin(), asked_.end(), pointer.to_string().substr(1)) != asked_.end()) continue;
    return fmt::format("/{}: unknown option (known: {})", plugin_wire::tame(name),
                       asked_.empty() ? "none" : join(asked_, ", "));
  }
  return "";
}

}  // namespace monitor::plugin_host
