// Escapes foreign text for terminals, log lines and spreadsheets. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace monitor {

// For tables, log lines and messages: writes anything that could control a terminal or deceive its reader as a JSON
// escape: "\n", "\t", "\r", "\u001b". That includes C0, DEL, C1 (also as UTF-8), line and paragraph separators,
// bidirectional marks, invisible format characters and tags. Invalid UTF-8 becomes U+FFFD. A backslash stays.
std::string printable(std::string_view text);
// The same for text with several lines: newlines and tabs stay.
std::string printable_lines(std::string_view text);
// A field of a CSV record: printable, quoted where RFC 4180 requires it, and with a leading quote (') before = + - @,
// which a spreadsheet would take for a formula.
std::string csv_field(std::string_view text);

// The common implementation, also of json_quote(). `special`: ASCII that gets a backslash; `kept`: control characters
// that stay.
std::string escape_text(std::string_view text, std::string_view special = {}, std::string_view kept = {});

// Length of the well-formed UTF-8 sequence at the start (Unicode 15, table 3-7), 0 if there is none.
size_t utf8_sequence(std::string_view text);

}  // namespace monitor
