#include "plugins/hosted/hosted_plugin.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/time_format.h"

namespace monitor::agent {

using plugin_wire::MessageView;
using plugin_wire::Type;

std::string_view to_string(HostedPlugin::Phase phase) {
  switch (phase) {
    case HostedPlugin::Phase::kStarting:
      return "starting";
    case HostedPlugin::Phase::kRunning:
      return "running";
    case HostedPlugin::Phase::kWaiting:
      return "waiting";
    case HostedPlugin::Phase::kQuarantined:
      return "quarantined";
  }
  return "";
}

namespace {

plugin_wire::Kind wire_kind(config::PluginKind kind) {
  if (kind == config::PluginKind::kScript) return plugin_wire::Kind::kScript;
  return kind == config::PluginKind::kPython ? plugin_wire::Kind::kPython : plugin_wire::Kind::kNative;
}

}  // namespace

HostedPlugin::HostedPlugin(Timers& timers, metrics::SeriesTable& table, HostLinks& links, config::PluginEntry entry)
    : timers_(timers),
      links_(links),
      entry_(std::move(entry)),
      lines_(timers, entry_.name),
      series_(table),
      usage_(entry_.threads, entry_.cpu),
      deadline_(timers, [this](const std::string& what) { host_failed(what); }) {}

HostedPlugin::~HostedPlugin() {
  for (const Timers::TimerId timer : {state_timer_, restart_timer_, usage_timer_}) timers_.cancel_timer(timer);
  if (old_ != nullptr) old_->state_done_ = nullptr;
  drop_link();
}

// --- Starting

void HostedPlugin::start(std::function<void()> settled) {
  settled_call_ = std::move(settled);
  begin();
}

void HostedPlugin::begin() {
  phase_ = Phase::kStarting;
  series_.forget();
  confined_.reset();
  usage_.reset();
  auto link = links_.link_for(entry_.kind, entry_.name);
  if (!link) {
    // Called from the loop, like all callbacks.
    restart_timer_ = timers_.call_after(0, [this, reason = link.error().message()] {
      restart_timer_ = 0;
      load_failed(reason);
    });
    return;
  }
  link_ = std::move(*link);
  instance_ = link_->add(*this);
  const plugin_wire::Load load{wire_kind(entry_.kind), entry_.name,      entry_.config, entry_.code,
                               entry_.threads,         links_.agent_id()};
  link_->send(Type::kLoad, instance_, ++number_, load.encode(), "");
  deadline_.expect(kStartWithin, "start");
  timers_.cancel_timer(usage_timer_);
  usage_timer_ = timers_.call_after(UsageWatch::kLookEvery, [this] { look_at_usage(); });
}

// A plugin that exceeded a limit would exceed it again, so it is not restarted at once.
void HostedPlugin::look_at_usage() {
  usage_timer_ = 0;
  if (link_ == nullptr) return;
  usage_timer_ = timers_.call_after(UsageWatch::kLookEvery, [this] { look_at_usage(); });
  const auto usage = link_->usage();
  if (!usage || entry_.kind == config::PluginKind::kScript) return;
  const std::string why = usage_.take(now(), *usage);
  if (why.empty()) return;
  failures_.assign(kMostFailures - 1, now());
  host_failed(why);
}

// The host sends this message before it opens the plugin, and the socket preserves the order: a plugin can send the
// same message, but only later.
void HostedPlugin::on_confined(const MessageView& message) {
  const auto confined = plugin_wire::Confined::decode(message.payload);
  if (!confined || confined_ || phase_ != Phase::kStarting)
    return host_failed("it sent an unexpected report of its sandbox");
  confined_ = *confined;
  log_debug("plugin host confined", {{"plugin", entry_.name}, {"landlock", confined->landlock}});
}

void HostedPlugin::settle(std::string refusal) {
  if (settled_) return;
  settled_ = true;
  refusal_ = std::move(refusal);
  if (const auto call = std::exchange(settled_call_, nullptr)) call();
}

void HostedPlugin::on_loaded(const MessageView& message) {
  const auto loaded = plugin_wire::Loaded::decode(message.payload);
  if (!loaded || phase_ != Phase::kStarting) return host_failed("it sent a malformed answer");
  deadline_.clear();
  loaded_ = *loaded;
  phase_ = Phase::kRunning;
  if (settled_) {
    log_info("plugin restarted", {{"plugin", entry_.name}, {"restarts", restarts_}});
  }
  changed();
  settle("");
}

void HostedPlugin::load_failed(const std::string& reason) {
  deadline_.clear();
  drop_link();
  if (!settled_) {
    phase_ = Phase::kWaiting;
    note_error(reason);
    settle(reason);
    return;
  }
  count_failure(reason);
}

// --- Ticks

void HostedPlugin::run(const metrics::Tick& tick, Done done) {
  // Another script may have ended the host.
  if (phase_ != Phase::kRunning || link_->ended()) {
    done({Outcome::Kind::kAbsent, nullptr, 0, error_});
    return;
  }
  done_ = std::move(done);
  if (handing_over_) {
    waiting_tick_ = tick;
    tick_waits_ = true;
    return;
  }
  send_run(tick);
}

void HostedPlugin::send_run(const metrics::Tick& tick) {
  const std::string unknown = series_.unknown_in(tick);
  if (!unknown.empty()) link_->send(Type::kSeries, instance_, 0, unknown, "");
  payload_.clear();
  plugin_wire::put_tick_head(payload_, tick);
  link_->send(Type::kRun, instance_, ++number_, payload_, plugin_wire::bytes_of(tick.points));
  deadline_.expect(deadline_of_a_tick(), "answer");
}

int64_t HostedPlugin::deadline_of_a_tick() const {
  if (entry_.deadline_ns != 0) return entry_.deadline_ns;
  return entry_.kind == config::PluginKind::kScript ? kScriptDeadline : kNativeDeadline;
}

void HostedPlugin::let_series_go() {
  if (phase_ != Phase::kRunning || done_ || state_done_ || handing_over_ || series_.empty()) return;
  log_warning("plugin is restarted to release series; it starts without its state", {{"plugin", entry_.name}});
  drop_link();
  ++restarts_;
  begin();
  changed();
}

void HostedPlugin::on_result(const MessageView& message) {
  if (!done_) return host_failed("it sent an unexpected answer");
  const auto head = plugin_wire::decode_result(message.payload, points_);
  if (!head) return host_failed("it sent " + head.error().message());
  Outcome outcome;
  switch (head->verdict) {
    case plugin_wire::Verdict::kUnchanged:
      outcome.kind = Outcome::Kind::kUnchanged;
      break;
    case plugin_wire::Verdict::kDropped:
      outcome.kind = Outcome::Kind::kDropped;
      break;
    case plugin_wire::Verdict::kChanged:
      outcome.kind = Outcome::Kind::kChanged;
      if (const std::string fault = series_.translate(points_, outcome.over); !fault.empty())
        return host_failed("it sent " + fault);
      outcome.points = &points_;
      if (outcome.over > 0 && !std::exchange(over_logged_, true)) log_over();
      outcome.dropped = head->dropped;
      break;
  }
  errors_in_a_row_ = 0;
  answer(outcome);
}

// Logs this once; further drops are only counted.
void HostedPlugin::log_over() {
  note_error(series_.limit_text());
  log_warning("plugin creates too many series", {{"plugin", entry_.name}, {"reason", error_}});
  changed();
}

void HostedPlugin::answer(const Outcome& outcome) {
  deadline_.clear();
  tick_waits_ = false;
  if (const Done done = std::exchange(done_, nullptr)) done(outcome);
}

// --- What comes from the host

void HostedPlugin::on_message(const MessageView& message) {
  if (message.type == Type::kConfined) return on_confined(message);
  // Until then the host works without requests, and only reports if it cannot continue.
  if (!confined_ && message.type != Type::kFailed)
    return host_failed("it sent a message before its sandbox was complete");
  switch (message.type) {
    case Type::kLog:
      return on_log(message);
    case Type::kDefine:
      if (const std::string fault = series_.define(message.payload); !fault.empty()) host_failed("it sent " + fault);
      return;
    default:
      return on_answer(message);
  }
}

void HostedPlugin::on_answer(const MessageView& message) {
  if (message.number != number_) return host_failed("it sent an unexpected answer");
  switch (message.type) {
    case Type::kLoaded:
      return on_loaded(message);
    case Type::kResult:
      return on_result(message);
    case Type::kSaved:
      return state_done_ ? finish_state(std::string(message.payload)) : host_failed("it sent an unexpected answer");
    case Type::kRestored:
      return state_done_ ? finish_state(std::string()) : host_failed("it sent an unexpected answer");
    case Type::kFailed: {
      const std::string reason = plugin_wire::tame(message.payload);
      if (phase_ == Phase::kStarting) return load_failed(reason);
      if (state_done_) return finish_state(Error(Code::kInternal, reason));
      // The plugin reported the failure itself: the tick is lost, but the process is intact.
      if (!done_) return host_failed("it sent an unexpected answer");
      run_failed(reason);
      return;
    }
    default:
      return host_failed("it sent a request");
  }
}

void HostedPlugin::on_log(const MessageView& message) {
  const auto line = plugin_wire::LogLine::decode(message.payload);
  if (!line) return;
  const auto level = static_cast<LogLevel>(line->level);
  if (log_enabled(level) && lines_.pass())
    log_line(level, "plugin says", {{"plugin", entry_.name}, {"line", line->text}});
}

void HostedPlugin::on_end(const std::string& reason, bool guilty) {
  forget_link();
  if (phase_ == Phase::kStarting && guilty) return load_failed(reason);
  if (guilty) return host_failed(reason);
  // Another plugin ended their common host: restart at once, without counting a failure.
  deadline_.clear();
  if (state_done_) finish_state(Error(Code::kUnavailable, "another script ended its host"));
  ++restarts_;
  const bool in_hand = done_ != nullptr;
  log_warning("plugin is restarted, because another script ended its host",
              {{"plugin", entry_.name}, {"reason", reason}});
  begin();
  if (in_hand) answer({Outcome::Kind::kAbsent, nullptr, 0, error_});
}

// --- Failing

void HostedPlugin::host_failed(const std::string& reason) {
  deadline_.clear();
  if (link_ != nullptr) link_->kill(reason);
  if (phase_ == Phase::kStarting) return load_failed(reason);
  drop_link();
  if (state_done_) finish_state(Error(Code::kUnavailable, reason));
  count_failure(reason);
  if (done_) answer({Outcome::Kind::kFailed, nullptr, 0, reason});
}

void HostedPlugin::run_failed(const std::string& reason) {
  if (++errors_in_a_row_ >= kMostFailures) {
    // A plugin that fails for every tick is no better than one that crashes.
    failures_.assign(kMostFailures - 1, now());
    drop_link();
    count_failure(reason);
  } else {
    if (lines_.pass()) log_error("plugin failed; its tick is lost", {{"plugin", entry_.name}, {"reason", reason}});
    if (note_error(reason)) changed();
  }
  answer({Outcome::Kind::kFailed, nullptr, 0, reason});
}

bool HostedPlugin::note_error(const std::string& reason) {
  error_ns_ = timers_.clock().wall_ns();
  return std::exchange(error_, reason) != reason;
}

void HostedPlugin::count_failure(const std::string& reason) {
  note_error(reason);
  errors_in_a_row_ = 0;
  failures_.push_back(now());
  while (failures_.front() < now() - kFailureWindow) failures_.pop_front();
  const bool quarantine = failures_.size() >= kMostFailures;
  const int64_t wait = quarantine ? kQuarantine : kFirstWait << (failures_.size() - 1);
  phase_ = quarantine ? Phase::kQuarantined : Phase::kWaiting;
  if (quarantine) {
    log_error("plugin quarantined; ticks skip it", {{"plugin", entry_.name},
                                                    {"reason", reason},
                                                    {"failures", failures_.size()},
                                                    {"ticks", entry_.drop_on_failure ? "dropped" : "passed on"},
                                                    {"tried_again_in", format_duration(wait)}});
    // After the quarantine, a single failure leads to the next one.
    failures_.assign(kMostFailures - 1, now() + wait);
  } else {
    log_error("plugin failed; it is restarted",
              {{"plugin", entry_.name}, {"reason", reason}, {"in", format_duration(wait)}});
  }
  timers_.cancel_timer(restart_timer_);
  restart_timer_ = timers_.call_after(wait, [this] {
    restart_timer_ = 0;
    ++restarts_;
    begin();
    changed();
  });
  changed();
}

// Resets the usage, which belongs to the process that has ended.
void HostedPlugin::forget_link() {
  link_.reset();
  instance_ = 0;
  usage_.reset();
}

void HostedPlugin::drop_link() {
  if (link_ != nullptr) link_->remove(instance_);
  forget_link();
}

void HostedPlugin::changed() const {
  if (on_change_) on_change_();
}

}  // namespace monitor::agent
