#include "config/rollout/judgement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>

#include "config/rollout/query_answer.h"
#include "config/rollout/shipped.h"

namespace monitor::config::rollout {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kSecond = 1000;  // milliseconds
constexpr int64_t kStart = 1'700'000'000 * kSecond;
constexpr int64_t kWait = 120 * kSecond;
constexpr int64_t kEnd = kStart + 30 * kSecond + kWait;

// Values of agents as functions of time, every 10 s up to a time of each agent.
class Data final : public query::SeriesSource {
 public:
  using Value = std::function<double(int64_t ms)>;
  std::map<std::string, std::map<std::string, Value>> metrics;  // by name and agent
  std::map<std::string, int64_t> until;                         // of agents whose data is late

  Result<std::vector<query::StoredSeries>> select(std::span<const query::Matcher> matchers, int64_t from_ms,
                                                  int64_t to_ms) override {
    std::vector<query::StoredSeries> found;
    for (const auto& [name, agents] : metrics) add(name, true, matchers, from_ms, to_ms, found);
    return found;
  }
  Result<std::vector<query::StoredSeries>> own_series(std::string_view function,
                                                      std::span<const query::Matcher> matchers, int64_t from_ms,
                                                      int64_t to_ms) override {
    std::vector<query::StoredSeries> found;
    add(std::string(function), false, matchers, from_ms, to_ms, found);
    return found;
  }

 private:
  void add(const std::string& name, bool named, std::span<const query::Matcher> matchers, int64_t from_ms,
           int64_t to_ms, std::vector<query::StoredSeries>& found) const {
    const auto metric = metrics.find(name);
    if (metric == metrics.end()) return;
    for (const auto& [agent, value] : metric->second) {
      query::StoredSeries series;
      if (named) series.labels.set(query::kNameLabel, name);
      series.labels.set("agent", agent);
      const bool wanted = std::all_of(matchers.begin(), matchers.end(), [&](const query::Matcher& one) {
        return one.matches(series.labels.get(one.label()));
      });
      if (!wanted) continue;
      const auto late = until.find(agent);
      const int64_t last = late == until.end() ? to_ms : std::min(to_ms, late->second);
      constexpr int64_t kStep = 10 * kSecond;
      for (int64_t ms = (from_ms + kStep - 1) / kStep * kStep; ms <= last; ms += kStep) {
        series.points.push_back({ms, value(ms)});
      }
      if (!series.points.empty()) found.push_back(std::move(series));
    }
  }
};

class Shared final : public query::SeriesSource {
 public:
  explicit Shared(Data& data) : data_(data) {}
  Result<std::vector<query::StoredSeries>> select(std::span<const query::Matcher> matchers, int64_t from_ms,
                                                  int64_t to_ms) override {
    return data_.select(matchers, from_ms, to_ms);
  }
  Result<std::vector<query::StoredSeries>> own_series(std::string_view function,
                                                      std::span<const query::Matcher> matchers, int64_t from_ms,
                                                      int64_t to_ms) override {
    return data_.own_series(function, matchers, from_ms, to_ms);
  }

