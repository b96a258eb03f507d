#include "rules/runner.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "base/log.h"

namespace monitor::rules {

struct RuleRunner::Metrics {
  explicit Metrics(telemetry::Registry& r)
      : in_force(r.gauge("monitor_rules_files", "Rule files, by state.", {{"state", "in_force"}})),
        refused(r.gauge("monitor_rules_files", "", {{"state", "refused"}})),
        reloads(r.counter("monitor_rules_reloads_total", "Versions of rule files that came into force.")),
        failures(r.counter("monitor_rules_reload_failures_total",
                           "Versions of rule files that were refused; the previous ones stay in force.")),
        reloaded(r.gauge("monitor_rules_last_reload_seconds",
                         "When a version of a rule file last came into force, seconds since 1970.")),
        notifies(r.gauge("monitor_rules_notifies", "1 if this instance passes alerts on; only one of several does.")) {}

  telemetry::Gauge& in_force;
  telemetry::Gauge& refused;
  telemetry::Counter& reloads;
  telemetry::Counter& failures;
  telemetry::Gauge& reloaded;
  telemetry::Gauge& notifies;
};

Result<std::vector<query::StoredSeries>> RuleRunner::Data::ask(const Ask& question) {
  if (!source_) {
    auto opened = options_.open_data();
    if (!opened) return opened.error();
    source_ = std::move(*opened);
  }
  auto found = question(*source_);
  // A limit or a time-out says nothing about the files; otherwise, they may have been replaced.
  if (!found && found.error().code() != Code::kResourceExhausted && found.error().code() != Code::kDeadlineExceeded) {
    source_.reset();
  }
  return found;
}

Result<std::vector<query::StoredSeries>> RuleRunner::Data::select(std::span<const query::Matcher> matchers,
                                                                  int64_t from_ms, int64_t to_ms) {
  return ask([&](query::SeriesSource& source) { return source.select(matchers, from_ms, to_ms); });
}

Result<std::vector<query::StoredSeries>> RuleRunner::Data::own_series(std::string_view function,
                                                                      std::span<const query::Matcher> matchers,
                                                                      int64_t from_ms, int64_t to_ms) {
  return ask([&](query::SeriesSource& source) { return source.own_series(function, matchers, from_ms, to_ms); });
}

// Asked for each update: a lease may end at any moment.
void RuleRunner::Gate::update_groups(const std::set<std::string>& groups, int64_t evaluated_at_ms) {
  if (open()) target->update_groups(groups, evaluated_at_ms);
}

bool RuleRunner::Gate::open() const { return target != nullptr && passes && (!may_pass || may_pass()); }

void RuleRunner::Gate::update(std::span<const Alert> alerts, int64_t evaluated_at_ms) {
  if (open()) target->update(alerts, evaluated_at_ms);
}

void RuleRunner::Gate::update_group(const std::string& group, std::span<const Alert> alerts, int64_t evaluated_at_ms) {
  if (open()) target->update_group(group, alerts, evaluated_at_ms);
}

RuleRunner::RuleRunner(RunnerOptions options, const Clock& clock, Disk& disk, telemetry::Registry& registry)
    : options_(std::move(options)),
      clock_(clock),
      registry_(registry),
      metrics_(std::make_unique<Metrics>(registry)),
      folder_(disk, options_.paths),
      data_(options_) {
  gate_.may_pass = options_.may_notify;
}

RuleRunner::~RuleRunner() { stop(); }

Result<std::unique_ptr<RuleRunner>> RuleRunner::open(RunnerOptions options, const Clock& clock, Disk& disk,
                                                     telemetry::Registry& registry) {
  std::unique_ptr<RuleRunner> runner(new RuleRunner(std::move(options), clock, disk, registry));
  if (Status begun = runner->begin(); !begun) return begun.error();
  return runner;
}

Status RuleRunner::begin() {
  if (access(options_.store.path.c_str(), F_OK) == 0 || !options_.paths.empty()) {
    if (Status opened = open_state(); !opened) return opened;
  }
  look_at_paths();
  publish_files();
  if (!folder_.trouble().empty()) return Error(Code::kInvalidArgument, folder_.trouble());
  std::string faults;
  for (const auto& [name, file] : book_.files()) {
    if (file.origin == kPaths && !file.valid) faults += (faults.empty() ? "" : "\n") + file.fault;
  }
  return faults.empty() ? Status() : Error(Code::kInvalidArgument, faults);
}

Status RuleRunner::open_state() {
  auto opened = SqliteStore::open(options_.store);
  if (!opened) return opened.error();
  auto files = (*opened)->load_files();
  if (!files) return files.error();
  store_ = std::move(*opened);
  for (const auto& [name, file] : *files) book_.restore(file.origin, name, file.text);
  auto engine = std::make_unique<Engine>(options_.engine, data_, *store_, clock_, registry_);
  engine->set_sink(&gate_);
  Status replaced = engine->replace(book_.groups());
  const std::lock_guard lock(mutex_);
  engine_ = std::move(engine);
  return replaced;
}

void RuleRunner::set_external_url(const std::string& url) {
  options_.engine.external_url = url;
  if (engine_) engine_->set_external_url(url);
}

void RuleRunner::start() {
  thread_ = std::thread([this] { run(); });
}

void RuleRunner::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void RuleRunner::take_progress(Progress progress) {
  {
    const std::lock_guard lock(mutex_);
    inbox_.progress = std::move(progress);
  }
  changed_.notify_all();
}

void RuleRunner::take_texts(const std::string& origin, RuleTexts texts) {
  {
    const std::lock_guard lock(mutex_);
    inbox_.texts.insert_or_assign(origin, std::move(texts));
    origin_troubles_.erase(origin);
  }
  changed_.notify_all();
}

void RuleRunner::note_origin(const std::string& origin, const std::string& trouble) {
  const std::lock_guard lock(mutex_);
  if (trouble.empty()) {
    origin_troubles_.erase(origin);
  } else {
    origin_troubles_[origin] = trouble;
  }
}

void RuleRunner::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    changed_.wait_for(lock, std::chrono::nanoseconds(options_.turn_ns),
                      [this] { return stopping_ || inbox_.progress || !inbox_.texts.empty(); });
    if (stopping_) break;
    Inbox inbox = std::exchange(inbox_, {});
    lock.unlock();
    turn(std::move(inbox));
    lock.lock();
  }
}

