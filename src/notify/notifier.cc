#include "notify/notifier.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/disk.h"
#include "base/log.h"

namespace monitor::notify {

namespace {

constexpr int64_t kSaveValuesMs = 10'000;
constexpr int64_t kSavePendingMs = 2000;
constexpr int64_t kPruneMs = 3'600'000;
constexpr size_t kMaxConfigBytes = size_t{1} << 20;

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

struct Notifier::Metrics {
  explicit Metrics(telemetry::Registry& r)
      : firing(r.gauge("monitor_notify_alerts", "Alerts, by state.", {{"state", "firing"}})),
        pending(r.gauge("monitor_notify_alerts", "", {{"state", "pending"}})),
        groups(r.gauge("monitor_notify_groups", "Groups of alerts.")),
        silences(r.gauge("monitor_notify_silences", "Silences that are active now.")),
        store_failing(r.gauge("monitor_notify_store_failing",
                              "1 while alerts and notifications cannot be stored; they are sent all the same.")),
        config_ok(r.gauge("monitor_notify_config_ok", "1 if the configuration's file is the one in use.")),
        no_receiver(r.counter("monitor_notify_dropped_total", "Notifications that were given up, by reason.",
                              {{"receiver", ""}, {"integration", ""}, {"reason", "no_receiver"}})) {}

