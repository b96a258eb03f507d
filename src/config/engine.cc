#include "config/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "config/script_catalog.h"

namespace monitor::config {

namespace {

// The wall clock may be set at any time, so it is read again after at most this long.
constexpr int64_t kLookAgain = 10 * kNanosPerSecond;
// A wall clock that was set must be stable for this long before it ends overrides.
constexpr int64_t kClockHolds = 300 * kNanosPerSecond;

bool pending(const std::vector<Problem>& problems) { return !problems.empty() && problems.front().pending; }

std::string source_of(const std::vector<Layer>& layers) {
  if (layers.empty()) return "built-in defaults";
  std::vector<std::string> names;
  names.reserve(layers.size());
  for (const Layer& layer : layers) names.push_back(layer.key);
  return join(names, ",");
}

}  // namespace

ConfigEngine::ConfigEngine(Timers& timers, AgentIdentity identity, ConfigSource& source, const PluginCatalog& plugins,
                           Applier& applier, LastGood* last_good)
    : timers_(timers),
      trusted_(timers.clock(), {.confirm_ns = kClockHolds, .start = TrustedClock::Start::kTrust}),
      identity_(std::move(identity)),
      source_(source),
      plugins_(plugins),
      applier_(applier),
      last_good_(last_good) {}

ConfigEngine::~ConfigEngine() { timers_.cancel_timer(expiry_timer_); }

void ConfigEngine::start() {
  watched_ = {};
  watch_groups();
}

// Watches the keys of the groups in the snapshot. Returns true if the set of keys has changed, in which case the source
// delivers all keys again.
bool ConfigEngine::watch_groups() {
  WatchSet wanted = watch_set(identity_, groups_in(identity_, heard_));
  if (wanted == watched_) return false;
  watched_ = std::move(wanted);
  source_.watch(watched_, *this);
  return true;
}

void ConfigEngine::start_without_source(const Error& reason) {
  no_source_ = reason.message();
  if (!running_) fall_back(no_source_);
}

void ConfigEngine::reevaluate() {
  if (std::exchange(expiry_pending_, false)) on_expiry();
  if (heard_any_) {
    evaluate();
  } else if (!running_ && !no_source_.empty()) {
    fall_back(no_source_);
  }
}

void ConfigEngine::on_keys(const KeySet& keys) {
  if (source_lost_) log_info("configuration source is back", {{"revision", keys.revision}});
  source_lost_ = false;
  const bool first = !std::exchange(heard_any_, true);
  heard_news_ |= first || keys.entries != heard_.entries || keys.revision < heard_.revision;
  heard_ = keys;
  state_.desired = keys.revision;
  // The new snapshot may equal the previous one, so the engine remembers that it is new until it is evaluated.
  if (watch_groups()) return;
  if (std::exchange(heard_news_, false)) {
    evaluate();
    return;
  }
  // The same keys at a later revision: applied settings are valid up to that revision, and rejected ones stay rejected.
  if (state_.error.empty()) {
    basis_.revision = state_.applied = keys.revision;
    const int64_t before = state_.revision;
    note_documents(keys);
    if (state_.revision != before) applier_.apply(settings_, state_.revision);
  }
  changed();
}

void ConfigEngine::on_source_lost(const Error& reason) {
  if (!source_lost_) {
    log_warning("configuration source lost; the running configuration stays applied; retrying", {{"reason", reason}});
  }
  source_lost_ = true;
}

void ConfigEngine::evaluate() {
  std::vector<Problem> problems;
  const bool done = keep_deleted() || put_in_force(heard_, heard_.revision, problems);
  if (!done && !pending(problems)) refuse(problems);
  changed();
}

// Deleting a configuration does not stop the agent: the applied settings stay, and the state reports the deletion.
bool ConfigEngine::keep_deleted() {
  const bool any = std::any_of(heard_.entries.begin(), heard_.entries.end(),
                               [](const auto& one) { return !one.first.starts_with(kPluginsRoot); });
  if (any || !running_ || !documented_) {
    state_.deleted = false;
    return false;
  }
  if (!state_.deleted && state_.applied > 0) {
    log_warning("configuration deleted; the last good one stays applied", {{"revision", heard_.revision}});
  }
  state_.deleted = true;
  state_.applied = heard_.revision;
  state_.error.clear();
  return true;
}

bool ConfigEngine::put_in_force(const KeySet& keys, int64_t revision, std::vector<Problem>& problems) {
  LayersOrProblem made =
      make_layers(identity_, keys, wall_ns(), [this](const std::string& key) { return source_.describe(key); });
  if (!made.problems.empty()) {
    problems = std::move(made.problems);
    return false;
  }
  const std::vector<Layer>& layers = made.set.layers;
  const ScriptCatalog plugins(plugins_, keys);
  Validated validated = validate(layers, plugins);
  if (validated.ok() && !made.set.overrides.empty()) {
    // The settings below an override must be valid as well, because they apply again when it ends.
    const auto below = layers.end() - static_cast<std::ptrdiff_t>(made.set.overrides.size());
    Validated without = validate({layers.begin(), below}, plugins);
    if (!without.ok()) validated = std::move(without);
  }
  problems = std::move(validated.problems);
  if (!problems.empty() && !problems.front().warning) return false;
  if (!apply(validated.settings, newest_revision(keys), problems)) return false;
  for (const Problem& warning : problems) {
    log_warning("configuration warning", {{"revision", revision}, {"what", warning.to_string()}});
  }
  took_effect(made.set, keys, revision);
  return true;
}

bool ConfigEngine::apply(const Settings& settings, int64_t revision, std::vector<Problem>& problems) {
  if (auto problem = applier_.apply(settings, revision)) {
    problems.insert(problems.begin(), std::move(*problem));
    return false;
  }
  settings_ = settings;
  running_ = true;
  return true;
}

// With --config-key or --config, the agent's own document is not where other readers expect it.
std::string ConfigEngine::hidden_key() const {
  const std::string key = identity_.key();
  return key == agent_key(identity_.agent_id) && source_.is_shared(key) ? "" : key;
}

void ConfigEngine::note_documents(const KeySet& keys) {
  state_.revision = newest_revision(keys);
  state_.mark = mark_of(keys, hidden_key());
}

void ConfigEngine::took_effect(const LayerSet& set, const KeySet& keys, int64_t revision) {
  const int64_t before = std::exchange(state_.applied, revision);
  const int64_t previous = state_.revision;
  note_documents(keys);
  log_overrides(set.overrides);
  state_.overrides = set.overrides;
  state_.groups = groups_in(identity_, keys);
  state_.hash = document_hash(set.layers);
  documented_ = !set.layers.empty();
  next_expiry_ns_ = set.next_expiry_ns;
  schedule_expiry();
  const bool news = keys.entries != basis_.entries || before != revision || state_.reloads == 0;
  const bool keep = last_good_ != nullptr && documented_ && keys.entries != basis_.entries;
  basis_ = keys;
  // The applied settings are newer than those that failed.
  if (revision == heard_.revision) state_.error.clear();
  if (!news) return;
  ++state_.reloads;
  log_info("configuration applied",
           {{"revision", state_.revision}, {"previous", previous}, {"source", source_of(set.layers)}});
  if (keep) last_good_->keep(keys);
}

void ConfigEngine::refuse(const std::vector<Problem>& problems) {
  const Problem& first = problems.front();
  state_.last_failed = heard_.revision;
  state_.error = first.to_string();
  state_.refused = contents_mark_of(heard_, hidden_key());
  state_.refused_groups = groups_in(identity_, heard_);
  ++state_.failures;
  log_error("configuration refused", {{"revision", heard_.revision},
                                      {"path", first.path.empty() ? "/" : first.path},
                                      {"line", first.line},
                                      {"got", LogJson{first.got.empty() ? "null" : first.got}},
                                      {"known", LogJson{json_quote(first.known)}},
                                      {"reason", first.message},
                                      {"source", first.key},
                                      {"in_force", state_.applied}});
  if (!running_) fall_back("the configuration is not valid");
}

void ConfigEngine::fall_back(const std::string& why) {
  const std::string error = state_.error;
  std::vector<Problem> problems;
  std::optional<KeySet> last_good;
  if (last_good_ != nullptr) last_good = last_good_->load();
  if (last_good && put_in_force(*last_good, state_.applied, problems)) {
    log_warning("starting with the last good configuration", {{"why", why}, {"file", last_good_->path()}});
  } else {
    if (pending(problems)) return;
    if (last_good) {
      log_warning("last good configuration is no longer valid", {{"what", problems.front().to_string()}});
    }
    if (!put_in_force({}, 0, problems)) {
      log_error("the default configuration cannot be applied", {{"reason", problems.front().message}});
      return;
    }
    log_warning("starting with the built-in defaults", {{"why", why}});
  }
  state_.error = error;
  changed();
}

// --- Overrides end.

void ConfigEngine::schedule_expiry() {
  timers_.cancel_timer(std::exchange(expiry_timer_, 0));
  if (next_expiry_ns_ == LayerSet::kNever) return;
  const int64_t wait = std::clamp<int64_t>(next_expiry_ns_ - wall_ns(), 0, kLookAgain);
  expiry_timer_ = timers_.call_after(wait, [this] {
    expiry_timer_ = 0;
    on_expiry();
  });
}

void ConfigEngine::on_expiry() {
  if (wall_ns() < next_expiry_ns_) {
    schedule_expiry();
    return;
  }
  // Even if the newest snapshot was rejected, the override must end in the applied settings.
  std::vector<Problem> problems;
  next_expiry_ns_ = LayerSet::kNever;
  if (!put_in_force(KeySet(basis_), state_.applied, problems)) {
    if (pending(problems)) {
      next_expiry_ns_ = 0;
      expiry_pending_ = true;
      return;
    }
    // The remaining settings are invalid: one override was valid only together with the other. End all of them.
    KeySet below = basis_;
    std::erase_if(below.entries, [](const auto& one) { return one.first.starts_with(kOverridesRoot); });
    refuse(problems);
    put_in_force(below, state_.applied, problems);
  }
  changed();
}

void ConfigEngine::log_overrides(const std::vector<std::string>& now) const {
  const auto without = [](const std::vector<std::string>& all, const std::vector<std::string>& out) {
    std::vector<std::string> rest;
    std::copy_if(all.begin(), all.end(), std::back_inserter(rest),
                 [&](const std::string& one) { return std::find(out.begin(), out.end(), one) == out.end(); });
    return rest;
  };
  for (const std::string& name : without(now, state_.overrides)) {
    log_info("configuration override applied", {{"override", name}});
  }
  for (const std::string& name : without(state_.overrides, now)) {
    log_info("configuration override ended", {{"override", name}});
  }
}

void ConfigEngine::changed() const {
  if (on_change_) on_change_();
}

}  // namespace monitor::config
