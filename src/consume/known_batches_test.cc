#include "consume/known_batches.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "base/random.h"

namespace monitor::analysis {
namespace {

std::vector<uint64_t> sequences(const KnownBatches& known) {
  std::vector<uint64_t> found;
  known.for_each([&](const KnownBatch& one) { found.push_back(one.sequence); });
  return found;
}

// As a sorted list does it, also when batches come out of order and when the sample becomes smaller.
TEST(KnownBatches, IsASortedList) {
  SeededRandom random(7);
  KnownBatches known;
  std::map<uint64_t, KnownBatch> model;
  size_t sample = 20;
  for (uint64_t i = 1; i <= 5000; ++i) {
    if (i == 3000) sample = 5;
    const uint64_t sequence = random.below(10) == 0 ? 1 + random.below(2 * i) : 2 * i;
    if (!model.contains(sequence)) {
      const KnownBatch one{sequence, static_cast<int64_t>(i), {static_cast<uint32_t>(2 * i)}};
      known.add(one);
      model[sequence] = one;
    }
    while (model.size() > 2 * sample) {
      const size_t index = random.below(3) == 0 ? random.below(model.size()) : sample;
      known.remove(index, sample);
      model.erase(std::next(model.begin(), static_cast<std::ptrdiff_t>(index)));
    }
    ASSERT_EQ(known.size(), model.size());
    std::vector<uint64_t> expected;
    for (const auto& [number, one] : model) expected.push_back(number);
    ASSERT_EQ(sequences(known), expected) << i;
    const auto wanted = model.find(sequence);
    const KnownBatch* const found = known.find(sequence);
    ASSERT_EQ(found != nullptr, wanted != model.end()) << i;
    if (found != nullptr) {
      ASSERT_EQ(found->offset, wanted->second.offset) << i;
    }
  }
}

TEST(KnownBatches, FindsNothingInAnEmptyList) {
  EXPECT_EQ(KnownBatches().find(1), nullptr);
  KnownBatches known({{3, 1, {2}}});
  EXPECT_EQ(known.find(2), nullptr);
  EXPECT_EQ(known.find(4), nullptr);
  ASSERT_NE(known.find(3), nullptr);
  known.remove(0, 0);
  EXPECT_EQ(known.find(3), nullptr);
  EXPECT_EQ(known.size(), 0U);
}

}  // namespace
}  // namespace monitor::analysis
