#include "notify/notifier.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "base/log.h"

namespace monitor::notify {

namespace {

constexpr int64_t kSaveValuesMs = 10'000;
constexpr int64_t kPruneMs = 3'600'000;

SenderFactory factory_of(const NotifierOptions& options) {
  if (options.make) return options.make;
  return [senders = options.senders](const Integration& one) { return make_sender(one, senders); };
}

}  // namespace

Result<std::unique_ptr<Notifier>> Notifier::start(const NotifierOptions& options, const Clock& clock,
                                                  telemetry::Registry& registry) {
  auto lock = LockFile::acquire(options.store_path + ".lock", "the notifications of " + options.store_path);
  if (!lock) return lock.error();
  // Before the store is created: a wrong file must leave nothing behind.
  if (!options.config_path.empty()) {
    if (const auto config = load_config(options.config_path); !config) return config.error();
  }
  auto store = AlertStore::open(options.store_path, AlertStore::Open::kCreate, clock);
  if (!store) return store.error();
  std::unique_ptr<Notifier> notifier(new Notifier(options, clock, registry, std::move(*lock), std::move(*store)));
  if (Status begun = notifier->begin(); !begun) return begun.error();
  return notifier;
}

Notifier::Notifier(const NotifierOptions& options, const Clock& clock, telemetry::Registry& registry, LockFile lock,
                   std::unique_ptr<AlertStore> store)
    : options_(options),
      clock_(clock),
      metrics_(std::make_unique<NotifierMetrics>(registry)),
      lock_(std::move(lock)),
      store_(std::move(store)),
      config_watch_(options.config_path),
      silence_watch_(*store_),
      recorder_(*store_),
      sharing_(options.shared),
      couriers_(factory_of(options), options.limits, clock, registry, [this](std::vector<Ended> ended) {
        {
          const std::lock_guard guard(mutex_);
          std::ranges::move(ended, std::back_inserter(mail_.ended));
        }
        changed_.notify_all();
      }) {}

Notifier::~Notifier() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  couriers_.stop();
  Mail rest;
  {
    const std::lock_guard lock(mutex_);
    rest = std::exchange(mail_, {});
  }
  AlertStore::Step last;
  last.changes = dispatcher_.take_changes(true);
  sharing_.note_ended(rest.ended);
  recorder_.note_ended(std::move(rest.ended), now().wall_ms);
  if (replaced_.empty()) (void)share(last, now().mono_ms);
  save(std::move(last));
}

Status Notifier::begin() {
  auto config = config_watch_.load();
  if (!config) return config.error();
  config_ = *config;
  dispatcher_ = Dispatcher(config_);
  auto loaded = store_->load();
  if (!loaded) return loaded.error();
  if (Status noted = store_->note_config(options_.config_path, options_.external_url); !noted) return noted;
  if (Status begun = silence_watch_.begin(); !begun) return begun;
  metrics_->config_ok.set(1);
  thread_ = std::thread([this, kept = std::move(*loaded)]() mutable {
    if (take_over(kept)) run();
  });
  return {};
}

// Continues where this instance has stopped, or where another one did. False: the object is being destroyed.
bool Notifier::take_over(AlertStore::Loaded& kept) {
  const int64_t begun_ms = now().mono_ms;
  while (true) {
    auto elsewhere = sharing_.take_over(kept, now().wall_ms);
    if (elsewhere) {
      AlertStore::Step first;
      first.finished = std::move(*elsewhere);
      save(std::move(first));
      break;
    }
    constexpr int64_t kPatienceMs = 60'000;
    if (now().mono_ms - begun_ms > kPatienceMs) {
      log_error("the shared log of notifications cannot be read; notifications of another instance may be repeated",
                {{"reason", elsewhere.error()}});
      break;
    }
    log_warning("the shared log of notifications cannot be read yet; alerts wait", {{"reason", elsewhere.error()}});
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_; })) return false;
  }
  dispatcher_.restore(std::move(kept.alerts), std::move(kept.log), now());
  if (auto silences = silence_watch_.look()) dispatcher_.set_silences(std::move(*silences));
  (void)couriers_.configure(*config_);
  for (Notification& one : kept.outbox) send(std::make_shared<const Notification>(std::move(one)));
  return true;
}