 private:
  Data& data_;
};

class JudgementTest : public ::testing::Test {
 protected:
  // Agents a0 to a4 are changed, b0 to b19 are not.
  void SetUp() override {
    for (int i = 0; i < 5; ++i) add("a" + std::to_string(i), true);
    for (int i = 0; i < 20; ++i) add("b" + std::to_string(i), false);
    rollout_.data = "data";
    rollout_.started_ns = kStart * kNanosPerMilli;
    rollout_.applied_ns = (kStart + 30 * kSecond) * kNanosPerMilli;
    rollout_.wait_ns = kWait * kNanosPerMilli;
  }
  void add(const std::string& agent, bool changed) {
    sight_.members.push_back({{agent, ""}, changed, changed ? Way::kApplied : Way::kUnchanged, ""});
    const auto total = [](double per_second) {
      return [per_second](int64_t ms) { return per_second * static_cast<double>(ms - kStart + 3'600'000) / 1000; };
    };
    data_.metrics["due_ticks"][agent] = total(1);
    data_.metrics["missed_ticks"][agent] = total(0);
    data_.metrics["made_points"][agent] = total(100);
    data_.metrics["agent_cpu_seconds"][agent] = total(0.01);
    data_.metrics["waiting_batches"][agent] = [](int64_t) { return 2; };
    data_.metrics["load"][agent] = [](int64_t) { return 1.0; };
  }
  // From the start of the rollout on, `agent` makes this much more a second of a total.
  void grow(const std::string& metric, const std::string& agent, double per_second) {
    auto& value = data_.metrics[metric][agent];
    value = [before = value, per_second](int64_t ms) {
      return before(ms) + (ms > kStart ? per_second * static_cast<double>(ms - kStart) / 1000 : 0);
    };
  }
  Verdict judge(const std::string& what) {
    constexpr int64_t kNow = kEnd + 30 * kSecond;
    rollout_.judges = {what};
    EXPECT_TRUE(check_judgement(what)) << check_judgement(what).error().message();
    DataJudge judge([this](const std::string& data) -> Result<std::unique_ptr<query::SeriesSource>> {
      if (data != "data") return Error(Code::kNotFound, "no such data");
      return std::unique_ptr<query::SeriesSource>(std::make_unique<Shared>(data_));
    });
    const auto verdicts = judge.judge(rollout_, sight_, kNow * kNanosPerMilli);
    EXPECT_EQ(verdicts.size(), 1U);
    return verdicts.at(0);
  }

