#include "doctor/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <mutex>
#include <stdexcept>

#include "doctor/testing/fake_world.h"

namespace monitor::doctor {
namespace {

using testing::HasSubstr;

// Blocks until the test lets it go.
std::mutex gate;

const Check kGood = {"good", "is good", [](const Context&) { return Findings{ok("fine")}; }};
const Check kBad = {"bad", "is bad", [](const Context&) { return Findings{fail("broken \x1b[31m", "mend it")}; }};
const Check kWarned = {"warned", "warns", [](const Context&) { return Findings{warn("hm", "look")}; }};
const Check kThrows = {"throws", "throws", [](const Context&) -> Findings { throw std::runtime_error("oops"); }};
const Check kHangs = {"hangs", "hangs", [](const Context&) {
                        const std::lock_guard lock(gate);
                        return Findings{ok("late")};
                      }};

Report run(const std::vector<const Check*>& checks, int64_t timeout_ns = 30 * kNanosPerSecond) {
  return run_checks(checks, std::make_shared<Setup>(), std::make_shared<FakePeers>(), std::make_shared<FakeHost>(),
                    {.check_timeout_ns = timeout_ns, .peer_timeout_ns = timeout_ns});
}

TEST(RunChecks, KeepsTheOrderAndTheWorstVerdict) {
  const Report report = run({&kWarned, &kGood, &kBad});
  ASSERT_EQ(report.results.size(), 3U);
  EXPECT_EQ(report.results[0].check, &kWarned);
  EXPECT_EQ(report.results[2].check, &kBad);
  EXPECT_EQ(report.verdict(), Verdict::kFail);
  EXPECT_FALSE(report.abandoned);
  EXPECT_EQ(run({&kWarned, &kGood}).verdict(), Verdict::kWarn);
}

TEST(RunChecks, AHangingCheckFailsAndDelaysNoOther) {
  std::unique_lock lock(gate);
  const Report report = run({&kHangs, &kGood}, 50 * kNanosPerMilli);
  EXPECT_TRUE(report.abandoned);
  EXPECT_EQ(report.results[0].verdict(), Verdict::kFail);
  EXPECT_THAT(report.results[0].findings[0].text, HasSubstr("no answer within 50ms"));
  EXPECT_EQ(report.results[1].verdict(), Verdict::kOk);
}

TEST(RunChecks, AThrowingCheckFails) { EXPECT_THAT(run({&kThrows}).results[0].findings[0].text, HasSubstr("oops")); }

TEST(FormatReport, EscapesForeignTextAndHasTheRemedy) {
  const std::string text = format_text(run({&kBad}), false);
  EXPECT_THAT(text, HasSubstr("fail     bad  broken \\u001b[31m"));
  EXPECT_THAT(text, HasSubstr("-> mend it"));
  EXPECT_THAT(text, HasSubstr("0 ok, 0 warnings, 1 failures, 0 skipped"));
}

TEST(FormatReport, JsonHasEveryFinding) {
  const auto json =
      nlohmann::json::parse(format_json(run({&kGood, &kBad}), monitor::doctor::Setup(), "1.2.3", kFakeNow));
  EXPECT_EQ(json["verdict"], "fail");
  EXPECT_EQ(json["version"], "1.2.3");
  EXPECT_EQ(json["checks"][1]["findings"][0]["remedy"], "mend it");
}

}  // namespace
}  // namespace monitor::doctor
