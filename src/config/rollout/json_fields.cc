#include "config/rollout/json_fields.h"

#include <fmt/format.h>

#include "base/text.h"
#include "base/time_format.h"
#include "config/validate.h"

namespace monitor::config::rollout {

using nlohmann::json;

namespace {

constexpr size_t kShown = 60;

}  // namespace

Fields::Fields(const json& object, std::string path, Fault& fault)
    : object_(object), path_(std::move(path)), fault_(fault) {
  if (!object_.is_object() && !fault_.error) {
    fault_.error = Error(Code::kInvalidArgument, fmt::format("{}: got {}, expected an object",
                                                             path_.empty() ? "/" : path_, shortened(object_)));
  }
}

void Fields::wrong(const char* name, const std::string& expected) {
  if (fault_.error) return;
  const bool there = object_.is_object() && object_.contains(name);
  fault_.error = Error(Code::kInvalidArgument, fmt::format("{}: got {}, expected {}", path(name),
                                                           there ? shortened(object_.at(name)) : "nothing", expected));
}

const json* Fields::find(const char* name) {
  asked_.insert(name);
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::string Fields::text(const char* name, size_t most) {
  const json* const value = find(name);
  if (value == nullptr) return {};
  if (!value->is_string()) {
    wrong(name, "a text");
    return {};
  }
  const auto& text = value->get_ref<const std::string&>();
  if (text.size() <= most) return text;
  wrong(name, fmt::format("at most {} bytes", most));
  return {};
}

std::string Fields::needed(const char* name, size_t most) {
  std::string value = text(name, most);
  if (value.empty()) wrong(name, "a text");
  return value;
}

int64_t Fields::time(const char* name) {
  constexpr size_t kMostBytes = 64;
  const std::string value = text(name, kMostBytes);
  if (value.empty()) return 0;
  const auto time = parse_rfc3339(value);
  if (!time) wrong(name, "a time as 2026-11-22T12:00:00Z");
  return time ? *time : 0;
}

int64_t Fields::whole(const char* name, int64_t least, int64_t most) {
  const json* const value = find(name);
  if (value == nullptr) return least <= 0 ? 0 : least;
  const bool whole = value->is_number_integer() &&
                     (!value->is_number_unsigned() || value->get<uint64_t>() <= static_cast<uint64_t>(INT64_MAX));
  if (whole && value->get<int64_t>() >= least && value->get<int64_t>() <= most) return value->get<int64_t>();
  wrong(name, fmt::format("a whole number from {} to {}", least, most));
  return least;
}

bool Fields::flag(const char* name) {
  const json* const value = find(name);
  if (value != nullptr && !value->is_boolean()) wrong(name, "true or false");
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

std::optional<double> Fields::number(const char* name) {
  const json* const value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) {
    wrong(name, "a number");
    return std::nullopt;
  }
  return value->get<double>();
}

const json* Fields::container(const char* name, size_t most, bool list) {
  const json* const value = find(name);
  if (value == nullptr) return nullptr;
  if (list ? !value->is_array() : !value->is_object()) {
    wrong(name, list ? "a list" : "an object");
    return nullptr;
  }
  if (value->size() > most) {
    wrong(name, fmt::format("at most {} members", most));
    return nullptr;
  }
  return value;
}

const json* Fields::list(const char* name, size_t most) { return container(name, most, true); }
const json* Fields::object(const char* name, size_t most) { return container(name, most, false); }

void Fields::done() {
  if (fault_.error || !object_.is_object()) return;
  for (const auto& [name, value] : object_.items()) {
    if (asked_.contains(name)) continue;
    fault_.error =
        Error(Code::kInvalidArgument, fmt::format("{}/{}: unknown field; a newer version may have written it", path_,
                                                  sanitize_utf8(name.substr(0, kShown))));
    return;
  }
}

}  // namespace monitor::config::rollout
