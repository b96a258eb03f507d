#include "ui/web/log_tailer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "metrics/json_form.h"
#include "ui/web/http.h"
#include "ui/web/values_json.h"

namespace monitor::analysis::web {

namespace {

constexpr int64_t kLongestPoll = 250 * kNanosPerMilli;
constexpr int64_t kCommitEvery = 1 * kNanosPerSecond;
// While rules wait for the data: an alert is late by up to this time.
constexpr int64_t kCommitForRules = 250 * kNanosPerMilli;
// After a commit, the next one waits for this multiple of its duration, so that slow commits are made less often.
constexpr int64_t kRest = 10;
constexpr int64_t kExpireEvery = 15 * kNanosPerSecond;
constexpr int64_t kForgetEvery = 60 * kNanosPerSecond;
constexpr int64_t kTryAgain = 2 * kNanosPerSecond;
// Older records belong to a backlog and cause no events.
constexpr int64_t kFresh = 60 * kNanosPerSecond;
constexpr int64_t kLatestFor = int64_t{5} * 60 * kNanosPerSecond;
constexpr int64_t kForgetAgents = 7 * kDayNs;
// Limit on the values in the event of one tick: as many as the history stores for an agent. Each stream holds a copy.
constexpr size_t kMostValues = 5'000;

// The page's ledger. The API reads it on another thread, so access is locked.
class LedgerView final : public View {
 public:
  explicit LedgerView(State& state) : state_(state) {}

  std::string_view kind() const override { return state_.ledger.kind(); }
  uint32_t version() const override { return state_.ledger.version(); }
  bool needs_values() const override { return state_.ledger.needs_values(); }
  // An unusable snapshot of the ledger must not stop the page, which shows more than the ledger.
  Unusable unusable_snapshot() const override { return Unusable::kBeginsAnew; }
  void fresh(int32_t partition, const metriclog::Extent& extent) override {
    const std::lock_guard lock(state_.mutex);
    state_.ledger.fresh(partition, extent);
  }
  Status decode(int32_t partition, uint32_t version, std::string_view bytes) override {
    const std::lock_guard lock(state_.mutex);
    return state_.ledger.decode(partition, version, bytes);
  }
  void on_revoked(int32_t partition) override {
    const std::lock_guard lock(state_.mutex);
    state_.ledger.on_revoked(partition);
  }
  void apply(const metriclog::Record& record, const metrics::Batch& batch) override {
    const std::lock_guard lock(state_.mutex);
    state_.ledger.apply(record, batch);
  }
  void apply_copy(const metriclog::Record& record, const metrics::Batch& batch) override {
    const std::lock_guard lock(state_.mutex);
    state_.ledger.apply_copy(record, batch);
  }
  void apply_conflict(const metriclog::Record& record, const metrics::Batch& batch, int64_t first_offset) override {
    const std::lock_guard lock(state_.mutex);
    state_.ledger.apply_conflict(record, batch, first_offset);
  }
  void on_lost(int32_t partition, int64_t from, int64_t to) override {
    const std::lock_guard lock(state_.mutex);
    state_.ledger.on_lost(partition, from, to);
  }
  void encode(int32_t partition, std::string& out) override {
    const std::lock_guard lock(state_.mutex);
    state_.ledger.encode(partition, out);
  }

 private:
  State& state_;
};

}  // namespace

std::string tick_event(const metrics::Batch& batch, const metrics::Frame& frame, int64_t time_ns, bool late) {
  std::string out = fmt::format(R"({{"agent":{},"time":{},"late":{},"values":{{)", json_quote(batch.agent_id),
                                seconds_json(time_ns), late);
  bool first = true;
  size_t left = kMostValues;
  for (const metrics::Point& point : frame.points) {
    if (left-- == 0) break;
    out += fmt::format("{}{}:{}", first ? "" : ",", json_quote(metrics::to_string(batch.series[point.series])),
                       json_number(batch.value(point)));
    first = false;
  }
  return out + "}}";
}

// The lifetime of one log reader, and the view that feeds the fleet and the browsers' events.
class LogTailer::Session final : public View {
 public:
  explicit Session(LogTailer& owner)
      : owner_(owner),
        ledger_(owner.state_),
        consumer_(*owner.reader_, {this, &owner.history_, &ledger_, &data_time_}, owner.registry_) {
    const auto known = owner_.history_.known_agents();
    if (!known) return;  // the next write reports the reason
    for (const history::KnownAgent& one : *known) data_time_.expect(one.name, one.host, one.seen_ns);
  }