void RuleRunner::turn(Inbox inbox) {
  const int64_t mono = clock_.mono_ns();
  for (const auto& [origin, texts] : inbox.texts) take(origin, texts);
  if (mono - looked_ns_ >= options_.look_ns) look_at_paths();
  if (unapplied_) apply_files();
  if (inbox.progress) progress_ = std::move(*inbox.progress);
  look_at_lease();
  if (engine_ && progress_.watermark_ms > 0) {
    note_store(engine_->advance(progress_, [this] { return stopping_.load(); }));
    if (std::exchange(tell_all_, false)) engine_->tell_all(progress_.now_ms);
  }
  if (tell_groups_) tell_groups();
  if (mono - expired_ns_ >= options_.expire_ns) expire();
}

// Rules that were removed while no process ran, or while another one notified, have left alerts that only the sink
// knows. Told again from time to time, because a sink may not be ready yet.
void RuleRunner::tell_groups() {
  if (!gate_.open() || (options_.complete && !options_.complete())) return;
  const auto groups = engine_ ? engine_->group_keys() : std::set<std::string>();
  // Without rules, nobody follows the data's time.
  if (!groups.empty() && progress_.watermark_ms == 0) return;
  tell_groups_ = false;
  gate_.update_groups(groups, groups.empty() ? clock_.wall_ns() / kNanosPerMilli : progress_.watermark_ms);
}

void RuleRunner::look_at_paths() {
  looked_ns_ = clock_.mono_ns();
  if (options_.paths.empty()) {
    // Files that an earlier process was started with.
    if (book_.files().empty()) return;
    take(kPaths, {});
    return;
  }
  const auto texts = folder_.look();
  note_origin(kPaths, folder_.trouble());
  if (texts) take(kPaths, *texts);
}

void RuleRunner::take(const std::string& origin, const RuleTexts& texts) {
  if (!store_ && !texts.empty()) {
    if (Status opened = open_state(); !opened) {
      note_origin(origin, opened.error().message());
      return;
    }
  }
  const RuleBook::Change change = book_.take(origin, texts);
  unapplied_ = unapplied_ || change.groups;
  publish_files();
  if (!change.applied.empty()) metrics_->reloaded.set(static_cast<double>(clock_.wall_ns()) / 1e9);
  metrics_->reloads.add(change.applied.size());
  metrics_->failures.add(change.refused.size());
  log_change(change);
  if (unapplied_) apply_files();
}

