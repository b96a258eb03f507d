#include "plugins/host/lua_pattern.h"

#include <cctype>
#include <cstring>

namespace monitor::plugin_host {

size_t LuaPattern::match(size_t start) {
  level_ = 0;
  depth_ = 0;
  const size_t end = run(start, 0);
  if (error_ != nullptr || exhausted()) return kNone;
  for (size_t i = 0; end != kNone && i < level_; ++i) {
    if (captures_.at(i).length == kOpen) return fail("unfinished capture");
  }
  return end;
}

size_t LuaPattern::fail(const char* error) {
  if (error_ == nullptr) error_ = error;
  return kNone;
}

bool LuaPattern::step() { return ++steps_ <= most_steps_ && error_ == nullptr; }

// Returns the end of a match of the pattern from p on, at subject position s. Items without alternatives are handled in
// the loop; alternatives recurse.
size_t LuaPattern::run(size_t s, size_t p) {
  struct Depth {
    int& depth;
    explicit Depth(int& d) : depth(d) { ++depth; }
    ~Depth() { --depth; }
  } const depth(depth_);
  if (depth_ > kMostDepth) return fail("pattern too complex");
  while (!at_end(p)) {
    if (!step()) return kNone;
    const char c = pattern_[p];
    const char next = p + 1 < pattern_.size() ? pattern_[p + 1] : '\0';
    if (c == '(') return next == ')' ? open_capture(s, p + 2, kPosition) : open_capture(s, p + 1, kOpen);
    if (c == ')') return close_capture(s, p + 1);
    if (c == '$' && p + 1 == pattern_.size()) return s == subject_.size() ? s : kNone;
    if (c == '%' && is_special(next)) {
      if (!special(s, p, next)) return kNone;
      continue;
    }
    const size_t item_end = end_of_item(p);
    if (item_end == kNone) return kNone;
    steps_ += static_cast<int64_t>((item_end - p) / 8);
    const char quantifier = at_end(item_end) ? '\0' : pattern_[item_end];
    if (quantifier == '*') return longest(s, p, item_end);
    if (quantifier == '+') return single(s, p, item_end) ? longest(s + 1, p, item_end) : kNone;
    if (quantifier == '-') return shortest(s, p, item_end);
    if (quantifier == '?') {
      if (single(s, p, item_end)) {
        const size_t with = run(s + 1, item_end + 1);
        if (with != kNone || error_ != nullptr) return with;
      }
      p = item_end + 1;
      continue;
    }
    if (!single(s, p, item_end)) return kNone;
    ++s;
    p = item_end;
  }
  return s;
}

// What "%" and this letter match is more than one character.
bool LuaPattern::is_special(char kind) {
  return kind == 'b' || kind == 'f' || std::isdigit(static_cast<unsigned char>(kind)) != 0;
}

// Matches "%bxy", "%f[set]" or "%1" at p, and moves s and p behind it.
bool LuaPattern::special(size_t& s, size_t& p, char kind) {
  if (kind == 'b') {
    s = balanced(s, p + 2);
    p += 4;
    return s != kNone;
  }
  p += 2;
  if (kind != 'f') {
    s = back_reference(s, kind);
    return s != kNone;
  }
  if (at_end(p) || pattern_[p] != '[') return fail("missing '[' after '%f' in pattern") != kNone;
  const size_t set_end = end_of_item(p);
  if (set_end == kNone) return false;
  steps_ += static_cast<int64_t>((set_end - p) / 4);  // the set is read to its end, and searched twice
  if (!frontier(s, p, set_end)) return false;
  p = set_end;
  return true;
}

// One item: a character, an escaped one, or a set.
size_t LuaPattern::end_of_item(size_t p) {
  const char c = pattern_[p++];
  if (c == '%') return at_end(p) ? fail("malformed pattern (ends with '%')") : p + 1;
  if (c != '[') return p;
  if (!at_end(p) && pattern_[p] == '^') ++p;
  do {  // a ] in first place stands for itself
    if (at_end(p)) return fail("malformed pattern (missing ']')");
    if (pattern_[p++] == '%') {
      if (at_end(p)) return fail("malformed pattern (missing ']')");
      ++p;
    }
  } while (at_end(p) || pattern_[p] != ']');
  return p + 1;
}

bool LuaPattern::in_class(unsigned char c, char kind) {
  bool in = false;
  switch (std::tolower(static_cast<unsigned char>(kind))) {
    case 'a':
      in = std::isalpha(c) != 0;
      break;
    case 'c':
      in = std::iscntrl(c) != 0;
      break;
    case 'd':
      in = std::isdigit(c) != 0;
      break;
    case 'g':
      in = std::isgraph(c) != 0;
      break;
    case 'l':
      in = std::islower(c) != 0;
      break;
    case 'p':
      in = std::ispunct(c) != 0;
      break;
    case 's':
      in = std::isspace(c) != 0;
      break;
    case 'u':
      in = std::isupper(c) != 0;
      break;
    case 'w':
      in = std::isalnum(c) != 0;
      break;
    case 'x':
      in = std::isxdigit(c) != 0;
      break;
    default:
      return static_cast<unsigned char>(kind) == c;
  }
  return std::isupper(static_cast<unsigned char>(kind)) != 0 ? !in : in;
}

// True if the set from p ('[') to before set_end contains the character.
bool LuaPattern::in_set(unsigned char c, size_t p, size_t set_end) const {
  const size_t last = set_end - 1;  // position of the closing ]
  bool found = true;
  ++p;
  if (pattern_[p] == '^') {
    found = false;
    ++p;
  }
  for (const size_t first = p; p < last; ++p) {
    if (pattern_[p] == '%' && p + 1 < last) {
      ++p;
      if (in_class(c, pattern_[p])) return found;
    } else if (p + 2 < last && pattern_[p + 1] == '-' && (pattern_[p] != ']' || p == first)) {
      const auto low = static_cast<unsigned char>(pattern_[p]);
      const auto high = static_cast<unsigned char>(pattern_[p + 2]);
      if (low <= c && c <= high) return found;
      p += 2;
    } else if (static_cast<unsigned char>(pattern_[p]) == c) {
      return found;
    }
  }
  return !found;
}

bool LuaPattern::single(size_t s, size_t p, size_t item_end) {
  steps_ += static_cast<int64_t>((item_end - p) / 8);  // a long set takes time to search
  if (s >= subject_.size()) return false;
  const auto c = static_cast<unsigned char>(subject_[s]);
  switch (pattern_[p]) {
    case '.':
      return true;
    case '%':
      return in_class(c, pattern_[p + 1]);
    case '[':
      return in_set(c, p, item_end);
    default:
      return static_cast<unsigned char>(pattern_[p]) == c;
  }
}

size_t LuaPattern::longest(size_t s, size_t p, size_t item_end) {
  size_t count = 0;
  while (single(s + count, p, item_end)) {
    if (!step()) return kNone;
    ++count;
  }
  while (true) {
    const size_t end = run(s + count, item_end + 1);
    if (end != kNone || count == 0 || !step()) return end;
    --count;
  }
}

size_t LuaPattern::shortest(size_t s, size_t p, size_t item_end) {
  while (step()) {
    const size_t end = run(s, item_end + 1);
    if (end != kNone) return end;
    if (!single(s, p, item_end)) return kNone;
    ++s;
  }
  return kNone;
}

size_t LuaPattern::open_capture(size_t s, size_t p, ptrdiff_t length) {
  if (level_ >= kMostCaptures) return fail("too many captures");
  captures_.at(level_++) = {s, length};
  const size_t end = run(s, p);
  if (end == kNone) --level_;
  return end;
}

size_t LuaPattern::close_capture(size_t s, size_t p) {
  size_t open = level_;
  while (open > 0 && captures_.at(open - 1).length != kOpen) --open;
  if (open == 0) return fail("invalid pattern capture");
  Capture& capture = captures_.at(open - 1);
  capture.length = static_cast<ptrdiff_t>(s - capture.start);
  const size_t end = run(s, p);
  if (end == kNone) capture.length = kOpen;
  return end;
}

size_t LuaPattern::balanced(size_t s, size_t p) {
  if (p + 1 >= pattern_.size()) return fail("malformed pattern (missing arguments to '%b')");
  if (s >= subject_.size() || subject_[s] != pattern_[p]) return kNone;
  const char open = pattern_[p];
  const char close = pattern_[p + 1];
  int64_t depth = 1;
  for (++s; s < subject_.size(); ++s) {
    if (!step()) return kNone;
    if (subject_[s] == close) {
      if (--depth == 0) return s + 1;
    } else if (subject_[s] == open) {
      ++depth;
    }
  }
  return kNone;
}

bool LuaPattern::frontier(size_t s, size_t p, size_t set_end) const {
  const auto before = static_cast<unsigned char>(s == 0 ? '\0' : subject_[s - 1]);
  const auto here = static_cast<unsigned char>(s >= subject_.size() ? '\0' : subject_[s]);
  return !in_set(before, p, set_end) && in_set(here, p, set_end);
}

size_t LuaPattern::back_reference(size_t s, char digit) {
  const auto index = static_cast<size_t>(digit - '1');
  if (digit == '0' || index >= level_ || captures_.at(index).length == kOpen) {
    return fail("invalid capture index in pattern");
  }
  if (captures_.at(index).length == kPosition) return kNone;  // a position is not a string
  const std::string_view text =
      subject_.substr(captures_.at(index).start, static_cast<size_t>(captures_.at(index).length));
  steps_ += static_cast<int64_t>(text.size() / 16);
  return subject_.substr(s).starts_with(text) ? s + text.size() : kNone;
}

}  // namespace monitor::plugin_host
