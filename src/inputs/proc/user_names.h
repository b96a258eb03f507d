// UserNames: names of users from a host's /etc/passwd (passwd(5)).
//
// Users that only a directory service knows have no name here: asking it can block, and needs the host's own libraries.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace monitor::agent {

// Malformed lines are skipped; of several lines with the same number, the first counts.
std::unordered_map<uint32_t, std::string> parse_passwd(std::string_view text);

class UserNames {
 public:
  explicit UserNames(std::string path) : path_(std::move(path)) {}

  // The name of a user; its number if it has none. Reads the file at most once a minute.
  std::string name(uint32_t user, int64_t mono_ns);

 private:
  std::string path_;
  std::unordered_map<uint32_t, std::string> names_;
  bool read_ = false;
  int64_t read_at_ = 0;
};

}  // namespace monitor::agent
