// The contract of every ConfigSource, as tests. A test of each kind includes this file and instantiates it with its
// harness.
//
//   INSTANTIATE_TEST_SUITE_P(Memory, SourceContract, ::testing::Values(Backend{"memory", [] { ... }}));
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "config/document.h"
#include "config/source.h"

namespace monitor::config {

// A source, and access to the data that it reads.
class SourceHarness {
 public:
  virtual ~SourceHarness() = default;
  virtual ConfigSource& source() = 0;
  virtual void put(const std::string& key, const std::string& text) = 0;
  virtual void remove(const std::string& key) = 0;
  // Lets time pass until the condition is true; returns false if it is not within several seconds.
  virtual bool until(const std::function<bool()>& condition) = 0;
};

struct Backend {
  std::string name;
  std::function<std::unique_ptr<SourceHarness>()> make;
};
inline void PrintTo(const Backend& backend, std::ostream* out) { *out << backend.name; }

class SourceContract : public ::testing::TestWithParam<Backend>, public ConfigListener {
 public:
  void on_keys(const KeySet& keys) override { heard.push_back(keys); }
  void on_source_lost(const Error& reason) override { ADD_FAILURE() << reason.message(); }

 protected:
  static constexpr const char* kOwn = "/monitor/config/a";
  static constexpr const char* kDefaults = "/monitor/defaults";
  static constexpr const char* kOverrides = "/monitor/overrides/agents/a/";

  void SetUp() override { harness = GetParam().make(); }
  void watch() {
    harness->source().watch({{kOwn, kDefaults}, {kOverrides}}, *this);
    ASSERT_TRUE(harness->until([this] { return !heard.empty(); }));
  }
  // The value in the last snapshot; "-" if it is absent.
  std::string value(const std::string& key) const {
    const auto found = heard.back().entries.find(key);
    if (found == heard.back().entries.end()) return "-";
    return found->second.fault ? "fault" : found->second.value;
  }
  bool comes(const std::string& key, const std::string& text) {
    return harness->until([&] { return value(key) == text; });
  }

  std::unique_ptr<SourceHarness> harness;
  std::vector<KeySet> heard;
};

TEST_P(SourceContract, ReportsAnEmptySet) {
  watch();
  EXPECT_TRUE(heard.back().entries.empty());
}

TEST_P(SourceContract, ReportsAllExistingKeysAtOnce) {
  harness->put(kOwn, R"({"interval":1})");
  harness->put(kDefaults, R"({"interval":2})");
  harness->put("/monitor/config/other", R"({"interval":3})");
  watch();
  EXPECT_EQ(value(kOwn), R"({"interval":1})");
  EXPECT_EQ(value(kDefaults), R"({"interval":2})");
  EXPECT_EQ(heard.front().entries.size(), 2U) << "the first call must have all keys and nothing else";
}

TEST_P(SourceContract, ReportsChangesInOrderWithRisingRevisions) {
  watch();
  int64_t last = heard.back().revision;
  for (const char* const text : {R"({"interval":1})", R"({"interval":2})", R"({"interval":1})"}) {
    harness->put(kOwn, text);
    ASSERT_TRUE(comes(kOwn, text));
    EXPECT_GT(heard.back().revision, last);
    last = heard.back().revision;
  }
  harness->put(kDefaults, R"({"send_every":2})");
  ASSERT_TRUE(comes(kDefaults, R"({"send_every":2})"));
  EXPECT_EQ(value(kOwn), R"({"interval":1})") << "every call must have all keys";
}

TEST_P(SourceContract, DeletionAndRecreation) {
  harness->put(kOwn, R"({"interval":1})");
  watch();
  for (int i = 0; i < 3; ++i) {
    harness->remove(kOwn);
    ASSERT_TRUE(comes(kOwn, "-"));
    harness->put(kOwn, R"({"interval":1})");
    ASSERT_TRUE(comes(kOwn, R"({"interval":1})"));
  }
}

TEST_P(SourceContract, BurstEndsWithTheLastState) {
  watch();
  for (int i = 1; i <= 100; ++i) harness->put(kOwn, R"({"interval":)" + std::to_string(i) + "}");
  EXPECT_TRUE(comes(kOwn, R"({"interval":100})"));
}

TEST_P(SourceContract, ReportsNoOtherKeys) {
  watch();
  harness->put("/monitor/config/b", R"({"interval":1})");
  harness->put("/monitor/config/aa", R"({"interval":1})");
  harness->put(kOwn, R"({"interval":9})");
  ASSERT_TRUE(comes(kOwn, R"({"interval":9})"));
  for (const KeySet& keys : heard) {
    for (const auto& [key, entry] : keys.entries) EXPECT_EQ(key, kOwn);
  }
}

TEST_P(SourceContract, ReportsKeysBelowAPrefix) {
  const std::string one = std::string(kOverrides) + "one";
  const std::string two = std::string(kOverrides) + "two";
  harness->put(one, R"({"interval":1})");
  harness->put("/monitor/overrides/agents/ab/one", R"({"interval":9})");
  watch();
  ASSERT_TRUE(comes(one, R"({"interval":1})"));
  EXPECT_EQ(heard.back().entries.size(), 1U);
  const int64_t before = heard.back().revision;
  harness->put(two, R"({"interval":2})");
  ASSERT_TRUE(comes(two, R"({"interval":2})"));
  EXPECT_GT(heard.back().revision, before);
  harness->remove(one);
  ASSERT_TRUE(comes(one, "-"));
  EXPECT_EQ(value(two), R"({"interval":2})");
  harness->put(one, R"({"interval":3})");
  ASSERT_TRUE(comes(one, R"({"interval":3})"));
  harness->remove(one);
  harness->remove(two);
  ASSERT_TRUE(comes(two, "-"));
}

TEST_P(SourceContract, SecondWatchReplacesTheFirst) {
  harness->put(kOwn, R"({"interval":1})");
  harness->put(kDefaults, R"({"interval":2})");
  watch();
  heard.clear();
  harness->source().watch({{kDefaults}}, *this);
  ASSERT_TRUE(harness->until([this] { return !heard.empty(); }));
  EXPECT_EQ(heard.back().entries.size(), 1U);
  harness->put(kOwn, R"({"interval":3})");
  harness->put(kDefaults, R"({"interval":4})");
  ASSERT_TRUE(comes(kDefaults, R"({"interval":4})"));
  EXPECT_EQ(heard.back().entries.size(), 1U);
}

TEST_P(SourceContract, TooLargeDocumentIsAFaultNotALoss) {
  watch();
  harness->put(kOwn, std::string(kMaxDocumentBytes + 1, ' '));
  ASSERT_TRUE(comes(kOwn, "fault"));
  EXPECT_NE(heard.back().entries.at(kOwn).fault->message().find("the limit is 262144"), std::string::npos);
  const std::string at_the_limit = "{" + std::string(kMaxDocumentBytes - 2, ' ') + "}";
  harness->put(kOwn, at_the_limit);
  EXPECT_TRUE(comes(kOwn, at_the_limit));
}

}  // namespace monitor::config
