// 64 bits of a text under a key, at several bytes a cycle: multiplications of 64 by 64 bits, folded. With a key that
// nobody else knows, nobody can choose texts that collide; it is no signature. The same on every machine. Pure.
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
