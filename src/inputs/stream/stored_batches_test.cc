#include "inputs/stream/stored_batches.h"

#include <gtest/gtest.h>

#include <deque>

#include "base/random.h"

namespace monitor::server {
namespace {

TEST(StoredBatches, FindsNothingAtFirst) {
  const StoredBatches stored(4);
  EXPECT_EQ(stored.find(1, 2), std::nullopt);
  EXPECT_EQ(stored.size(), 0U);
}

TEST(StoredBatches, ForgetsTheOldest) {
  StoredBatches stored(2);
  stored.add({1, 10, 100});
  stored.add({2, 20, 200});
  stored.add({3, 30, 300});
  EXPECT_EQ(stored.find(1, 10), std::nullopt);
  EXPECT_EQ(stored.find(2, 20), 200U);
  EXPECT_EQ(stored.find(3, 30), 300U);
  EXPECT_EQ(stored.size(), 2U);
}

TEST(StoredBatches, BothHalvesOfANameCount) {
  StoredBatches stored(8);
  stored.add({1, 10, 100});
  stored.add({1, 11, 101});
  // The upper bits of the second half are not in the index.
  stored.add({1, 10 + (uint64_t{1} << 40), 102});
  EXPECT_EQ(stored.find(1, 10), 100U);
  EXPECT_EQ(stored.find(1, 11), 101U);
  EXPECT_EQ(stored.find(1, 10 + (uint64_t{1} << 40)), 102U);
  EXPECT_EQ(stored.find(2, 10), std::nullopt);
}

// The names are from few values, so that their homes collide and wrap around the end of the index.
TEST(StoredBatches, AgreesWithAList) {
  for (const uint64_t spread : {uint64_t{3}, uint64_t{50}, UINT64_MAX}) {
    for (const size_t most : {1, 7, 31, 32, 33, 500}) {
      SeededRandom random{spread ^ most};
      StoredBatches stored(most);
      std::deque<StoredBatches::Batch> model;
      const uint64_t offset = 60;  // near the end of the first index
      for (uint64_t i = 0; i < 4 * most + 20; ++i) {
        const StoredBatches::Batch batch{offset + random.next() % spread, i, random.next()};
        stored.add(batch);
        model.push_back(batch);
        if (model.size() > most) {
          EXPECT_EQ(stored.find(model.front().first, model.front().second), std::nullopt);
          model.pop_front();
        }
        ASSERT_EQ(stored.size(), model.size());
        if (i % 16 != 0) continue;
        for (const auto& one : model) ASSERT_EQ(stored.find(one.first, one.second), one.content);
      }
    }
  }
}

TEST(StoredBatches, RemembersAsManyAsPromised) {
  StoredBatches stored(StoredBatches::kMost);
  SeededRandom random{1};
  std::vector<StoredBatches::Batch> added;
  for (size_t i = 0; i < 2 * StoredBatches::kMost; ++i) {
    added.push_back({random.next(), random.next(), i});
    stored.add(added.back());
  }
  EXPECT_EQ(stored.size(), StoredBatches::kMost);
  for (size_t i = 0; i < added.size(); ++i) {
    const auto found = stored.find(added[i].first, added[i].second);
    if (i < StoredBatches::kMost) {
      ASSERT_EQ(found, std::nullopt);
    } else {
      ASSERT_EQ(found, i);
    }
  }
}

}  // namespace
}  // namespace monitor::server
