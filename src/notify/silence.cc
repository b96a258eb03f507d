#include "notify/silence.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "notify/notification.h"

namespace monitor::notify {

Silence::State Silence::state(int64_t now_ms) const {
  if (now_ms >= ends_ms) return State::kExpired;
  return now_ms < starts_ms ? State::kPending : State::kActive;
}

std::string_view to_string(Silence::State state) {
  if (state == Silence::State::kPending) return "pending";
  return state == Silence::State::kActive ? "active" : "expired";
}

Status check_silence(const Silence& silence) {
  const auto fault = [](std::string text) { return Error(Code::kInvalidArgument, "the silence: " + std::move(text)); };
  if (silence.matchers.empty() || silence.matchers.size() > kMaxMatchers) {
    return fault(fmt::format("got {} matchers, expected 1 to {}", silence.matchers.size(), kMaxMatchers));
  }
  if (std::ranges::all_of(silence.matchers, [](const query::Matcher& one) { return one.matches(""); })) {
    return fault(
        "each of its matchers also holds for an alert without the label, so it would silence everything; add "
        "one that needs a value, such as alertname=~\".+\"");
  }
  if (silence.ends_ms <= silence.starts_ms) return fault("it ends before it starts");
  constexpr int64_t kMaxMs = int64_t{366} * 24 * 3'600'000;
  if (silence.ends_ms - silence.starts_ms > kMaxMs) return fault("it lasts longer than 366d");
  for (const auto& [what, text] : {std::pair{"the reason", &silence.reason}, {"the author", &silence.author}}) {
    if (trim(*text).empty()) return fault(fmt::format("{} is missing", what));
    if (text->size() > kMaxReasonBytes || !valid_utf8(*text)) {
      return fault(fmt::format("{} has {} bytes, expected at most {} of UTF-8", what, text->size(), kMaxReasonBytes));
    }
  }
  return {};
}

std::vector<std::string> silences_of(std::span<const Silence> silences, const query::Labels& labels, int64_t now_ms) {
  std::vector<std::string> ids;
  for (const Silence& one : silences) {
    if (one.state(now_ms) == Silence::State::kActive && matches_all(one.matchers, labels)) ids.push_back(one.id);
  }
  return ids;
}

std::string silence_json(const Silence& silence, int64_t now_ms) {
  std::vector<std::string> matchers;
  for (const query::Matcher& one : silence.matchers) matchers.push_back(json_quote(one.to_string()));
  return fmt::format(
      R"({{"id":{},"matchers":[{}],"startsAt":"{}","endsAt":"{}","createdAt":"{}","updatedAt":"{}","author":{},"reason":{},"state":"{}"}})",
      json_quote(silence.id), join(matchers, ","), time_text(silence.starts_ms), time_text(silence.ends_ms),
      time_text(silence.created_ms), time_text(silence.updated_ms), json_quote(silence.author),
      json_quote(silence.reason), to_string(silence.state(now_ms)));
}

}  // namespace monitor::notify
