// Small helpers on text: JSON quoting, hex, UTF-8, splitting, the nearest known name. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace monitor {

// A JSON string literal, quotes included (RFC 8259). Invalid UTF-8 becomes U+FFFD.
std::string json_quote(std::string_view text);
// The shortest decimal that reads back as the same double; NaN and infinities are null.
std::string json_number(double value);

bool valid_utf8(std::string_view text);
// The text with every invalid sequence replaced by U+FFFD, control characters included (they break terminals).
std::string sanitize_utf8(std::string_view text);

std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);
std::string_view trim(std::string_view text);

// Whole text or nothing; no sign, no space for unsigned.
std::optional<uint64_t> parse_u64(std::string_view text);
std::optional<int64_t> parse_i64(std::string_view text);
std::optional<double> parse_double(std::string_view text);

// The candidate nearest to `got` by edits, if it is near enough to be a typing error (a third of its length, at least
// 2).
std::optional<std::string> nearest(std::string_view got, std::span<const std::string> candidates);

// Shell pattern with * and ?; matches the whole text. Linear in both lengths for any pattern.
bool glob_match(std::string_view pattern, std::string_view text);

// [A-Za-z0-9._-], 1 to 128 characters, not "." or "..": safe as a file name and as the end of a key.
bool valid_name(std::string_view text);

}  // namespace monitor
