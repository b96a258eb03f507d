// LuaPattern: matches Lua's patterns (reference manual, 6.4.1) with bounded work: a pathological pattern exhausts its
// script's budget instead of hanging the host. Contains only plain data, because a longjmp may leave a match.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace monitor::plugin_host {

class LuaPattern {
 public:
  static constexpr size_t kMostCaptures = 32;
  static constexpr int kMostDepth = 200;
  static constexpr ptrdiff_t kPosition = -2;  // length of a position capture, "()"

  struct Capture {
    size_t start = 0;
    ptrdiff_t length = 0;
  };

  LuaPattern(std::string_view subject, std::string_view pattern) : subject_(subject), pattern_(pattern) {}

  // Matches at one position; returns the end of the match, or kNone. The caller handles a leading ^.
  static constexpr size_t kNone = static_cast<size_t>(-1);
  size_t match(size_t start);

  // The fault of the pattern; nullptr if there is none. Valid after match().
  const char* error() const { return error_; }
  // Number of steps so far, over all matches.
  int64_t steps() const { return steps_; }
  void set_most_steps(int64_t most) { most_steps_ = most; }
  bool exhausted() const { return steps_ > most_steps_; }

  size_t captures() const { return level_; }
  const Capture& capture(size_t i) const { return captures_[i]; }

 private:
  static constexpr ptrdiff_t kOpen = -1;

  size_t fail(const char* error);
  bool step();
  bool at_end(size_t p) const { return p >= pattern_.size(); }
  size_t run(size_t s, size_t p);
  static bool is_special(char kind);
  bool special(size_t& s, size_t& p, char kind);
  size_t end_of_item(size_t p);
  bool single(size_t s, size_t p, size_t item_end);
  static bool in_class(unsigned char c, char kind);
  bool in_set(unsigned char c, size_t p, size_t set_end) const;
  size_t longest(size_t s, size_t p, size_t item_end);
  size_t shortest(size_t s, size_t p, size_t item_end);
  size_t open_capture(size_t s, size_t p, ptrdiff_t length);
  size_t close_capture(size_t s, size_t p);
  size_t balanced(size_t s, size_t p);
  bool frontier(size_t s, size_t p, size_t set_end) const;
  size_t back_reference(size_t s, char digit);

  std::string_view subject_;
  std::string_view pattern_;
  const char* error_ = nullptr;
  int64_t steps_ = 0;
  int64_t most_steps_ = INT64_MAX;
  int depth_ = 0;
  size_t level_ = 0;
  std::array<Capture, kMostCaptures> captures_{};
};

}  // namespace monitor::plugin_host