  telemetry::Gauge& firing;
  telemetry::Gauge& pending;
  telemetry::Gauge& groups;
  telemetry::Gauge& silences;
  telemetry::Gauge& store_failing;
  telemetry::Gauge& config_ok;
  telemetry::Counter& no_receiver;
};

Result<std::unique_ptr<Notifier>> Notifier::start(const NotifierOptions& options, const Clock& clock,
                                                  telemetry::Registry& registry) {
  auto lock = LockFile::acquire(options.store_path + ".lock", "the notifications of " + options.store_path);
  if (!lock) return lock.error();
  PosixDisk disk;
  auto text = disk.read_file(options.config_path, kMaxConfigBytes);
  if (!text) return text.error();
  auto config = load_config(options.config_path);
  if (!config) return config.error();
  auto store = AlertStore::open(options.store_path, AlertStore::Open::kCreate, clock);
  if (!store) return store.error();
  if (Status files = check_files(*config); !files) {
    log_warning("files of the configuration of notifications cannot be used", {{"reason", files.error()}});
  }
  std::unique_ptr<Notifier> notifier(new Notifier(options, clock, registry, std::move(*lock), std::move(*store),
                                                  std::make_shared<const Config>(std::move(*config)),
                                                  std::move(*text)));
  if (Status begun = notifier->begin(); !begun) return begun.error();
  return notifier;
}

Notifier::Notifier(const NotifierOptions& options, const Clock& clock, telemetry::Registry& registry, LockFile lock,
                   std::unique_ptr<AlertStore> store, std::shared_ptr<const Config> config, std::string config_text)
    : options_(options),
      clock_(clock),
      registry_(registry),
      metrics_(std::make_unique<Metrics>(registry)),
      lock_(std::move(lock)),
      store_(std::move(store)),
      config_(std::move(config)),
      config_text_(std::move(config_text)),
      dispatcher_(config_) {}

Notifier::~Notifier() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  // Their last reports come while they stop.
  {
    const std::lock_guard lock(couriers_mutex_);
    for (auto& [name, one] : couriers_) (void)one->stop();
  }
  Mail rest;
  {
    const std::lock_guard lock(mutex_);
    rest = std::exchange(mail_, {});
  }
  note_ended(std::move(rest.ended));
  unsaved_.changes = dispatcher_.take_changes(true);
  save({});
}

Status Notifier::begin() {
  auto loaded = store_->load();
  if (!loaded) return loaded.error();
  if (Status noted = store_->note_config(options_.config_path); !noted) return noted;
  dispatcher_.restore(std::move(loaded->alerts), std::move(loaded->log), now());
  metrics_->config_ok.set(1);
  if (const auto changes = store_->silence_changes(0); changes && !changes->empty()) {
    silence_change_ = changes->back().number;
  }
  look_at_silences(true);
  build_couriers();
  for (Notification& one : loaded->outbox) send(std::move(one));
  thread_ = std::thread([this] { run(); });
  return {};
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

std::vector<ReceiverState> Notifier::receivers() const {
  const std::lock_guard lock(couriers_mutex_);
  std::vector<ReceiverState> states;
  for (const auto& [name, one] : couriers_) states.push_back({name.first, name.second, one->waiting(), one->trouble()});
  return states;
}

std::string Notifier::config_trouble() const {
  const std::lock_guard lock(mutex_);
  return config_trouble_;
}

void Notifier::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
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
  if (!mail.alerts.empty() || mail.evaluated_ms > 0) {
    at_step("taken");
    std::vector<rules::Alert> alerts;
    alerts.reserve(mail.alerts.size());
    for (auto& [labels, alert] : mail.alerts) alerts.push_back(std::move(alert));
    evaluated_ms_ = std::max(evaluated_ms_, mail.evaluated_ms);
    dispatcher_.update(alerts, mail.evaluated_ms, moment);
  }
  note_ended(std::move(mail.ended));

  AlertStore::Step step;
  step.decisions = dispatcher_.due(moment);
  const bool values = moment.mono_ms - values_saved_ms_ >= kSaveValuesMs;
  if (values) values_saved_ms_ = moment.mono_ms;
  step.changes = dispatcher_.take_changes(values);
  std::vector<Notification> forwarded = forwarder_.due(*config_, dispatcher_.alerts(), evaluated_ms_, moment);
  for (const Notification& one : forwarded) {
    if (!one.repeat) step.forwarded.push_back(one);
  }
  std::vector<Notification> to_send;
  for (const Decision& one : step.decisions) {
    if (one.notification) to_send.push_back(*one.notification);
  }
  append(to_send, std::move(forwarded));
  if (!to_send.empty()) at_step("decided");
  save(std::move(step));
  if (!to_send.empty()) at_step("saved");
  for (Notification& one : to_send) send(std::move(one));
  save_pending(moment.mono_ms);
  metrics_->firing.set(static_cast<double>(std::ranges::count_if(
      dispatcher_.alerts(), [](const auto& one) { return one.second.alert.state == rules::AlertState::kFiring; })));
  metrics_->pending.set(static_cast<double>(dispatcher_.pending().size()));
  metrics_->groups.set(static_cast<double>(dispatcher_.groups()));
}

// What cannot be stored is sent all the same, and stored later: that the disk is full must be told, too. If the process
// is killed meanwhile, the next one tells it again.
void Notifier::save(AlertStore::Step step) {
  append(unsaved_.changes.alerts, std::move(step.changes.alerts));
  append(unsaved_.changes.forgotten, std::move(step.changes.forgotten));
  append(unsaved_.changes.expired, std::move(step.changes.expired));
  append(unsaved_.decisions, std::move(step.decisions));
  append(unsaved_.forwarded, std::move(step.forwarded));
  append(unsaved_.finished, std::move(step.finished));
  if (unsaved_.empty()) return;
  const bool finished = !unsaved_.finished.empty();
  const Status saved = store_->save(unsaved_);
  metrics_->store_failing.set(saved ? 0 : 1);
  if (saved) {
    unsaved_ = {};
    if (finished) at_step("finished");
    return;
  }
  log_error("alerts cannot be stored; notifications are sent, and may be sent again after a restart",
            {{"reason", saved.error()}});
  // Bounded, and what is forgotten can only be sent twice.
  constexpr size_t kMost = 10'000;
  if (unsaved_.decisions.size() > kMost) unsaved_.decisions.resize(kMost);
  if (unsaved_.forwarded.size() > kMost) unsaved_.forwarded.resize(kMost);
  if (unsaved_.finished.size() > kMost) unsaved_.finished.resize(kMost);
  if (unsaved_.changes.alerts.size() > kMost) {
    unsaved_.changes.alerts.clear();
    for (const auto& [labels, one] : dispatcher_.alerts()) unsaved_.changes.alerts.push_back(one);
  }
}

void Notifier::save_pending(int64_t mono_ms) {
  if (mono_ms - pending_saved_ms_ < kSavePendingMs || dispatcher_.pending() == saved_pending_) return;
  pending_saved_ms_ = mono_ms;
  std::vector<rules::Alert> pending;
  for (const auto& [labels, one] : dispatcher_.pending()) pending.push_back(one);
  if (store_->save_pending(pending)) saved_pending_ = dispatcher_.pending();
}

void Notifier::look() {
  const Moment moment = now();
  looked_ms_ = moment.mono_ms;
  look_at_config();
  look_at_silences(false);
  if (pruned_ms_ != 0 && moment.mono_ms - pruned_ms_ < kPruneMs) return;
  pruned_ms_ = moment.mono_ms;
  dispatcher_.expire_log(moment.wall_ms);
  if (const Status pruned = store_->prune(moment.wall_ms - options_.keep_history_ms); !pruned) {
    log_warning("the history of alerts cannot be cut", {{"reason", pruned.error()}});
  }
}

void Notifier::look_at_config() {
  PosixDisk disk;
  auto text = disk.read_file(options_.config_path, kMaxConfigBytes);
  if (text && *text == config_text_) return;
  auto config = text ? load_config(options_.config_path) : Result<Config>(text.error());
  std::string trouble = config ? "" : config.error().message();
  metrics_->config_ok.set(config ? 1 : 0);
  {
    const std::lock_guard lock(mutex_);
    if (trouble == config_trouble_ && !trouble.empty()) return;
    config_trouble_ = trouble;
  }
  if (text) config_text_ = std::move(*text);
  if (!config) {
    log_error("the configuration of notifications is not valid; the previous one stays in use", {{"reason", trouble}});
    return;
  }
  config_ = std::make_shared<const Config>(std::move(*config));
  dispatcher_.configure(config_, now());
  forwarder_.forget();
  build_couriers();
  log_info("the configuration of notifications was applied",
           {{"file", options_.config_path}, {"receivers", config_->receivers.size()}});
}

void Notifier::look_at_silences(bool first) {
  const auto version = store_->data_version();
  const int64_t wall_ms = now().wall_ms;
  if (version && (*version != silences_version_ || first)) {
    auto silences = store_->silences();
    if (!silences) {
      log_warning("the silences cannot be read; those known before apply", {{"reason", silences.error()}});
    } else {
      silences_version_ = *version;
      dispatcher_.set_silences(std::move(*silences));
    }
    if (const auto changes = store_->silence_changes(silence_change_)) {
      for (const SilenceChange& one : *changes) {
        silence_change_ = one.number;
        log_info("a silence was changed",
                 {{"change", one.event}, {"silence", one.id}, {"who", one.who}, {"by", one.by}});
        if (options_.on_silence_change) options_.on_silence_change(one);
      }
    }
  }
  metrics_->silences.set(static_cast<double>(std::ranges::count_if(
      dispatcher_.silences(), [&](const Silence& one) { return one.state(wall_ms) == Silence::State::kActive; })));
}

// Couriers whose integration has not changed stay. What others have not delivered goes to their successors.
void Notifier::build_couriers() {
  std::vector<std::shared_ptr<const Notification>> rest;
  std::vector<std::unique_ptr<Courier>> old;
  {
    const std::lock_guard lock(couriers_mutex_);
    for (auto one = couriers_.begin(); one != couriers_.end();) {
      const Receiver* const receiver = config_->receiver(one->first.first);
      const bool same = receiver != nullptr && std::ranges::find(receiver->integrations, one->second->integration()) !=
                                                   receiver->integrations.end();
      if (same) {
        ++one;
        continue;
      }
      old.push_back(std::move(one->second));
      one = couriers_.erase(one);
    }
  }
  for (auto& one : old) append(rest, one->stop());
  for (const Receiver& receiver : config_->receivers) {
    for (const Integration& one : receiver.integrations) {
      const std::pair name(receiver.name, one.name);
      if (couriers_.contains(name)) continue;
      auto& metrics = courier_metrics_[name];
      if (!metrics) metrics = std::make_shared<CourierMetrics>(registry_, receiver.name, one.name);
      QueueLimits limits = options_.limits;
      // What an Alertmanager is told is told again soon.
      if (one.kind == Kind::kAlertmanager) limits.keep_ms = std::min(limits.keep_ms, 4 * one.resend_delay_ms);
      auto sender = options_.make ? options_.make(one) : make_sender(one, options_.senders);
      auto courier = std::make_unique<Courier>(receiver.name, one, std::move(sender), clock_, metrics, limits,
                                               [this](std::vector<Ended> ended) {
                                                 {
                                                   const std::lock_guard lock(mutex_);
                                                   append(mail_.ended, std::move(ended));
                                                 }
                                                 changed_.notify_all();
                                               });
      const std::lock_guard lock(couriers_mutex_);
      couriers_.emplace(name, std::move(courier));
    }
  }
  for (const auto& one : rest) send(*one);
}

Courier* Notifier::courier(const std::string& receiver, const std::string& integration) {
  const auto found = couriers_.find({receiver, integration});
  return found == couriers_.end() ? nullptr : found->second.get();
}

void Notifier::send(Notification notification) {
  Courier* const courier = this->courier(notification.receiver, notification.integration);
  if (courier == nullptr) {
    give_up(notification);
  } else {
    courier->push(std::make_shared<const Notification>(std::move(notification)));
  }
}

void Notifier::give_up(const Notification& notification) {
  metrics_->no_receiver.add();
  log_error("a notification was given up", {{"receiver", notification.receiver},
                                            {"integration", notification.integration},
                                            {"notification", notification.id},
                                            {"reason", "the configuration has no such receiver any more"}});
  unsaved_.finished.push_back(
      delivery_of(notification, "no_receiver", "the configuration has no such receiver any more", 0, now().wall_ms));
}

void Notifier::note_ended(std::vector<Ended> ended) {
  for (Ended& one : ended) {
    unsaved_.finished.push_back(
        delivery_of(*one.notification, name_of(one.ending), std::move(one.answer), one.attempts, now().wall_ms));
  }
}

}  // namespace monitor::notify
