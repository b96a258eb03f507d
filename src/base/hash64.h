// A keyed 64-bit hash of a text, several bytes a cycle (folded 64 x 64 bit multiplications). With a secret key, nobody
// can choose colliding texts; it is not a signature. The same on every machine. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace monitor {

struct HashKey {
  uint64_t first = 0;
  uint64_t second = 0;
};

uint64_t hash64(const HashKey& key, std::string_view text);

}  // namespace monitor