Moment Notifier::now() const { return {clock_.wall_ns() / kNanosPerMilli, clock_.mono_ns() / kNanosPerMilli}; }

void Notifier::at_step(std::string_view name) const {
  if (options_.at_step) options_.at_step(name);
}

void Notifier::update(std::span<const rules::Alert> alerts, int64_t evaluated_at_ms) {
  {
    const std::lock_guard lock(mutex_);
    for (const rules::Alert& one : alerts) mail_.alerts.insert_or_assign(one.labels, one);
    mail_.evaluated_ms = std::max(mail_.evaluated_ms, evaluated_at_ms);
  }
  changed_.notify_all();
}

void Notifier::update_group(const std::string& group, std::span<const rules::Alert> alerts, int64_t evaluated_at_ms) {
  {
    const std::lock_guard lock(mutex_);
    GroupAlerts& all = mail_.groups[group];
    all = {.alerts = {}, .evaluated_ms = evaluated_at_ms};
    for (const rules::Alert& one : alerts) {
      mail_.alerts.insert_or_assign(one.labels, one);
      all.alerts.insert(one.labels);
    }
    mail_.evaluated_ms = std::max(mail_.evaluated_ms, evaluated_at_ms);
  }
  changed_.notify_all();
}

void Notifier::update_groups(const std::set<std::string>& groups, int64_t evaluated_at_ms) {
  {
    const std::lock_guard lock(mutex_);
    mail_.all_groups = groups;
    mail_.all_groups_ms = evaluated_at_ms;
  }
  changed_.notify_all();
}

std::string Notifier::replaced() const {
  const std::lock_guard lock(mutex_);
  return replaced_;
}

void Notifier::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_ && replaced_.empty()) {
    const int64_t mono_ms = now().mono_ms;
    const int64_t due_ms = std::min(dispatcher_.next_due_ms(), looked_ms_ + options_.look_ms);
    if (mail_.empty() && due_ms > mono_ms) {
      changed_.wait_for(lock, std::chrono::milliseconds(std::clamp<int64_t>(due_ms - mono_ms, 1, options_.look_ms)));
      if (stopping_) break;
    }
    Mail mail = std::exchange(mail_, {});
    lock.unlock();
    step(std::move(mail));
    lock.lock();
  }
}

void Notifier::step(Mail mail) {
  const Moment moment = now();
  if (moment.mono_ms - looked_ms_ >= options_.look_ms) look();
  take(mail, moment);

  AlertStore::Step step;
  step.decisions = dispatcher_.due(moment);
  const bool values = moment.mono_ms - values_saved_ms_ >= kSaveValuesMs;
  if (values) values_saved_ms_ = moment.mono_ms;
  step.changes = dispatcher_.take_changes(values);
  std::vector<std::shared_ptr<const Notification>> to_send;
  std::vector<LogKey> over;
  for (Decision& one : step.decisions) {
    if (one.notification) {
      one.notification->external_url = options_.external_url;
      to_send.push_back(std::make_shared<const Notification>(*one.notification));
    } else {
      over.push_back(one.key);
    }
  }
  for (Notification& one : forwarder_.due(*config_, dispatcher_.alerts(), evaluated_ms_, moment)) {
    one.external_url = options_.external_url;
    if (!one.repeat) step.forwarded.push_back(one);
    to_send.push_back(std::make_shared<const Notification>(std::move(one)));
  }
  if (!to_send.empty()) at_step("decided");
  const bool mine = share(step, moment.mono_ms);
  if (!mine) return;
  save(std::move(step));
  if (!to_send.empty()) at_step("saved");
  for (const LogKey& one : over) couriers_.withdraw(one);
  for (const auto& one : to_send) send(one);
  recorder_.save_pending(dispatcher_.pending(), moment.mono_ms);
  recorder_.save_receivers(couriers_.receivers(), moment.mono_ms);
  note_counts();
}

