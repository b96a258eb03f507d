#include "notify/recorder.h"

#include <iterator>
#include <utility>

#include "base/log.h"

namespace monitor::notify {

namespace {

constexpr int64_t kForPeopleMs = 2000;

Delivery delivery_of(const Notification& notification, const char* result, std::string answer, int64_t attempts,
                     int64_t now_ms) {
  Delivery delivery;
  delivery.id = notification.id;
  delivery.result = result;
  delivery.answer = std::move(answer);
  delivery.attempts = attempts;
  delivery.finished_ms = now_ms;
  return delivery;
}

const char* name_of(Ending ending) {
  switch (ending) {
    case Ending::kSent:
      return "sent";
    case Ending::kRefused:
      return "refused";
    case Ending::kExpired:
      return "expired";
    case Ending::kSuperseded:
      return "superseded";
    case Ending::kQueueFull:
      break;
  }
  return "queue_full";
}

template <typename T>
void append(std::vector<T>& to, std::vector<T>&& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

void Recorder::note_ended(std::vector<Ended> ended, int64_t now_ms) {
  for (Ended& one : ended) {
    unsaved_.finished.push_back(
        delivery_of(*one.notification, name_of(one.ending), std::move(one.answer), one.attempts, now_ms));
  }
}

void Recorder::note_without_receiver(const Notification& notification, int64_t now_ms) {
  constexpr const char* kReason = "the configuration has no such receiver any more";
  log_error("a notification was given up", {{"receiver", notification.receiver},
                                            {"integration", notification.integration},
                                            {"notification", notification.id},
                                            {"reason", kReason}});
  unsaved_.finished.push_back(delivery_of(notification, "no_receiver", kReason, 0, now_ms));
}

Recorder::Saved Recorder::save(AlertStore::Step step, const std::map<query::Labels, Tracked>& all) {
  append(unsaved_.changes.alerts, std::move(step.changes.alerts));
  append(unsaved_.changes.forgotten, std::move(step.changes.forgotten));
  append(unsaved_.changes.expired, std::move(step.changes.expired));
  append(unsaved_.decisions, std::move(step.decisions));
  append(unsaved_.forwarded, std::move(step.forwarded));
  append(unsaved_.finished, std::move(step.finished));
  if (unsaved_.empty()) return {};
  Saved saved{store_.save(unsaved_), !unsaved_.finished.empty()};
  if (saved.status) {
    unsaved_ = {};
    return saved;
  }
  log_error("alerts cannot be stored; notifications are sent, and may be sent again after a restart",
            {{"reason", saved.status.error()}});
  bound(all);
  return saved;
}

// What is forgotten can only be sent twice.
void Recorder::bound(const std::map<query::Labels, Tracked>& all) {
  constexpr size_t kMost = 10'000;
  if (unsaved_.decisions.size() > kMost) unsaved_.decisions.resize(kMost);
  if (unsaved_.forwarded.size() > kMost) unsaved_.forwarded.resize(kMost);
  if (unsaved_.finished.size() > kMost) unsaved_.finished.resize(kMost);
  if (unsaved_.changes.alerts.size() > kMost) {
    unsaved_.changes.alerts.clear();
    for (const auto& [labels, one] : all) unsaved_.changes.alerts.push_back(one);
  }
}

void Recorder::save_pending(const std::map<query::Labels, rules::Alert>& pending, int64_t mono_ms) {
  if (mono_ms - pending_saved_ms_ < kForPeopleMs || pending == saved_pending_) return;
  pending_saved_ms_ = mono_ms;
  std::vector<rules::Alert> rows;
  for (const auto& [labels, one] : pending) rows.push_back(one);
  if (store_.save_pending(rows)) saved_pending_ = pending;
}

void Recorder::save_receivers(std::vector<ReceiverState> states, int64_t mono_ms) {
  if (saved_receivers_ && (mono_ms - receivers_saved_ms_ < kForPeopleMs || states == *saved_receivers_)) return;
  receivers_saved_ms_ = mono_ms;
  if (store_.save_receivers(states)) saved_receivers_ = std::move(states);
}

}  // namespace monitor::notify
