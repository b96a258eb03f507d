// Fields: reads the fields of a JSON object strictly, and remembers the first fault with its path. For stored documents
// that anyone with access to the store may have written. Not thread-safe.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"

namespace monitor::config::rollout {

// What went wrong first; shared by the readers of an object and of its parts.
struct Fault {
  std::optional<Error> error;
};

class Fields {
 public:
  // `path`: of the object, for messages. Both must outlive the reader.
  Fields(const nlohmann::json& object, std::string path, Fault& fault);

  // Absent fields have the default; a field of another type, or beyond its bounds, is a fault.
  std::string text(const char* name, size_t most);
  // A time in RFC 3339; absent or null: 0.
  int64_t time(const char* name);
  int64_t whole(const char* name, int64_t least, int64_t most);
  bool flag(const char* name);
  std::optional<double> number(const char* name);
  // A list or an object with at most `most` members; nullptr: absent.
  const nlohmann::json* list(const char* name, size_t most);
  const nlohmann::json* object(const char* name, size_t most);
  // A fault if it is absent or empty.
  std::string needed(const char* name, size_t most);
  // Reports fields that nobody asked for.
  void done();

  void wrong(const char* name, const std::string& expected);
  std::string path(const char* name) const { return path_ + "/" + name; }
  Fault& fault() { return fault_; }

 private:
  const nlohmann::json* find(const char* name);
  const nlohmann::json* container(const char* name, size_t most, bool list);

  const nlohmann::json& object_;
  std::string path_;
  Fault& fault_;
  std::set<std::string> asked_;
};

}  // namespace monitor::config::rollout
