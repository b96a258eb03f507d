// The words of a floor program's command line: name=value, and what is not of that form. Floors have no help, no
// defaults of their own and no library for options, since that would be part of what they cost: tools/bench starts
// them.
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
  // The value of name=value; ends the program when it is not there.
  std::string text(std::string_view name) const {
    if (const std::string_view value = find(name); value.data() != nullptr) return std::string(value);
    static_cast<void>(std::fprintf(stderr, "%.*s=... is missing\n", static_cast<int>(name.size()), name.data()));
    std::exit(64);  // NOLINT(concurrency-mt-unsafe): before any thread
  }
  int64_t number(std::string_view name) const { return std::strtoll(text(name).c_str(), nullptr, 10); }
  // What is not name=value.
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
