// `monitor-analysis alert silence`.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "base/escape.h"
#include "base/time_format.h"
#include "bin/analysis/alert_command.h"
#include "metriclog/start_at.h"

namespace monitor {

using notify::AlertStore;
using notify::Silence;

int SilenceCommand::run() {
  const int ways = (flags_.list ? 1 : 0) + (flags_.expire.empty() ? 0 : 1) + (flags_.edit.empty() ? 0 : 1);
  if (ways > 1) return cli_.usage_error("--list, --edit and --expire exclude one another");
  if (flags_.list) return list_silences();
  if (flags_.author.empty()) flags_.author = user_name();
  auto store = open(AlertStore::Open::kCreate);
  if (!store) return fail("the silences cannot be changed", store.error());
  if (!flags_.expire.empty()) return answer((*store)->expire_silence(flags_.expire, editor()));
  return set_silence(**store);
}

int SilenceCommand::list_silences() {
  auto store = open(AlertStore::Open::kExisting);
  if (!store) return fail("the silences cannot be read", store.error());
  auto silences = (*store)->silences();
  if (!silences) return fail("the silences cannot be read", silences.error());
  if (!flags_.all) {
    std::erase_if(*silences, [&](const Silence& one) { return one.state(now_ms_) == Silence::State::kExpired; });
  }
  if (json()) {
    std::cout << notify::silences_json(*silences, now_ms_) << "\n";
    return kExitOk;
  }
  if (silences->empty()) {
    std::cout << (flags_.all ? "there are no silences\n" : "no silence lasts or will begin\n");
    return kExitOk;
  }
  std::cout << fmt::format("{:<16} {:<8} {:<20} {:<20} {:<12} {:<40} {}\n", "ID", "STATE", "BEGINS", "ENDS", "AUTHOR",
                           "MATCHERS", "REASON");
  for (const Silence& one : *silences) {
    std::cout << fmt::format("{:<16} {:<8} {:<20} {:<20} {:<12} {:<40} {}\n", one.id, to_string(one.state(now_ms_)),
                             format_rfc3339(one.starts_ms * kNanosPerMilli, 0),
                             format_rfc3339(one.ends_ms * kNanosPerMilli, 0), printable(one.author),
                             printable(notify::to_string(one.matchers)), printable(one.reason));
  }
  return kExitOk;
}

int SilenceCommand::set_silence(AlertStore& store) {
  Silence silence;
  silence.starts_ms = now_ms_;
  if (!flags_.edit.empty()) {
    const auto known = store.silences();
    if (!known) return fail("the silences cannot be read", known.error());
    const auto old = std::ranges::find(*known, flags_.edit, &Silence::id);
    if (old == known->end()) return refuse("there is no silence " + flags_.edit);
    silence = *old;
  } else if (flags_.matchers.empty() || flags_.for_ns == 0 || flags_.reason.empty()) {
    return cli_.usage_error("a silence needs --matcher, --for and --reason");
  }
  if (!flags_.from.empty()) {
    const auto from = metriclog::parse_start(flags_.from, clock_.wall_ns());
    if (!from || from->kind != metriclog::StartAt::Kind::kTime) {
      return cli_.usage_error("--from: got " + printable(flags_.from) +
                              ", expected a time such as 2026-11-22T12:00:00Z");
    }
    silence.starts_ms = from->time_ns / kNanosPerMilli;
  }
  if (!flags_.matchers.empty()) silence.matchers.clear();
  for (const std::string& text : flags_.matchers) {
    auto some = notify::parse_matcher_list(text);
    if (!some) return cli_.usage_error("--matcher: " + some.error().message());
    silence.matchers.insert(silence.matchers.end(), some->begin(), some->end());
  }
  if (flags_.for_ns > 0) {
    silence.ends_ms = std::max(silence.starts_ms, now_ms_) + flags_.for_ns / kNanosPerMilli;
  }
  if (!flags_.reason.empty()) silence.reason = flags_.reason;
  if (flags_.edit.empty()) silence.author = flags_.author;
  return answer(store.set_silence(std::move(silence), editor()));
}

int SilenceCommand::answer(const Result<Silence>& silence) const {
  if (!silence) {
    const Code code = silence.error().code();
    if (code == Code::kInvalidArgument) return cli_.usage_error(silence.error().message());
    if (code == Code::kNotFound || code == Code::kFailedPrecondition || code == Code::kResourceExhausted) {
      return refuse(silence.error().message());
    }
    return fail("the silence was not stored", silence.error());
  }
  if (json()) {
    std::cout << silence_json(*silence, now_ms_) << "\n";
  } else {
    std::cout << fmt::format("silence {} {} until {}\n", silence->id, printable(notify::to_string(silence->matchers)),
                             format_rfc3339(silence->ends_ms * kNanosPerMilli, 0));
  }
  return kExitOk;
}

}  // namespace monitor
