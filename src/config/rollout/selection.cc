#include "config/rollout/selection.h"

#include <algorithm>
#include <tuple>

#include "base/hash64.h"

namespace monitor::config::rollout {

namespace {

struct Placed {
  double order = 0;
  uint64_t place = 0;
  const Candidate* candidate = nullptr;

  auto key() const { return std::tie(order, place, candidate->agent_id); }
};

}  // namespace

uint64_t place_of(std::string_view salt, std::string_view agent_id) {
  const HashKey plain{0x9e3779b97f4a7c15, 0xd1b54a32d192ed03};
  return hash64({hash64(plain, salt), plain.second}, agent_id);
}

Thresholds choose(std::string_view salt, const std::vector<Candidate>& candidates, const Amount& amount,
                  const Thresholds& before) {
  std::map<std::string_view, std::vector<Placed>> classes;
  for (const Candidate& one : candidates) classes[one.value].push_back({0, place_of(salt, one.agent_id), &one});
  // The first agent of each class comes first; the others in proportion to the sizes of the classes.
  std::vector<Placed> all;
  for (auto& [value, members] : classes) {
    std::sort(members.begin(), members.end(), [](const Placed& a, const Placed& b) { return a.key() < b.key(); });
    for (size_t i = 0; i < members.size(); ++i) {
      members[i].order = i == 0 ? -1 : (static_cast<double>(i) + 0.5) / static_cast<double>(members.size());
      all.push_back(members[i]);
    }
  }
  std::sort(all.begin(), all.end(), [](const Placed& a, const Placed& b) { return a.key() < b.key(); });
  Thresholds result = before;
  const size_t wanted = all.empty() ? 0 : amount.of(all.size());
  for (size_t i = 0; i < wanted; ++i) {
    uint64_t& threshold = result.try_emplace(all[i].candidate->value, all[i].place).first->second;
    threshold = std::max(threshold, all[i].place);
  }
  return result;
}

bool is_chosen(const Thresholds& thresholds, bool all, std::string_view salt, const Candidate& candidate) {
  if (all) return true;
  const auto found = thresholds.find(candidate.value);
  return found != thresholds.end() && place_of(salt, candidate.agent_id) <= found->second;
}

}  // namespace monitor::config::rollout
