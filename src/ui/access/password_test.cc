#include "ui/access/password.h"

#include <gtest/gtest.h>

namespace monitor::access {
namespace {

constexpr ScryptCost kCheap{1024, 1, 1};

TEST(Password, MatchesOnlyItself) {
  SeededRandom random(1);
  const auto text = hash_password("correct horse battery", random, kCheap);
  ASSERT_TRUE(text);
  const auto stored = parse_password_hash(*text);
  ASSERT_TRUE(stored);
  EXPECT_TRUE(*matches("correct horse battery", *stored));
  for (const char* const wrong : {"", "correct horse batter", "correct horse battery ", "Correct horse battery"}) {
    EXPECT_FALSE(*matches(wrong, *stored)) << wrong;
  }
}

TEST(Password, HashesDifferByTheirSalt) {
  SeededRandom random(1);
  EXPECT_NE(*hash_password("the same password", random, kCheap), *hash_password("the same password", random, kCheap));
}

// The vector of RFC 7914, section 12: "pleaseletmein", "SodiumChloride", N=16384, r=8, p=1, of which the first 32 bytes
// are compared. Its salt has 14 bytes, fewer than we accept in a file.
TEST(Password, ComputesTheVectorOfRfc7914) {
  const PasswordHash stored{{16384, 8, 1},
                            "SodiumChloride",
                            "\x70\x23\xbd\xcb\x3a\xfd\x73\x48\x46\x1c\x06\xcd\x81\xfd\x38\xeb"
                            "\xfd\xa8\xfb\xba\x90\x4f\x8e\x3e\xa9\xb5\x43\xf6\x54\x5d\xa1\xf2"};
  EXPECT_TRUE(*matches("pleaseletmein", stored));
}

TEST(Password, DefaultCostIsWithinTheBounds) {
  const PasswordHash dummy = dummy_hash();
  EXPECT_EQ(128 * dummy.cost.n * dummy.cost.r, kMaxScryptBytes);
  EXPECT_FALSE(*matches("anything at all", dummy));
}

TEST(Password, RejectsMalformedHashesAndExcessiveCosts) {
  const std::string salt(32, 'a');
  const std::string hash(64, 'b');
  EXPECT_TRUE(parse_password_hash("scrypt:1024:1:1:" + salt + ":" + hash));
  EXPECT_TRUE(parse_password_hash("scrypt:65536:8:8:" + salt + ":" + hash));
  for (const std::string& wrong :
       {std::string(), std::string("hunter2"), "bcrypt:1024:1:1:" + salt + ":" + hash,
        "scrypt:1000:1:1:" + salt + ":" + hash, "scrypt:512:1:1:" + salt + ":" + hash,
        "scrypt:131072:8:1:" + salt + ":" + hash, "scrypt:65536:16:1:" + salt + ":" + hash,
        "scrypt:65536:8:9:" + salt + ":" + hash, "scrypt:1024:0:1:" + salt + ":" + hash,
        "scrypt:1024:1:0:" + salt + ":" + hash, "scrypt:18446744073709551615:1:1:" + salt + ":" + hash,
        "scrypt:-1024:1:1:" + salt + ":" + hash, "scrypt:1024:1:1:" + salt + ":" + hash + "00",
        "scrypt:1024:1:1::" + hash, "scrypt:1024:1:1:" + salt + ":", "scrypt:1024:1:1:" + salt,
        "scrypt:1024:1:1:" + salt + ":" + std::string(64, 'x')}) {
    const auto parsed = parse_password_hash(wrong);
    ASSERT_FALSE(parsed) << wrong;
    EXPECT_EQ(parsed.error().message().find(hash), std::string::npos);
  }
}

TEST(Password, NewOnesHaveALengthAndNoControlCharacters) {
  EXPECT_TRUE(check_new_password("twelve bytes"));
  EXPECT_TRUE(check_new_password(std::string(kMaxPassword, 'x')));
  EXPECT_FALSE(check_new_password("eleven byte"));
  EXPECT_FALSE(check_new_password(std::string(kMaxPassword + 1, 'x')));
  EXPECT_FALSE(check_new_password("twelve\nbytes"));
}

}  // namespace
}  // namespace monitor::access