  Data data_;
  Sight sight_;
  Rollout rollout_;
};

TEST_F(JudgementTest, AQuietFleetIsGood) {
  for (const std::string& name : shipped_judgements()) {
    const Verdict verdict = judge(name);
    EXPECT_EQ(verdict.outcome, Outcome::kGood) << name << ": " << verdict.why;
    EXPECT_TRUE(verdict.now && verdict.others_now) << name;
  }
}

TEST_F(JudgementTest, OneAgentThatEatsCpuIsBad) {
  grow("agent_cpu_seconds", "a3", 0.5);
  const Verdict verdict = judge("agent CPU");
  EXPECT_EQ(verdict.outcome, Outcome::kBad);
  EXPECT_THAT(verdict.why, HasSubstr("1 of 5 changed agents deviate (a3: 0.51 processors now, 0.01 before"));
}

TEST_F(JudgementTest, WhatTheWholeFleetDoesDoesNotCount) {
  for (const Member& member : sight_.members) grow("agent_cpu_seconds", member.candidate.agent_id, 0.5);
  EXPECT_EQ(judge("agent CPU").outcome, Outcome::kGood);
}

TEST_F(JudgementTest, WhatUnchangedAgentsDoIsNotBad) {
  grow("agent_cpu_seconds", "b3", 0.5);
  EXPECT_EQ(judge("agent CPU").outcome, Outcome::kGood);
}

TEST_F(JudgementTest, MissedTicksFailuresSpoolAndPoints) {
  grow("missed_ticks", "a1", 0.1);
  EXPECT_EQ(judge("ticks missed").outcome, Outcome::kBad);
  data_.metrics["plugin_failures"]["a2"] = [](int64_t ms) {
    return ms > kStart ? static_cast<double>(ms - kStart) / 1000 : 0.0;
  };
  EXPECT_EQ(judge("plugin failures").outcome, Outcome::kBad);
  data_.metrics["waiting_batches"]["a0"] = [](int64_t ms) { return ms > kStart ? 500.0 : 2.0; };
  EXPECT_EQ(judge("spool growth").outcome, Outcome::kBad);
  grow("made_points", "a4", -15);
  EXPECT_EQ(judge("points/s within 20 %").outcome, Outcome::kGood);
  EXPECT_EQ(judge("points/s within 10%").outcome, Outcome::kBad);
}

TEST_F(JudgementTest, LateDataIsUndecided) {
  data_.until["a2"] = kEnd - 20 * kSecond;
  Verdict verdict = judge("ticks missed");
  EXPECT_EQ(verdict.outcome, Outcome::kUndecided);
  EXPECT_EQ(verdict.why, "the data of 1 changed agent has not arrived: a2");
  verdict = judge("avg(load{rollout=\"changed\"}) < bool 2");
  EXPECT_EQ(verdict.outcome, Outcome::kUndecided);
  EXPECT_EQ(verdict.why, "the data of a2 has not arrived");
  data_.until = {{"b2", kEnd - 20 * kSecond}};
  EXPECT_EQ(judge("ticks missed").outcome, Outcome::kGood) << "nine of ten others are enough";
  data_.until = {{"b2", 0}, {"b3", 0}, {"b4", 0}};
  EXPECT_EQ(judge("ticks missed").outcome, Outcome::kUndecided);
}

TEST_F(JudgementTest, TooLittleDataIsUndecided) {
  data_.metrics["due_ticks"].erase("a1");
  data_.metrics["missed_ticks"].erase("a1");
  EXPECT_EQ(judge("ticks missed").outcome, Outcome::kUndecided);
  data_.metrics.clear();
  EXPECT_EQ(judge("ticks missed").outcome, Outcome::kUndecided);
  EXPECT_EQ(judge("load > 5").why, "no data");
  rollout_.wait_ns = 5 * kNanosPerSecond;
  EXPECT_THAT(judge("ticks missed").why, HasSubstr("needs at least 30 s"));
  rollout_.data = "elsewhere";
  EXPECT_EQ(judge("ticks missed").why, "no such data");
  rollout_.data = "";
  EXPECT_THAT(judge("ticks missed").why, HasSubstr("no data to be judged by"));
}

TEST_F(JudgementTest, AnyConditionHoldsOrNot) {
  data_.metrics["load"]["a1"] = [](int64_t ms) { return ms > kStart ? 9.0 : 1.0; };
  const auto outcome = [&](const std::string& text) { return judge(text).outcome; };
  EXPECT_EQ(outcome("max(load{rollout=\"changed\"}) < 5"), Outcome::kBad);
  EXPECT_EQ(outcome("max(load{rollout=\"unchanged\"}) < 5"), Outcome::kGood);
  EXPECT_EQ(outcome("load{rollout=\"changed\"} < bool 5"), Outcome::kBad);
  EXPECT_EQ(outcome("max(load{rollout=\"changed\"} offset $before) < 5"), Outcome::kGood);
  EXPECT_EQ(outcome("max(max_over_time(load{rollout=\"changed\"}[$window])) >= 9"), Outcome::kGood);
  EXPECT_EQ(outcome("avg(load{rollout=\"changed\"}) < 2 * avg(load{rollout=\"unchanged\"})"), Outcome::kBad);
}

TEST(Judgements, AreCheckedBeforeTheyAreStored) {
  EXPECT_FALSE(check_judgement("ticks missd"));
  EXPECT_THAT(check_judgement("ticks missd").error().message(), HasSubstr("did you mean \"ticks missed\"?"));
  EXPECT_FALSE(check_judgement("up[5m]"));
  EXPECT_FALSE(check_judgement("\"text\""));
  EXPECT_FALSE(check_judgement("points/s within 200 %"));
  EXPECT_TRUE(check_judgement("points/s within 0.5 %"));
  EXPECT_FALSE(check_judgement(std::string(5000, 'x')));
}

TEST(QueryAnswer, IsReadStrictly) {
  const auto found = parse_query_answer(
      R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{"agent":"a"},"values":[[1.5,"2"],[2,"NaN"]]}]}})");
  ASSERT_TRUE(found) << found.error().message();
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().labels.get("agent"), "a");
  EXPECT_EQ(found->front().points.front(), (query::Point{1500, 2}));
  EXPECT_EQ(parse_query_answer(R"({"status":"error","error":"no"})").error().message(), "no");
  for (const char* const bad : {"", "[]", "{}", R"({"status":"success"})",
                                R"({"status":"success","data":{"result":[{"metric":{},"values":[[2,"1"],[1,"1"]]}]}})",
                                R"({"status":"success","data":{"result":[{"metric":{},"values":[[1e30,"1"]]}]}})",
                                R"({"status":"success","data":{"result":[{"metric":{},"values":[[1,1]]}]}})"}) {
    EXPECT_FALSE(parse_query_answer(bad)) << bad;
  }
}

}  // namespace
}  // namespace monitor::config::rollout
