// A keyed 64-bit hash of a text that handles several bytes per cycle (folded 64 x 64 bit multiplications). Without the
// key, nobody can choose texts that collide; it is not a signature. The result is the same on every machine. Pure.
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
