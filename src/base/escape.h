// Texts from outside, made harmless for terminals, log lines and spreadsheets. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace monitor {

// The text for tables, log lines and messages: what could act on a terminal or deceive its reader is written out as in
// JSON: "\n", "\t", "\r", "\u001b". That is C0, DEL, C1 (also as UTF-8), line and paragraph separators, marks of the
// bidirectional algorithm, invisible format characters and tags. Invalid UTF-8 becomes U+FFFD. A backslash stays.
std::string printable(std::string_view text);
// The same for a text of several lines: line ends and tabs stay.
std::string printable_lines(std::string_view text);
// A field of a CSV record: printable, in quotes where RFC 4180 asks for them, and with a quote (') before what a
// spreadsheet would take for a formula: = + - @ at its beginning.
std::string csv_field(std::string_view text);

// What the functions above and json_quote() are made of. `special`: ASCII that gets a backslash; `kept`: control
// characters that stay.
std::string escape_text(std::string_view text, std::string_view special = {}, std::string_view kept = {});

// Length of the well-formed UTF-8 sequence at the start (Unicode 15, table 3-7), 0 if there is none.
size_t utf8_sequence(std::string_view text);

}  // namespace monitor
