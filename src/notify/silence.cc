#include "notify/silence.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <tuple>

#include "base/clock.h"
#include "base/text.h"
#include "base/time_format.h"
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
  // They are stored as one text.
  if (const size_t bytes = to_string(silence.matchers).size(); bytes > kMaxMatcherBytes) {
    return fault(fmt::format("its matchers have {} bytes together, expected at most {}", bytes, kMaxMatcherBytes));
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

bool is_newer(const Silence& silence, const Silence& other) {
  const auto version = [](const Silence& one) {
    return std::tuple(one.updated_ms, one.ends_ms, one.starts_ms, to_string(one.matchers), one.reason, one.author);
  };
  return version(silence) > version(other);
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

std::string encode_silence(const Silence& silence, const SilenceEditor& editor) {
  std::vector<std::string> matchers;
  for (const query::Matcher& one : silence.matchers) matchers.push_back(one.to_string());
  const nlohmann::ordered_json json = {{"id", silence.id},
                                       {"matchers", matchers},
                                       {"startsAt", time_text(silence.starts_ms)},
                                       {"endsAt", time_text(silence.ends_ms)},
                                       {"createdAt", time_text(silence.created_ms)},
                                       {"updatedAt", time_text(silence.updated_ms)},
                                       {"author", silence.author},
                                       {"reason", silence.reason},
                                       {"changedBy", editor.who},
                                       {"changedWith", editor.by}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

namespace {

Result<int64_t> time_of(const nlohmann::json& json) {
  const auto ns = parse_rfc3339(json.get<std::string>());
  if (!ns) return ns.error();
  return *ns / kNanosPerMilli;
}

// Throws what the library throws.
Result<SharedSilence> read_silence(const nlohmann::json& json) {
  SharedSilence read;
  Silence& silence = read.silence;
  silence.id = json.at("id").get<std::string>();
  for (const auto& text : json.at("matchers")) {
    auto some = parse_matcher_list(text.get<std::string>());
    if (!some) return some.error();
    silence.matchers.insert(silence.matchers.end(), some->begin(), some->end());
  }
  for (const auto& [name, ms] : {std::pair{"startsAt", &silence.starts_ms},
                                 {"endsAt", &silence.ends_ms},
                                 {"createdAt", &silence.created_ms},
                                 {"updatedAt", &silence.updated_ms}}) {
    const auto time = time_of(json.at(name));
    if (!time) return time.error().with_context(name);
    *ms = *time;
  }
  silence.author = json.at("author").get<std::string>();
  silence.reason = json.at("reason").get<std::string>();
  read.editor.who = json.at("changedBy").get<std::string>().substr(0, kMaxReasonBytes);
  read.editor.by = json.at("changedWith").get<std::string>().substr(0, kMaxReasonBytes);
  return read;
}

}  // namespace

Result<SharedSilence> decode_silence(std::string_view text) {
  const auto fault = [](const std::string& why) {
    return Error(Code::kInvalidArgument, "a shared silence cannot be used: " + why);
  };
  if (text.size() > kMaxSharedSilenceBytes) {
    return fault(fmt::format("got {} bytes, the limit is {}", text.size(), kMaxSharedSilenceBytes));
  }
  try {
    auto read = read_silence(nlohmann::json::parse(text));
    if (!read) return fault(read.error().message());
    Silence checked = read->silence;
    // One that was ended before it began has no length any more.
    checked.ends_ms = std::max(checked.ends_ms, checked.starts_ms + 1);
    if (const Status good = check_silence(checked); !good) return fault(good.error().message());
    return read;
  } catch (const nlohmann::json::exception& error) {
    return fault(error.what());
  }
}

}  // namespace monitor::notify
