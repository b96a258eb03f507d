#include "ui/access/sessions.h"

#include <gtest/gtest.h>

#include <set>

#include "base/testing/fake_clock.h"

namespace monitor::access {
namespace {

class SessionsTest : public ::testing::Test {
 protected:
  FakeClock clock_;
  SeededRandom random_{7};
  SessionOptions options_{
      .idle_ns = 10 * kNanosPerSecond, .max_age_ns = 25 * kNanosPerSecond, .most = 5, .most_per_user = 3};
  Sessions sessions_{clock_, random_, options_};
};

TEST_F(SessionsTest, AreFoundByTheirIdOnly) {
  const std::string id = sessions_.begin("ann", "hash");
  EXPECT_EQ(id.size(), 64U);
  ASSERT_NE(sessions_.find(id), nullptr);
  EXPECT_EQ(sessions_.find(id)->user, "ann");
  EXPECT_NE(sessions_.find(id)->key, id) << "the id itself is not kept";
  EXPECT_EQ(sessions_.find(sessions_.find(id)->key), nullptr);
  EXPECT_EQ(sessions_.find(""), nullptr);
}

TEST_F(SessionsTest, EndWhenTheyAreIdle) {
  const std::string used = sessions_.begin("ann", "");
  const std::string idle = sessions_.begin("ann", "");
  clock_.advance(9 * kNanosPerSecond);
  EXPECT_NE(sessions_.use(used), nullptr);
  EXPECT_NE(sessions_.find(idle), nullptr) << "a look is no use";
  clock_.advance(1 * kNanosPerSecond);
  EXPECT_EQ(sessions_.find(idle), nullptr);
  EXPECT_EQ(sessions_.use(idle), nullptr);
  EXPECT_NE(sessions_.find(used), nullptr);
}

TEST_F(SessionsTest, EndAtTheirMaximumAgeHoweverBusy) {
  const std::string id = sessions_.begin("ann", "");
  for (int i = 0; i < 24; ++i) {
    clock_.advance(1 * kNanosPerSecond);
    ASSERT_NE(sessions_.use(id), nullptr) << i;
  }
  clock_.advance(1 * kNanosPerSecond);
  EXPECT_EQ(sessions_.use(id), nullptr);
  sessions_.expire();
  EXPECT_EQ(sessions_.size(), 0U);
}

TEST_F(SessionsTest, AreBoundedPerUserAndInTotal) {
  const std::string other = sessions_.begin("bob", "");
  std::vector<std::string> ids;
  for (int i = 0; i < 4; ++i) {
    clock_.advance(1);
    ids.push_back(sessions_.begin("ann", ""));
  }
  EXPECT_EQ(sessions_.find(ids[0]), nullptr) << "the user's own oldest makes way";
  EXPECT_NE(sessions_.find(other), nullptr);
  for (const char* const user : {"c", "d", "e"}) {
    clock_.advance(1);
    sessions_.begin(user, "");
  }
  EXPECT_EQ(sessions_.size(), 5U);
  EXPECT_EQ(sessions_.find(other), nullptr) << "the oldest of all makes way";
}

TEST_F(SessionsTest, EndOneOrMany) {
  const std::string one = sessions_.begin("ann", "");
  sessions_.begin("ann", "");
  const std::string bob = sessions_.begin("bob", "");
  EXPECT_TRUE(sessions_.end(one));
  EXPECT_FALSE(sessions_.end(one));
  sessions_.end_if([](const Session& session) { return session.user == "ann"; });
  EXPECT_EQ(sessions_.size(), 1U);
  EXPECT_NE(sessions_.find(bob), nullptr);
}

TEST_F(SessionsTest, IdsDoNotRepeat) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(sessions_.begin("ann", ""));
  EXPECT_EQ(ids.size(), 1000U);
}

}  // namespace
}  // namespace monitor::access
