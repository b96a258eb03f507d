#include "base/hash64.h"

#include <gtest/gtest.h>

#include <bit>
#include <set>
#include <string>

namespace monitor {
namespace {

TEST(Hash64, DiffersByEveryByteTheLengthAndTheKey) {
  for (const size_t size : {1U, 8U, 31U, 32U, 33U, 64U, 200U}) {
    const std::string text(size, '\0');
    std::set<uint64_t> seen{hash64({1, 2}, text), hash64({1, 3}, text), hash64({2, 2}, text)};
    for (size_t i = 0; i < size; ++i) {
      std::string other = text;
      other[i] = 1;
      seen.insert(hash64({1, 2}, other));
      seen.insert(hash64({1, 2}, text.substr(0, i)));
    }
    EXPECT_EQ(seen.size(), 3 + 2 * size);
  }
}

TEST(Hash64, OneChangedBitChangesHalfOfTheHash) {
  const std::string text(100, 'x');
  int changed = 0;
  for (size_t bit = 0; bit < 8 * text.size(); ++bit) {
    std::string other = text;
    other[bit / 8] = static_cast<char>(other[bit / 8] ^ (1 << (bit % 8)));
    changed += std::popcount(hash64({7, 8}, text) ^ hash64({7, 8}, other));
  }
  EXPECT_NEAR(changed / 800.0, 32, 1);
}

// Snapshots store digests: if a release changed the hash, equal batches would look like conflicting copies.
TEST(Hash64, NeverChanges) {
  EXPECT_EQ(hash64({1, 2}, ""), 0xD523234C1B10123EU);
  EXPECT_EQ(hash64({1, 2}, "the quick brown fox jumps over the lazy dog"), 0x101B39E35C2A68C7U);
}

}  // namespace
}  // namespace monitor