void RuleRunner::log_change(const RuleBook::Change& change) const {
  for (const std::string& name : change.applied) {
    const auto& groups = book_.files().at(name).groups;
    size_t rules = 0;
    for (const Group& group : groups) rules += group.rules.size();
    log_info("rules are in force", {{"file", name}, {"groups", groups.size()}, {"rules", rules}});
  }
  for (const std::string& name : change.removed) log_info("rules are removed", {{"file", name}});
  for (const std::string& name : change.refused) {
    const auto& file = book_.files().at(name);
    log_error(file.valid ? "a rule file is not valid; its previous version stays in force"
                         : "a rule file is not valid; none of its rules is in force",
              {{"file", name}, {"reason", file.fault}});
  }
}

void RuleRunner::publish_files() {
  std::map<std::string, std::string> troubles;
  auto files = std::make_shared<std::vector<RuleFileStatus>>();
  size_t in_force = 0;
  for (const auto& [name, file] : book_.files()) {
    in_force += file.valid ? 1 : 0;
    if (!file.fault.empty()) troubles.emplace(name, file.fault);
    size_t rules = 0;
    for (const Group& group : file.groups) rules += group.rules.size();
    const std::string& text = file.fault.empty() ? file.text : file.refused;
    files->push_back({.name = name, .origin = file.origin, .text = text, .fault = file.fault, .rules = rules});
  }
  has_rules_ = in_force > 0;
  metrics_->in_force.set(static_cast<double>(in_force));
  metrics_->refused.set(static_cast<double>(troubles.size()));
  const std::lock_guard lock(mutex_);
  file_troubles_ = std::move(troubles);
  files_ = std::move(files);
}

void RuleRunner::apply_files() {
  if (!engine_) return;
  Status applied = engine_->replace(book_.groups());
  if (applied) {
    std::map<std::string, SqliteStore::StoredFile> files;
    for (const auto& [name, file] : book_.files()) {
      if (file.valid) files[name] = {file.origin, file.text};
    }
    applied = store_->save_files(files);
  }
  unapplied_ = !applied;
  note_store(applied);
}

void RuleRunner::look_at_lease() {
  const bool may = !options_.may_notify || options_.may_notify();
  if (lease_known_ && may == gate_.passes) return;
  const bool first = !std::exchange(lease_known_, true);
  if (!first || may) {
    log_info(may ? "this instance passes alerts on" : "another instance passes alerts on; this one only evaluates");
  }
  gate_.passes = may;
  notifies_ = may;
  metrics_->notifies.set(may ? 1 : 0);
  if (options_.on_notifies) options_.on_notifies(may);
  tell_all_ = may;  // once it is known what is history
  tell_groups_ = may;
}

void RuleRunner::expire() {
  expired_ns_ = clock_.mono_ns();
  tell_groups_ = gate_.passes;
  if (store_ && progress_.watermark_ms > 0) note_store(store_->expire(progress_.watermark_ms));
}

void RuleRunner::note_store(const Status& status) {
  const std::string trouble = status ? "" : status.error().message();
  if (trouble == store_trouble_) return;
  if (!trouble.empty()) {
    log_error("the rules' state cannot be written; evaluations are made again", {{"reason", trouble}});
  } else {
    log_info("the rules' state can be written again");
  }
  store_trouble_ = trouble;
  note_origin("state", trouble);
}

std::vector<GroupStatus> RuleRunner::groups() const {
  const Engine* engine = nullptr;
  std::map<std::string, std::string> troubles;
  {
    const std::lock_guard lock(mutex_);
    engine = engine_.get();
    troubles = file_troubles_;
  }
  if (engine == nullptr) return {};
  auto groups = engine->groups();
  for (GroupStatus& group : groups) {
    const auto found = troubles.find(group.file);
    if (found == troubles.end()) continue;
    for (RuleStatus& rule : group.rules) {
      if (rule.error.empty()) rule.error = "the newest version of the file is not in force: " + found->second;
    }
  }
  return groups;
}

std::vector<GroupFigures> RuleRunner::figures() const {
  const Engine* engine = nullptr;
  {
    const std::lock_guard lock(mutex_);
    engine = engine_.get();
  }
  return engine == nullptr ? std::vector<GroupFigures>() : engine->figures();
}

RuleFileList RuleRunner::files() const {
  const std::lock_guard lock(mutex_);
  return files_;
}

bool RuleRunner::has_state() const {
  const std::lock_guard lock(mutex_);
  return engine_ != nullptr;
}

std::vector<std::string> RuleRunner::troubles() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> all;
  for (const auto& [name, fault] : file_troubles_) all.push_back("the rules are not in force: " + fault);
  for (const auto& [origin, trouble] : origin_troubles_) all.push_back(fmt::format("rules ({}): {}", origin, trouble));
  return all;
}

}  // namespace monitor::rules
