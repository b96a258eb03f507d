#include "notify/sharing.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace monitor::notify {

namespace {

LogKey key_of(const Notification& one) { return {one.group_key, one.receiver, one.integration}; }

}  // namespace

Result<std::vector<Delivery>> Sharing::take_over(AlertStore::Loaded& loaded, int64_t now_ms) {
  std::vector<Delivery> elsewhere;
  if (!log_) return elsewhere;
  auto shared = log_->load();
  if (!shared) return shared.error();
  entries_ = std::move(*shared);
  // What others have decided since; also about what this instance had not sent when it was stopped.
  std::erase_if(loaded.outbox, [&](const Notification& mine) {
    const auto found = entries_.find(key_of(mine));
    if (found == entries_.end()) return false;
    const SharedEntry& theirs = found->second;
    const bool same = theirs.entry.id == mine.id;
    if (same ? !theirs.finished : theirs.entry.time_ms < mine.decided_ms) return false;
    Delivery delivery;
    delivery.id = mine.id;
    delivery.result = "superseded";
    delivery.answer = "another instance has notified meanwhile";
    delivery.finished_ms = now_ms;
    elsewhere.push_back(std::move(delivery));
    return true;
  });
  for (const auto& [key, theirs] : entries_) {
    const auto mine = loaded.log.find(key);
    if (mine != loaded.log.end() && mine->second.time_ms > theirs.entry.time_ms) continue;
    loaded.log.insert_or_assign(key, theirs.entry);
    restore_alerts(theirs, loaded);
    const bool known = std::ranges::find(loaded.outbox, theirs.last.id, &Notification::id) != loaded.outbox.end();
    if (!theirs.finished && !known && !theirs.last.alerts.empty()) loaded.outbox.push_back(theirs.last);
  }
  // What only this instance knows.
  for (const auto& [key, mine] : loaded.log) {
    SharedEntry& entry = entries_[key];
    if (entry.entry == mine) continue;
    const auto waiting = std::ranges::find(loaded.outbox, mine.id, &Notification::id);
    entry = {.entry = mine, .last = {}, .finished = waiting == loaded.outbox.end()};
    if (!entry.finished) entry.last = *waiting;
    entry.last.id = mine.id;
    unsaved_.insert(key);
  }
  return elsewhere;
}

// The alerts that were firing in the receivers' last notifications. The rules will report those that have ended since.
void Sharing::restore_alerts(const SharedEntry& shared, AlertStore::Loaded& loaded) {
  for (const rules::Alert& alert : shared.last.alerts) {
    if (alert.state != rules::AlertState::kFiring) continue;
    const auto mine =
        std::ranges::find_if(loaded.alerts, [&](const Tracked& one) { return one.alert.labels == alert.labels; });
    if (mine == loaded.alerts.end()) {
      loaded.alerts.push_back({alert, false});
    } else if (mine->alert.fired_at_ms < alert.fired_at_ms) {
      *mine = {alert, false};
    }
  }
}

Status Sharing::share(std::span<const Decision> decisions, std::span<const LogKey> expired, int64_t mono_ms) {
  if (!log_) return {};
  for (const Decision& one : decisions) {
    SharedEntry entry{.entry = one.entry, .last = {}, .finished = !one.notification};
    if (one.notification) entry.last = *one.notification;
    entry.last.id = one.entry.id;
    entries_.insert_or_assign(one.key, std::move(entry));
    unsaved_.insert(one.key);
  }
  for (const LogKey& key : expired) {
    if (entries_.erase(key) > 0) unsaved_.insert(key);
  }
  if (unsaved_.empty() || (failing_ && mono_ms < not_before_ms_)) return {};
  const std::vector<LogKey> keys(unsaved_.begin(), unsaved_.end());
  const Status saved = log_->save(keys, entries_);
  if (!saved && saved.error().code() == Code::kAborted) return saved;
  if (saved) {
    unsaved_.clear();
  } else {
    constexpr int64_t kTryAgainMs = 5000;
    not_before_ms_ = mono_ms + kTryAgainMs;
    if (!failing_) {
      log_error(
          "the shared log of notifications cannot be written; if another instance takes over, it may notify again",
          {{"reason", saved.error()}});
    }
  }
  if (saved && failing_) log_info("the shared log of notifications is written again");
  failing_ = !saved;
  return {};
}

void Sharing::note_ended(std::span<const Ended> ended) {
  if (!log_) return;
  for (const Ended& one : ended) {
    const LogKey key = key_of(*one.notification);
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second.entry.id != one.notification->id) continue;
    found->second.finished = true;
    unsaved_.insert(key);
  }
}

}  // namespace monitor::notify
