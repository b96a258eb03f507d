// Judgements of a step by the data that the fleet has measured.
//
// A shipped judgement compares each changed agent with itself before the rollout, and this difference with that of the
// unchanged agents over the same time (difference in differences): what the whole fleet does meanwhile does not count.
// Any other text is PromQL that must hold, over series with the label "rollout" ("changed", "unchanged").
//
// A judgement is made of the data of [applied, applied + wait], once it has arrived from every changed agent. Until
// then, and if there is too little of it, the judgement is undecided.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/rollout/driver.h"
#include "query/series.h"

namespace monitor::config::rollout {

// Names of the shipped judgements, and those that a rollout with data has unless others are named.
std::vector<std::string> shipped_judgements();
std::vector<std::string> default_judgements();

// kInvalidArgument: neither a shipped judgement nor PromQL that yields a condition; with the place, or the nearest
// name.
Status check_judgement(std::string_view text);

// Opens the source that `data` of a rollout names.
using OpenData = std::function<Result<std::unique_ptr<query::SeriesSource>>(const std::string& data)>;

class DataJudge final : public Judge {
 public:
  explicit DataJudge(OpenData open) : open_(std::move(open)) {}
  std::vector<Verdict> judge(const Rollout& rollout, const Sight& sight, int64_t now_ns) override;

 private:
  OpenData open_;
};

}  // namespace monitor::config::rollout
