// `monitor-analysis alert check|list|history|test-notification`.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <iostream>

#include "base/escape.h"
#include "base/text.h"
#include "base/time_format.h"
#include "bin/analysis/alert_command.h"
#include "bin/analysis/external_url.h"
#include "notify/senders.h"
#include "query/duration.h"
#include "query/json.h"

namespace monitor {

using notify::AlertStore;
using rules::Alert;
using rules::AlertState;

namespace {

std::string labels_text(const Alert& alert) {
  query::Labels labels = alert.labels;
  labels.remove("alertname");
  return printable(alert.labels.get("alertname")) + (labels.empty() ? "" : printable(labels.to_string()));
}

std::string age_text(int64_t ms) {
  constexpr int64_t kSecond = 1000;
  return query::format_duration_ms(std::max<int64_t>(0, ms) / kSecond * kSecond);
}

}  // namespace

int AlertViewCommand::check() const {
  const auto config = notify::load_config(flags_.file);
  if (!config && config.error().code() != Code::kInvalidArgument) {
    return fail("the configuration cannot be read", config.error());
  }
  if (!config) return refuse(config.error().message());
  if (const Status files = notify::check_files(*config); !files) return refuse(files.error().message());
  std::cout << fmt::format("{}: {} receivers, {} inhibit rules: no fault\n", printable(flags_.file),
                           config->receivers.size(), config->inhibit_rules.size());
  return kExitOk;
}

int AlertViewCommand::list() {
  auto store = open(AlertStore::Open::kExisting);
  if (!store) return fail("the alerts cannot be read", store.error());
  const auto config = configuration(**store);
  const auto rows = notify::overview(**store, config ? &*config : nullptr, now_ms_);
  if (!rows) return fail("the alerts cannot be read", rows.error());
  if (json()) {
    std::cout << notify::overview_json(*rows) << "\n";
    return kExitOk;
  }
  if (!config && config.error().code() != Code::kNotFound) {
    std::cerr << "monitor-analysis: inhibition is not shown: " << printable_lines(config.error().message()) << "\n";
  }
  if (rows->empty()) std::cout << "no alert is firing or pending\n";
  if (!rows->empty()) print_alerts(*rows);
  return print_troubles(**store);
}

void AlertViewCommand::print_alerts(const std::vector<notify::AlertRow>& rows) {
  std::cout << fmt::format("{:<8} {:<20} {:>12}  {:<40} {}\n", "STATE", "SINCE", "VALUE", "ALERT", "QUIET BECAUSE OF");
  for (const notify::AlertRow& row : rows) {
    const bool firing = row.alert.state == AlertState::kFiring;
    std::cout << fmt::format(
        "{:<8} {:<20} {:>12}  {:<40} {}\n", firing ? "firing" : "pending",
        format_rfc3339((firing ? row.alert.fired_at_ms : row.alert.active_at_ms) * kNanosPerMilli, 0),
        query::value_text(row.alert.value), labels_text(row.alert), quiet(row));
  }
}

// The receivers that cannot be reached: what is told of alerts is as important as the alerts.
int AlertViewCommand::print_troubles(AlertStore& store) {
  const auto receivers = store.receivers();
  if (!receivers) return fail("the state of the receivers cannot be read", receivers.error());
  for (const notify::ReceiverState& one : *receivers) {
    if (one.trouble.empty()) continue;
    std::cout << fmt::format("receiver {}/{} fails, {} waiting: {}\n", printable(one.receiver), one.integration,
                             one.waiting, printable(one.trouble));
  }
  return kExitOk;
}

std::string AlertViewCommand::quiet(const notify::AlertRow& row) {
  std::vector<std::string> reasons;
  reasons.reserve(row.silenced_by.size() + row.inhibited_by.size());
  for (const std::string& id : row.silenced_by) reasons.push_back("silence " + id);
  for (const query::Labels& one : row.inhibited_by) reasons.push_back("alert " + printable(one.to_string()));
  return reasons.empty() ? "-" : join(reasons, ", ");
}

int AlertViewCommand::history() {
  auto store = open(AlertStore::Open::kExisting);
  if (!store) return fail("the alerts cannot be read", store.error());
  const auto rows = notify::history(**store, now_ms_ - flags_.last_ns / kNanosPerMilli, flags_.limit);
  if (!rows) return fail("the alerts cannot be read", rows.error());
  if (json()) {
    std::cout << notify::history_json(*rows) << "\n";
    return kExitOk;
  }
  if (rows->empty()) {
    std::cout << fmt::format("no alert was firing in the last {}\n", age_text(flags_.last_ns / kNanosPerMilli));
    return kExitOk;
  }
  std::cout << fmt::format("{:<20} {:>12}  {:<40} {}\n", "FIRED", "LASTED", "ALERT", "TOLD");
  for (const notify::HistoryRow& row : *rows) {
    const bool ended = row.alert.state == AlertState::kResolved;
    const int64_t until = ended ? row.alert.resolved_at_ms : now_ms_;
    std::cout << fmt::format("{:<20} {:>12}  {:<40}{}\n", format_rfc3339(row.alert.fired_at_ms * kNanosPerMilli, 0),
                             age_text(until - row.alert.fired_at_ms) + (ended ? "" : "+"), labels_text(row.alert),
                             row.deliveries.empty() ? " nobody" : "");
    for (const notify::Delivery& one : row.deliveries) {
      std::cout << fmt::format("{:<34}  {} {}/{}: {} ({})\n", "", format_rfc3339(one.decided_ms * kNanosPerMilli, 0),
                               printable(one.receiver), one.integration, one.result.empty() ? "waiting" : one.result,
                               printable(one.answer));
    }
  }
  return kExitOk;
}

int AlertViewCommand::test() {
  auto store = open(AlertStore::Open::kExisting);
  if (!store && flags_.config.empty()) {
    return cli_.usage_error("test-notification: name the configuration with --notify: " + store.error().message());
  }
  const auto config = store ? configuration(**store) : notify::load_config(flags_.config);
  if (!config) return refuse(config.error().message());
  const notify::Receiver* const receiver = config->receiver(flags_.receiver);
  if (receiver == nullptr) {
    std::vector<std::string> names;
    for (const notify::Receiver& one : config->receivers) names.push_back(one.name);
    return refuse(fmt::format("there is no receiver {}; there are {}", json_quote(flags_.receiver), join(names, ", ")));
  }
  if (!flags_.external_url.empty()) {
    auto url = parse_external_url(flags_.external_url);
    if (!url) return cli_.usage_error(url.error().message());
    flags_.external_url = std::move(*url);
  } else if (store) {
    if (auto noted = (*store)->external_url()) flags_.external_url = std::move(*noted);
  }
  bool all = true;
  size_t sent = 0;
  for (const notify::Integration& one : receiver->integrations) {
    if (!flags_.integration.empty() && flags_.integration != one.name) continue;
    ++sent;
    all = test_one(*receiver, one, sent > 1) && all;
  }
  if (json()) std::cout << (sent > 0 ? "]\n" : "[]\n");
  if (sent == 0) return refuse(fmt::format("receiver {} has no such integration", json_quote(flags_.receiver)));
  return all ? kExitOk : kExitNegative;
}

bool AlertViewCommand::test_one(const notify::Receiver& receiver, const notify::Integration& one, bool more) const {
  notify::SenderOptions options;
  options.clock = &clock_;
  options.brokers = flags_.brokers;
  const std::atomic<bool> stop = false;
  const auto notification = notify::test_notification(receiver.name, one.name, now_ms_, flags_.external_url);
  const int64_t begun = clock_.mono_ns();
  const notify::Outcome outcome = notify::make_sender(one, options)->send(notification, stop);
  const int64_t took_ms = (clock_.mono_ns() - begun) / kNanosPerMilli;
  const bool sent = outcome.kind == notify::Outcome::Kind::kSent;
  const char* const result = sent ? "sent" : outcome.kind == notify::Outcome::Kind::kRefused ? "refused" : "failed";
  if (json()) {
    std::cout << fmt::format(R"({}{{"receiver":{},"integration":{},"id":{},"result":"{}","answer":{},"ms":{}}})",
                             more ? "," : "[", json_quote(receiver.name), json_quote(one.name),
                             json_quote(notification.id), result, json_quote(outcome.answer), took_ms);
  } else {
    std::cout << fmt::format("{}/{}: {} after {} ms: {}\n", printable(receiver.name), one.name, result, took_ms,
                             outcome.answer);
  }
  return sent;
}

}  // namespace monitor
