// SHA-256 (FIPS 180-4), for names of series sets: agents of different owners share sets, so nobody may be able to make
// two sets with one name. Pure. Not for secrets: it is not written against side channels.
#pragma once

#include <string>
#include <string_view>

namespace monitor::payload {

// 32 bytes.
std::string sha256(std::string_view bytes);

}  // namespace monitor::payload