  Consumer& consumer() { return consumer_; }

  void tell_data_time() {
    if (!owner_.on_committed_ || !owner_.time_wanted_()) return;
    bool at_end = consumer_.partitions() > 0 && consumer_.reached_end();
    {
      const std::lock_guard lock(owner_.state_.mutex);
      at_end = at_end && owner_.state_.log.trouble.empty();
      for (const auto& [agent, seen_until_ns] : owner_.state_.forgotten) data_time_.forget(agent, seen_until_ns);
    }
    auto time = data_time_.read(owner_.clock_.mono_ns(), owner_.clock_.wall_ns(), at_end);
    // A backlog is old by the clock of this host, whatever the log's time is where it is read.
    if (!at_end) time.now_ns = owner_.clock_.wall_ns();
    owner_.on_committed_(time);
  }

  void apply(const metriclog::Record& record, const metrics::Batch& batch) override {
    const bool fresh = elapsed_ns(record.time_ns, owner_.clock_.wall_ns()) < kFresh;
    {
      const std::lock_guard lock(owner_.state_.mutex);
      owner_.state_.fleet.apply(record, batch);
    }
    came(record);
    if (fresh) publish(record, batch);
  }
  void apply_copy(const metriclog::Record& record, const metrics::Batch& /*batch*/) override { passed(record); }
  void apply_conflict(const metriclog::Record& record, const metrics::Batch& /*batch*/,
                      int64_t /*first_offset*/) override {
    passed(record);
  }
  void on_skipped(const metriclog::Record& record, const Error& /*why*/) override {
    came(record);
    const std::lock_guard lock(owner_.state_.mutex);
    ++owner_.state_.log.skipped;
  }
  void on_lost(int32_t /*partition*/, int64_t from, int64_t to) override {
    const std::lock_guard lock(owner_.state_.mutex);
    owner_.state_.log.lost += static_cast<uint64_t>(to - from);
  }
  void on_trouble(const std::string& text) override { owner_.note_trouble(text); }
  void on_recovered() override { owner_.note_trouble(""); }
  void on_assigned(int32_t /*partition*/) override {
    owner_.note_trouble("");
    {
      const std::lock_guard lock(owner_.state_.mutex);
      owner_.state_.log.identity = owner_.reader_->identity();
    }
    if (!std::exchange(others_dropped_, true)) owner_.drop_agents_of_other_logs();
  }

 private:
  void came(const metriclog::Record& record) {
    bool was_away = false;
    {
      const std::lock_guard lock(owner_.state_.mutex);
      LogState& log = owner_.state_.log;
      ++log.records;
      pass(log, record);
      log.newest_ns = std::max(log.newest_ns, record.time_ns);
      was_away = !log.trouble.empty();
    }
    if (was_away) owner_.note_trouble("");
  }

  void passed(const metriclog::Record& record) {
    const std::lock_guard lock(owner_.state_.mutex);
    pass(owner_.state_.log, record);
  }
  static void pass(LogState& log, const metriclog::Record& record) {
    ReaderPlace& place = log.places[record.partition];
    place.next = record.offset + 1;
    ++place.records;
    place.bytes += record.key.size() + record.value.size();
  }

  void publish(const metriclog::Record& record, const metrics::Batch& batch) {
    const int64_t off = clock_error_ns(batch, record.time_ns);
    const std::string topic = "agent:" + batch.agent_id;
    for (const metrics::Frame& frame : batch.frames) {
      owner_.broadcaster_.publish(
          topic, "tick",
          tick_event(batch, frame, elapsed_ns(off, frame.time_ns), is_late(batch, frame.time_ns, record.time_ns)));
    }
  }

