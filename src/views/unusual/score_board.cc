#include "views/unusual/score_board.h"

namespace monitor::analysis::unusual {

void ScoreBoard::put(std::shared_ptr<const AgentScores> scores) {
  const std::lock_guard lock(mutex_);
  agents_[scores->agent.name] = std::move(scores);
}

void ScoreBoard::remove(std::string_view agent) {
  const std::lock_guard lock(mutex_);
  if (const auto found = agents_.find(agent); found != agents_.end()) agents_.erase(found);
}

void ScoreBoard::complete(int64_t minute) {
  const std::lock_guard lock(mutex_);
  complete_ = minute;
}

int64_t ScoreBoard::first_minute() const {
  const std::lock_guard lock(mutex_);
  return complete_ == INT64_MIN ? INT64_MAX : complete_ - kRecentMinutes;
}

std::vector<std::shared_ptr<const AgentScores>> ScoreBoard::agents() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<const AgentScores>> all;
  all.reserve(agents_.size());
  for (const auto& [name, scores] : agents_) all.push_back(scores);
  return all;
}

std::shared_ptr<const AgentScores> ScoreBoard::find(std::string_view agent) const {
  const std::lock_guard lock(mutex_);
  const auto found = agents_.find(agent);
  return found == agents_.end() ? nullptr : found->second;
}

Share ScoreBoard::share_of(std::string_view agent) const {
  const auto scores = find(agent);
  return scores ? scores->share : Share();
}

}  // namespace monitor::analysis::unusual