void Notifier::take(Mail& mail, Moment moment) {
  if (!mail.alerts.empty() || mail.evaluated_ms > 0) {
    at_step("taken");
    std::vector<rules::Alert> alerts;
    alerts.reserve(mail.alerts.size());
    for (auto& [labels, alert] : mail.alerts) alerts.push_back(std::move(alert));
    evaluated_ms_ = std::max(evaluated_ms_, mail.evaluated_ms);
    dispatcher_.update(alerts, mail.evaluated_ms, moment);
    for (const auto& [group, all] : mail.groups) dispatcher_.end_missing(group, all, moment);
  }
  if (mail.all_groups) end_removed(*mail.all_groups, mail.all_groups_ms, moment);
  sharing_.note_ended(mail.ended);
  recorder_.note_ended(std::move(mail.ended), moment.wall_ms);
}

void Notifier::end_removed(const std::set<std::string>& groups, int64_t evaluated_ms, Moment moment) {
  for (const std::string& group : dispatcher_.end_other_groups(groups, evaluated_ms, moment)) {
    log_info("the rules of alerts that were firing no longer exist; the alerts are resolved", {{"group", group}});
  }
}

// What all instances know comes first: what only this one has stored is compared with it when it notifies again.
bool Notifier::share(const AlertStore::Step& step, int64_t mono_ms) {
  const Status shared = sharing_.share(step.decisions, step.changes.expired, mono_ms);
  metrics_->shared_failing.set(sharing_.failing() ? 1 : 0);
  if (shared) return true;
  log_warning("another instance notifies; this one sends nothing any more", {{"reason", shared.error()}});
  {
    const std::lock_guard lock(mutex_);
    replaced_ = shared.error().message();
  }
  at_step("replaced");
  return false;
}

void Notifier::save(AlertStore::Step step) {
  const Recorder::Saved saved = recorder_.save(std::move(step), dispatcher_.alerts());
  metrics_->store_failing.set(saved.status ? 0 : 1);
  if (saved.status && saved.finished) at_step("finished");
}

void Notifier::send(const std::shared_ptr<const Notification>& notification) {
  if (couriers_.send(notification)) return;
  metrics_->no_receiver.add();
  recorder_.note_without_receiver(*notification, now().wall_ms);
}

void Notifier::note_counts() {
  metrics_->firing.set(static_cast<double>(std::ranges::count_if(
      dispatcher_.alerts(), [](const auto& one) { return one.second.alert.state == rules::AlertState::kFiring; })));
  metrics_->pending.set(static_cast<double>(dispatcher_.pending().size()));
  metrics_->groups.set(static_cast<double>(dispatcher_.groups()));
  metrics_->silences.set(
      static_cast<double>(std::ranges::count_if(dispatcher_.silences(), [wall_ms = now().wall_ms](const Silence& one) {
        return one.state(wall_ms) == Silence::State::kActive;
      })));
}

void Notifier::look() {
  const Moment moment = now();
  looked_ms_ = moment.mono_ms;
  if (auto config = config_watch_.look()) {
    config_ = std::move(config);
    dispatcher_.configure(config_, moment);
    forwarder_.forget();
    for (const auto& one : couriers_.configure(*config_)) send(one);
  }
  metrics_->config_ok.set(config_watch_.trouble().empty() ? 1 : 0);
  if (auto silences = silence_watch_.look()) dispatcher_.set_silences(std::move(*silences));
  if (pruned_ms_ == 0 || moment.mono_ms - pruned_ms_ >= kPruneMs) prune(moment);
  at_step("looked");
}

void Notifier::prune(Moment moment) {
  pruned_ms_ = moment.mono_ms;
  dispatcher_.expire_log(moment.wall_ms);
  if (const Status pruned = store_->prune(moment.wall_ms - options_.keep_history_ms); !pruned) {
    log_warning("the history of alerts cannot be cut", {{"reason", pruned.error()}});
  }
}

}  // namespace monitor::notify