  LogTailer& owner_;
  bool others_dropped_ = false;
  LedgerView ledger_;
  DataTime data_time_;
  Consumer consumer_;
};

LogTailer::LogTailer(OpenReader open, history::HistoryStore& history, State& state, EventBroadcaster& broadcaster,
                     const Clock& clock, telemetry::Registry& registry, const std::atomic<bool>& stop)
    : open_(std::move(open)),
      history_(history),
      state_(state),
      broadcaster_(broadcaster),
      clock_(clock),
      trusted_(clock, {.start = TrustedClock::Start::kTrust}),
      registry_(registry),
      stop_(stop) {}

LogTailer::~LogTailer() = default;

void LogTailer::wake() {
  const std::lock_guard lock(reader_mutex_);
  if (reader_) reader_->wake();
}

void LogTailer::note_trouble(const std::string& text) {
  std::string event;
  {
    const std::lock_guard lock(state_.mutex);
    LogState& log = state_.log;
    if (log.trouble == text) return;
    if (text.empty() || log.trouble.empty()) log.trouble_since_ns = text.empty() ? 0 : clock_.wall_ns();
    log.trouble = text;
    event = fmt::format(R"({{"trouble":{},"since":{}}})", json_quote(text),
                        text.empty() ? "null" : seconds_json(log.trouble_since_ns));
  }
  broadcaster_.publish("log", "log", event);
}

void LogTailer::note_history(const std::string& text) {
  const std::lock_guard lock(state_.mutex);
  HistoryState& history = state_.history;
  if (history.trouble.empty() != text.empty()) history.trouble_since_ns = text.empty() ? 0 : clock_.wall_ns();
  history.trouble = text;
}

// Called when writing the history failed; the log itself is readable.
Status LogTailer::history_failed(Status why) {
  note_history(why.error().message());
  log_is_well_ = true;
  return why;
}

void LogTailer::run() {
  while (!stop_) {
    auto opened = open_({.snapshots = &history_, .new_group_at_earliest = true});
    Status status;
    if (!opened) {
      status = opened.error();
    } else {
      {
        const std::lock_guard lock(reader_mutex_);
        reader_ = std::move(*opened);
      }
      Session session(*this);
      status = read(session);
    }
    {
      const std::lock_guard lock(reader_mutex_);
      reader_.reset();
    }
    if (stop_ || status) return;
    wait_to_try_again(status.error());
  }
}

Status LogTailer::read(Session& session) {
  Consumer& consumer = session.consumer();
  int64_t commit_ns = clock_.mono_ns();
  int64_t expire_ns = commit_ns;
  int64_t forget_ns = commit_ns;
  const auto commit = [&]() -> Status {
    const uint64_t event = broadcaster_.last();
    if (Status stored = consumer.store(); !stored) return stored;
    note_history("");
    const std::lock_guard lock(state_.mutex);
    state_.committed_event = event;
    state_.log.caught_up = state_.log.caught_up || (consumer.partitions() > 0 && consumer.reached_end());
    return {};
  };
  while (!stop_) {
    const auto went_on = consumer.step(kLongestPoll);
    if (!went_on) {
      (void)commit();
      return went_on.error();
    }
    const int64_t now = clock_.mono_ns();
    const int64_t every = on_committed_ && time_wanted_() ? kCommitForRules : kCommitEvery;
    if (now - commit_ns >= std::max(every, kRest * history_.last_commit_ns())) {
      if (Status committed = commit(); !committed) return history_failed(committed);
      session.tell_data_time();
      commit_ns = clock_.mono_ns();
    }
    if (now - expire_ns >= kExpireEvery && consumer.stored_all()) {
      if (Status expired = expire_history(); !expired) return history_failed(expired);
      expire_ns = clock_.mono_ns();
    }
    if (now - forget_ns >= kForgetEvery) {
      const std::lock_guard lock(state_.mutex);
      const int64_t trusted = trusted_.now_ns();
      state_.fleet.forget(trusted - kLatestFor, trusted - kForgetAgents);
      forget_ns = now;
    }
  }
  return commit();
}

Status LogTailer::expire_history() {
  std::map<std::string, int64_t, std::less<>> forgotten;
  {
    const std::lock_guard lock(state_.mutex);
    forgotten = state_.forgotten;
  }
  if (Status done = history_.forget(forgotten); !done) return done;
  return history_.expire();
}

// The data folder may have been used with another log before. Agents of that log are not shown.
void LogTailer::drop_agents_of_other_logs() {
  const auto others = history_.agents_of_other_logs();
  if (!others) return;  // the next write reports the reason
  const std::lock_guard lock(state_.mutex);
  for (const history::KnownAgent& one : *others) state_.fleet.drop(one.name, one.seen_ns);
}

void LogTailer::wait_to_try_again(const Error& why) {
  log_warning("reading the log for the page was interrupted; it resumes at the position of the history",
              {{"reason", why}});
  if (!std::exchange(log_is_well_, false)) note_trouble(why.message());
  history_.reset();
  const int64_t end = clock_.mono_ns() + kTryAgain;
  while (!stop_ && clock_.mono_ns() < end) std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

}  // namespace monitor::analysis::web
