// A list of integers in few bytes: the times, the presence and the values of a block (block.h). Every int64 list comes
// back exactly as it was, whatever it contains; the format only assumes that neighbours resemble each other.
//
// docs/history-format.md describes the bytes. In short: subtract the smallest, divide by the greatest common divisor,
// take differences or differences of differences if that is shorter, and write each number as the length of its binary
// form (in a prefix code that is made for this list) followed by its digits. That is how JPEG writes DC coefficients
// (ITU-T T.81, F.1.2.1) and DEFLATE writes distances (RFC 1951, 3.2.5); the code is canonical as in RFC 1951, 3.2.2.
// Differences of differences for times follow Gorilla (Pelkonen et al., VLDB 2015, 4.1.1).
//
// Pure functions. Decoding never reads outside its bytes, and rejects bytes that the encoder cannot have written where
// it can tell.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace monitor::analysis::history {

// Appends the list's bytes. Its length is not among them.
void encode_integers(std::span<const int64_t> values, std::string& out);

// Replaces `values` by the `count` integers in `bytes`. False if the bytes are no such list. Memory: 8 bytes a value.
bool decode_integers(std::string_view bytes, size_t count, std::vector<int64_t>& values);

}  // namespace monitor::analysis::history
