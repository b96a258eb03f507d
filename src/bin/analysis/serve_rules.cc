#include "bin/analysis/serve_rules.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "config/etcd/etcd_source.h"
#include "config/file/file_source.h"
#include "config/keys.h"
#include "query/labels.h"
#include "views/history/recent_source.h"
#include "views/unusual/scored_source.h"

namespace monitor {

namespace {

namespace history = analysis::history;
using analysis::DataTime;

// The origin of the rules in the configuration; and how their names begin there.
constexpr const char* kConfiguration = "configuration";
constexpr const char* kEtcd = "etcd:";
// An etcd that no option names may not exist. It decides who notifies once it has answered; before that, the lock file
// does, but not until the etcd had time to answer.
constexpr int64_t kUnnamedEtcdAnswersNs = 5 * kNanosPerSecond;

// Whether the data of that time may still come for series with these labels: from their agent; from an agent of their
// host; and for labels that name neither, from all agents, when none has delivered.
bool undelivered(const DataTime::Reading& time, const query::Labels& labels, int64_t at_ms) {
  const int64_t at_ns = at_ms * kNanosPerMilli;
  const std::string agent(labels.get("agent"));
  if (!agent.empty()) {
    const auto found = time.agents->find(agent);
    return found != time.agents->end() && time.undelivered(found->second, at_ns);
  }
  const std::string_view host = labels.get("host");
  bool any = false;
  for (const auto& [name, one] : *time.agents) {
    if (!host.empty() && one.host != host) continue;
    if (!time.undelivered(one, at_ns)) {
      if (host.empty() && !one.stopped && one.reached_ns >= at_ns) return false;
      continue;
    }
    any = true;
  }
  return any;
}

// The newest ticks and scores.
class RuleData final : public query::SeriesSource {
 public:
  RuleData(std::unique_ptr<history::RecentSource> recent, const analysis::unusual::ScoreBoard* scores)
      : recent_(std::move(recent)), scored_(*recent_, {.board = scores}) {}

  Result<std::vector<query::StoredSeries>> select(std::span<const query::Matcher> matchers, int64_t from_ms,
                                                  int64_t to_ms) override {
    return scored_.select(matchers, from_ms, to_ms);
  }
  Result<std::vector<query::StoredSeries>> own_series(std::string_view function,
                                                      std::span<const query::Matcher> matchers, int64_t from_ms,
                                                      int64_t to_ms) override {
    return scored_.own_series(function, matchers, from_ms, to_ms);
  }

