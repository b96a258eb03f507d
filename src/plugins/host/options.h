// Options: a plugin's configuration in its host, read by JSON pointer. It records what was read, so that unknown
// options can be rejected. Views are valid while the object exists.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace monitor::plugin_host {

class Options {
 public:
  // The values equal those of MONITOR_OPTION_*.
  enum class Type : uint32_t { kAbsent, kNull, kBoolean, kNumber, kText, kList, kObject };
  struct Found {
    Type type = Type::kAbsent;
    double number = 0;
    std::string_view text;
    size_t count = 0;
  };

  static Result<Options> parse(const std::string& config);

  Found find(std::string_view path);
  // The name of an object's member by index; empty if there is none.
  std::string_view name(std::string_view path, size_t index);
  void refuse(std::string_view path, std::string message);
  // For example: /factor: must be a number; got "x". Empty if nothing is wrong.
  std::string problem() const;

 private:
  const nlohmann::json* at(std::string_view path);

  std::shared_ptr<const nlohmann::json> document_;
  std::vector<std::string> asked_;
  std::vector<std::shared_ptr<std::string>> names_;
  std::string problem_;
};

}  // namespace monitor::plugin_host
