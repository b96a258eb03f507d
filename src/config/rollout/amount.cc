#include "config/rollout/amount.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace monitor::config::rollout {

namespace {

constexpr size_t kMostAgents = 1'000'000;
constexpr size_t kMostAmounts = 50;
constexpr size_t kShown = 60;

// The sign of a rounding error is not a further agent.
constexpr double kRounding = 1e-9;

Error wrong(std::string_view text) {
  return Error(Code::kInvalidArgument,
               fmt::format("got {}, expected a share such as 5%, or a number of agents such as 20",
                           json_quote(text.substr(0, kShown))));
}

}  // namespace

size_t Amount::of(size_t total) const {
  const double share = std::ceil(percent * static_cast<double>(total) / kAll - kRounding);
  const size_t wanted = percent > 0 ? static_cast<size_t>(share) : count;
  return std::min(std::max<size_t>(wanted, 1), total);
}

std::string to_string(const Amount& amount) {
  return amount.percent > 0 ? fmt::format("{}%", amount.percent) : std::to_string(amount.count);
}

Result<Amount> parse_amount(std::string_view text) {
  const std::string_view word = trim(text);
  if (word.ends_with('%')) {
    const std::string_view digits = word.substr(0, word.size() - 1);
    const bool plain = !digits.empty() && digits.find_first_not_of("0123456789.") == std::string_view::npos;
    const auto percent = plain ? parse_double(digits) : std::nullopt;
    if (!percent || !(*percent > 0) || *percent > Amount::kAll) return wrong(text);
    return Amount{.percent = *percent};
  }
  const auto count = parse_u64(word);
  if (!count || *count == 0 || *count > kMostAgents) return wrong(text);
  return Amount{.count = *count};
}

Result<std::vector<Amount>> parse_amounts(std::string_view text) {
  std::vector<Amount> amounts;
  for (const std::string_view part : split(text, ',')) {
    const auto amount = parse_amount(part);
    if (!amount) return amount.error();
    if (amounts.size() == kMostAmounts) {
      return Error(Code::kInvalidArgument, fmt::format("more than {} steps", kMostAmounts));
    }
    amounts.push_back(*amount);
  }
  return amounts;
}

Result<std::vector<Amount>> steps_of(const Amount& canary, const std::vector<Amount>& steps) {
  std::vector<Amount> all = {canary};
  for (const Amount& step : steps) {
    const Amount& last = all.back();
    const bool comparable = (last.percent > 0) == (step.percent > 0);
    if (last.all() || (comparable && (step.percent < last.percent || step.count < last.count || step == last))) {
      // The canary may be as large as the first step: then it is that step.
      if (step == last && all.size() == 1) continue;
      return Error(Code::kInvalidArgument,
                   fmt::format("the step {} follows {}; each step must be larger", to_string(step), to_string(last)));
    }
    all.push_back(step);
  }
  if (!all.back().all()) all.push_back({.percent = Amount::kAll});
  return all;
}

}  // namespace monitor::config::rollout