 private:
  const std::unique_ptr<history::RecentSource> recent_;
  analysis::unusual::ScoredSource scored_;
};

}  // namespace

void declare_rules(CLI::App& app, std::vector<std::string>& paths) {
  app.add_option("--rules", paths,
                 "Evaluate the alerting and recording rules of this file, or of the *.yml and *.yaml files of this "
                 "folder; may be repeated")
      ->type_name("FILE|DIR")
      ->allow_extra_args(false);
}

ServeRules::ServeRules(const ServeRulesOptions& options, EventLoop& loop, const Clock& clock,
                       telemetry::Registry& registry)
    : options_(options),
      loop_(loop),
      clock_(clock),
      worker_(loop),
      alone_gauge_(registry.gauge("monitor_rules_notifies_alone",
                                  "1 while this instance passes alerts on without knowing whether another one does, "
                                  "because etcd does not answer.")) {}

Result<std::unique_ptr<ServeRules>> ServeRules::open(const ServeRulesOptions& options, EventLoop& loop,
                                                     const Clock& clock, Disk& disk, telemetry::Registry& registry) {
  std::unique_ptr<ServeRules> rules(new ServeRules(options, loop, clock, registry));
  ServeRules* const self = rules.get();
  rules::RunnerOptions runner;
  runner.store.path = rules::store_path(options.history_path);
  runner.paths = options.paths;
  runner.open_data = [path = options.history_path,
                      scores = options.scores]() -> Result<std::unique_ptr<query::SeriesSource>> {
    auto opened = history::RecentSource::open(path);
    if (!opened) return opened.error();
    return std::unique_ptr<query::SeriesSource>(std::make_unique<RuleData>(std::move(*opened), scores));
  };
  runner.may_notify = [self] { return self->may_notify(); };
  runner.on_notifies = [self](bool notifies) {
    if (self->on_notifies_) self->on_notifies_(notifies);
  };
  runner.complete = [self] { return self->complete(); };
  auto opened = rules::RuleRunner::open(std::move(runner), clock, disk, registry);
  if (!opened) return opened.error();
  rules->runner_ = std::move(*opened);
  if (Status connected = rules->connect(disk); !connected) return connected.error();
  return rules;
}

ServeRules::~ServeRules() {
  if (runner_) runner_->stop();  // its thread uses the other members
}

Status ServeRules::connect(Disk& disk) {
  if (options_.etcd == nullptr) {
    source_ = std::make_unique<config::FileSource>(
        loop_, disk, worker_, config::FileSourceOptions{.folder = options_.config_dir, .files = {}, .state_file = ""});
    return {};
  }
  auto connected = connect_etcd(loop_, *options_.etcd);
  if (!connected) return connected.error();
  etcd_ = std::move(*connected);
  source_ = std::make_unique<config::EtcdSource>(loop_, etcd_->random, *etcd_->client);
  return {};
}

void ServeRules::set_sink(rules::AlertSink* sink) { runner_->set_sink(sink); }

void ServeRules::start() {
  started_ns_ = clock_.mono_ns();
  if (runner_->has_state()) take_key();
  source_->watch({.keys = {}, .prefixes = {std::string(config::kRulesRoot)}}, *this);
  runner_->start();
}

// Without rules there is nobody to notify, and the user of etcd need not have the right to write the key.
void ServeRules::take_key() {
  if (key_ || options_.etcd == nullptr) return;
  config::ExclusiveKeyOptions key;
  key.key = config::notifier_key();
  key.owner = fmt::format("{} process {}", host_id().id, getpid());
  key.optional = !options_.etcd->named();
  key_ = std::make_unique<config::ExclusiveKey>(loop_, *etcd_->client, std::move(key));
  shared_key_ = key_.get();
}

void ServeRules::take_data_time(const DataTime::Reading& time) {
  rules::Progress progress;
  progress.watermark_ms = time.watermark_ns == INT64_MIN ? 0 : time.watermark_ns / kNanosPerMilli;
  progress.now_ms = time.now_ns / kNanosPerMilli;
  progress.undelivered = [time](const query::Labels& labels, int64_t at_ms) {
    return undelivered(time, labels, at_ms);
  };
  runner_->take_progress(std::move(progress));
}

bool ServeRules::may_notify() {
  if (let_go_) return false;
  if (options_.etcd == nullptr) return lock_held();
  const config::ExclusiveKey* const key = shared_key_;
  if (key == nullptr) return false;
  if (options_.etcd->named() || key->answered()) {
    const bool held = key->held();
    return may_alone(*key) || held;
  }
  return clock_.mono_ns() - started_ns_ >= kUnnamedEtcdAnswersNs && lock_held();
}

// Without etcd, nobody knows who is the one. An alert that comes twice is better than one that never comes.
bool ServeRules::may_alone(const config::ExclusiveKey& key) {
  const int64_t silent_ns = key.silent_ns();
  const bool alone = silent_ns > 0 && !key.held() && (key.last_held() || silent_ns >= options_.alone_after_ns);
  if (alone == alone_) return alone;
  alone_ = alone;
  alone_gauge_.set(alone ? 1 : 0);
  if (alone) {
    log_warning("etcd does not answer; this instance passes alerts on, and another one may do so, too",
                {{"silent_s", silent_ns / kNanosPerSecond}});
  } else {
    log_info("etcd says again which instance passes alerts on");
  }
  return alone;
}

// Whether the rules in the configuration are known.
bool ServeRules::complete() const {
  if (keys_seen_) return true;
  const config::ExclusiveKey* const key = shared_key_;
  const bool maybe_none = options_.etcd != nullptr && !options_.etcd->named() && (key == nullptr || !key->answered());
  return maybe_none && clock_.mono_ns() - started_ns_ >= kUnnamedEtcdAnswersNs;
}

bool ServeRules::lock_held() {
  if (locked_) return true;
  if (!lock_) {
    auto opened = LockFile::open(options_.data_folder + "/notifier.lock");
    if (!opened) return false;
    lock_.emplace(std::move(*opened));
  }
  locked_ = lock_->try_lock(fmt::format("process {}", getpid()));
  return locked_;
}

void ServeRules::on_keys(const config::KeySet& keys) {
  rules::RuleTexts texts;
  for (const auto& [key, entry] : keys.entries) {
    const std::string name = (options_.etcd != nullptr ? kEtcd : "") + source_->describe(key);
    if (entry.fault) {
      texts.emplace(name, entry.fault->with_context(name));
    } else {
      texts.emplace(name, entry.value);
    }
  }
  if (!texts.empty()) take_key();
  runner_->take_texts(kConfiguration, std::move(texts));
  keys_seen_ = true;
}

void ServeRules::on_source_lost(const Error& reason) {
  // An etcd that no option names may not exist.
  const bool certain = options_.etcd == nullptr || options_.etcd->named();
  if (certain && runner_->has_rules()) runner_->note_origin(kConfiguration, reason.message());
}

void ServeRules::let_go() {
  let_go_ = true;
  if (key_) key_->stop([] {});
}

void ServeRules::stop() { runner_->stop(); }

}  // namespace monitor
