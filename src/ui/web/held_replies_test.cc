// The bound on what slow readers hold.
#include "ui/web/held_replies.h"

#include <gtest/gtest.h>

namespace monitor::analysis::web {
namespace {

constexpr size_t kLarge = 100'000;

TEST(HeldReplies, WhatSeveralAreSentCountsOnce) {
  HeldReplies held(kLarge);
  const std::string body(kLarge, 'x');
  EXPECT_TRUE(held.hold(body));
  EXPECT_TRUE(held.hold(body));
  EXPECT_EQ(held.bytes(), kLarge);
  held.let_go(body);
  EXPECT_EQ(held.bytes(), kLarge) << "one still has it";
  held.let_go(body);
  EXPECT_EQ(held.bytes(), 0U);
}

TEST(HeldReplies, LargeOnesAreRefusedWhereThereIsNoRoom) {
  HeldReplies held(kLarge);
  const std::string first(kLarge + 1, 'x');
  const std::string second(kLarge, 'y');
  const std::string small(1000, 'z');
  EXPECT_TRUE(held.hold(first)) << "a single one always has room";
  EXPECT_FALSE(held.hold(second));
  EXPECT_TRUE(held.hold(small));
  held.let_go(first);
  held.let_go(small);
  EXPECT_TRUE(held.hold(second));
}

}  // namespace
}  // namespace monitor::analysis::web
