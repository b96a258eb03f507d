#include "ui/top/prompt.h"

#include "base/escape.h"
#include "ui/top/keys.h"

namespace monitor::analysis::top {

void Prompt::open(char sign, std::string text) {
  sign_ = sign;
  text_ = std::move(text);
  choices_.clear();
}

// A whole UTF-8 character.
void Prompt::erase_character() {
  while (!text_.empty() && (static_cast<unsigned char>(text_.back()) & 0xC0) == 0x80) text_.pop_back();
  if (!text_.empty()) text_.pop_back();
}

Prompt::Done Prompt::key(int key, const Completions& known) {
  constexpr int kControlU = 0x15;
  choices_.clear();
  if (key == kEnter) return Done::kEntered;
  if (key == kEscape) return Done::kCancelled;
  if (key == kTab && sign_ == ':') {
    Completed done = complete(text_, known);
    text_ = std::move(done.text);
    choices_ = std::move(done.choices);
  } else if (key == kBackspace) {
    if (text_.empty()) return Done::kCancelled;
    erase_character();
  } else if (key == kControlU) {
    text_.clear();
  } else if (key >= ' ' && key < 256 && key != 127 && text_.size() < kMaxBytes) {
    text_ += static_cast<char>(key);
  }
  return Done::kTyping;
}

std::string Prompt::shown() const {
  std::string out = (is_filter() ? "filter: " : ":") + printable(text_) + "_";
  for (const std::string& one : choices_) out.append("  ").append(printable(one));
  return out;
}

}  // namespace monitor::analysis::top
