// The line in which the user types a filter (/) or a command (:). Not thread-safe.
#pragma once

#include <string>
#include <vector>

#include "ui/top/command.h"

namespace monitor::analysis::top {

class Prompt {
 public:
  static constexpr size_t kMaxBytes = 256;
  enum class Done { kTyping, kEntered, kCancelled };

  void open(char sign, std::string text = "");
  bool is_filter() const { return sign_ == '/'; }
  const std::string& text() const { return text_; }
  // Completes a command with Tab.
  Done key(int key, const Completions& known);
  // What the user sees, escaped, with the choices of the last completion.
  std::string shown() const;

 private:
  void erase_character();

  char sign_ = ':';
  std::string text_;
  std::vector<std::string> choices_;
};

}  // namespace monitor::analysis::top
