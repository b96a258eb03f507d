// The command line of a floor program: name=value arguments and positional arguments. tools/bench starts the floors.
// They have no help, no defaults and no option library, because these would add to the measured cost.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace monitor::bench {

class Arguments {
 public:
  Arguments(int argc, char** argv) : words_(argv + 1, argv + argc) {}

  bool has(std::string_view name) const { return find(name).data() != nullptr; }
  // Returns the value of name=value. Exits if the argument is missing.
  std::string text(std::string_view name) const {
    if (const std::string_view value = find(name); value.data() != nullptr) return std::string(value);
    static_cast<void>(std::fprintf(stderr, "%.*s=... is missing\n", static_cast<int>(name.size()), name.data()));
    std::exit(64);  // NOLINT(concurrency-mt-unsafe): before any thread
  }
  int64_t number(std::string_view name) const { return std::strtoll(text(name).c_str(), nullptr, 10); }
  // Positional arguments.
  std::vector<std::string> rest() const {
    std::vector<std::string> rest;
    for (const std::string_view word : words_) {
      if (word.find('=') == std::string_view::npos) rest.emplace_back(word);
    }
    return rest;
  }

 private:
  std::string_view find(std::string_view name) const {
    for (const std::string_view word : words_) {
      if (word.size() > name.size() && word.starts_with(name) && word[name.size()] == '=') {
        return word.substr(name.size() + 1);
      }
    }
    return {};
  }

  std::vector<std::string_view> words_;
};

}  // namespace monitor::bench
