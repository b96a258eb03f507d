// How many columns text takes on a terminal, and fitting text into columns. Text is UTF-8 without control characters
// (printable() escapes them). Pure functions that do not depend on the locale.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace monitor::analysis {

// 2 for wide characters (East Asian, emoji), 0 for combining marks, otherwise 1. A byte that is not UTF-8 counts as 1.
size_t text_width(std::string_view text);

// As much of the start of `text` as fits, without splitting a character or its combining marks.
std::string_view text_prefix(std::string_view text, size_t columns);

// Exactly `columns` wide, padded with spaces. Text that is too long ends with `cut`, or is just cut off if that is
// empty.
std::string fit_left(std::string_view text, size_t columns, std::string_view cut = "");
std::string fit_right(std::string_view text, size_t columns, std::string_view cut = "");

// For terminals without UTF-8: every other character becomes as many question marks as it is wide.
std::string to_ascii(std::string_view text);

}  // namespace monitor::analysis
