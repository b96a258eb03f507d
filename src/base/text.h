// Helpers for text: JSON quoting, UTF-8, splitting, the nearest known name. Pure functions.
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
// The shortest decimal that parses back to the same double; null for NaN and infinities.
std::string json_number(double value);

bool valid_utf8(std::string_view text);
// Replaces invalid sequences and control characters (which could control a terminal) with U+FFFD.
std::string sanitize_utf8(std::string_view text);

std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);
std::string_view trim(std::string_view text);

// Parses the whole text or fails; unsigned numbers allow neither sign nor spaces.
std::optional<uint64_t> parse_u64(std::string_view text);
std::optional<int64_t> parse_i64(std::string_view text);
std::optional<double> parse_double(std::string_view text);

// The candidate with the smallest edit distance to `got`, if the distance is small enough for a typo: at most a third
// of the length, or 2 if that is more, and never more than half of it.
std::optional<std::string> nearest(std::string_view got, std::span<const std::string> candidates);

// Matches the whole text against a shell pattern with * and ?, in linear time for any pattern.
bool glob_match(std::string_view pattern, std::string_view text);

// 1 to 128 of [A-Za-z0-9._-], not "." or "..": safe as a file name and as a segment of a key.
bool valid_name(std::string_view text);

}  // namespace monitor
