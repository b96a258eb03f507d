#include "simulation/agent_host.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace monitor::simulation {

namespace {

// The maximum time until a batch is synced on a working disk: 100 ms and a few jobs of the worker.
constexpr int64_t kSyncedAfter = 400 * kNanosPerMilli;
constexpr int64_t kDrainTimeout = 5 * kNanosPerSecond;

}  // namespace

void SlowWorker::submit(std::function<void()> work, std::function<void()> done) {
  jobs_.emplace_back(std::move(work), std::move(done));
  if (jobs_.size() == 1) begin();
}

void SlowWorker::begin() {
  const auto wait = static_cast<int64_t>(random_.below(static_cast<uint64_t>(most_ns)));
  schedule_.after(wait, life_.guard([this] {
    if (jobs_.empty()) return;
    jobs_.front().first();
    // The end is reported in a later event; the process may be killed in between.
    schedule_.after(kNanosPerMilli / 10, life_.guard([this] {
      const auto done = std::move(jobs_.front().second);
      jobs_.pop_front();
      if (!jobs_.empty()) begin();
      done();
      if (jobs_.empty() && idle_) std::exchange(idle_, nullptr)();
    }));
  }));
}

void SlowWorker::forget() {
  jobs_.clear();
  idle_ = nullptr;
  life_ = Life();
}

void SlowWorker::when_idle(std::function<void()> call) {
  if (jobs_.empty()) return call();
  idle_ = std::move(call);
}

// The agent's process. It forwards calls between agent, spool and uplink, and reports them to the ledger.
class AgentHost::Process final : public agent::Spool, public agent::SpoolListener, public agent::TickSource {
 public:
  Process(AgentHost& owner, size_t run)
      : owner_(owner),
        run_(run),
        agent_(owner.host_,
               {owner.plan_.agent_id, "host", owner.ledger().incarnation(run).id, "1.0.0", owner.payload()}, table_,
               *this),
        spool_(owner.disk_, owner.host_, owner.worker_, *this, spool_options()),
        uplink_(
            owner.host_,
            [this](const HostPort& server) {
              return owner_.environment_.network.connect(owner_.host_, agent::uplink_session_options(), server.port);
            },
            owner.environment_.random, *this, uplink_options()) {
    series_ = table_.intern(metrics::declared_series("system.memory.usage")).value_or(0);
  }

  void begin() {
    agent_.attach(*this, [this] { uplink_.wake(); });
    spool_.set_wake([this] { uplink_.wake(); });
    if (const Status opened = spool_.open(); !opened && !owner_.crashed()) {
      owner_.ledger().fail("cannot open the spool: " + opened.error().message());
    }
    agent_.apply(settings(owner_.plan_.interval_ns), 1);
    uplink_.start();
  }
  void rest() { agent_.apply(settings(3600 * kNanosPerSecond), 2); }
  void stop(std::function<void()> done) {
    stopping_ = true;
    agent_.stop();
    uplink_.drain(std::move(done));
  }
  void close() { spool_.close(); }
  bool stopping() const { return stopping_; }
  const agent::Uplink& uplink() const { return uplink_; }
  agent::FileSpool& spool() { return spool_; }

  // --- agent::Spool
  void set_limits(uint64_t max_bytes, agent::SpoolFull full) override { spool_.set_limits(max_bytes, full); }
  Status append(agent::BatchInfo info, std::string bytes) override {
    owner_.observe_memory();
    Entry& made = owner_.ledger().appended(run_, info, bytes);
    made.suspect = made.was_suspect = owner_.suspecting_;
    const uint64_t sequence = info.sequence;
    Status status = spool_.append(std::move(info), std::move(bytes));
    Entry& taken = owner_.ledger().incarnation(run_).entries[sequence - 1];
    // The process was killed during the write, which may or may not have completed.
    if (owner_.crashed() || owner_.reads_fail_) taken.exposed = true;
    // Also on a working disk: deletion is slower than the spool's limit requires.
    if (spool_.stats().memory_batches > 0) taken.suspect = taken.was_suspect = owner_.suspecting_ = true;
    return status;
  }
  uint64_t first_unacked(const std::string& incarnation, uint64_t next) const override {
    return spool_.first_unacked(incarnation, next);
  }
  std::vector<metrics::OlderIncarnation> older(const std::string& incarnation) const override {
    return spool_.older(incarnation);
  }
  std::vector<agent::SettledSequences> settled() const override { return spool_.settled(); }
  size_t batches() const override { return spool_.batches(); }
  size_t bytes() const override { return spool_.bytes(); }
  int64_t oldest_time_ns() const override { return spool_.oldest_time_ns(); }
  bool has_unsent() const override { return spool_.has_unsent(); }
  agent::SpoolStats stats() const override { return spool_.stats(); }
  std::optional<stream::Outgoing> next() override { return spool_.next(); }
  void log_named(std::string_view log) override { spool_.log_named(log); }
  void acknowledged(uint64_t id) override { spool_.acknowledged(id); }
  void rejected(uint64_t id, stream::RejectedBy by, std::string_view reason) override {
    spool_.rejected(id, by, reason);
  }
  void returned(uint64_t id) override { spool_.returned(id); }

  // --- agent::SpoolListener. Ignores callbacks after the process has died.
  void on_stored(const agent::BatchInfo& batch) override {
    if (!owner_.crashed()) owner_.ledger().acknowledged(batch);
    agent_.reports().on_stored(batch);
  }
  void on_lost(const metrics::Drop& drop) override {
    if (!owner_.crashed()) owner_.ledger().lost(run_, drop);
    agent_.reports().on_lost(drop);
  }
  void on_recovered(const agent::PendingReports& reports,
                    const std::vector<agent::SettledSequences>& earlier) override {
    agent_.reports().on_recovered(reports, earlier);
  }
  void on_log_named(std::string_view log) override { agent_.reports().on_log_named(log); }
  agent::PendingReports pending_reports() const override { return agent_.reports().pending_reports(); }

  // --- agent::TickSource
  void configure(uint64_t, const std::vector<config::MetricSelection>&) override {}
  void baseline(const agent::Timestamp&) override {}
  uint64_t collect(uint64_t, const agent::Timestamp&, metrics::Tick& tick) override {
    agent::TickBuilder out(table_, tick);
    out.add_integer(series_, ++reads_);
    return 0;
  }

 private:
  agent::FileSpoolOptions spool_options() const {
    const AgentPlan& plan = owner_.plan_;
    agent::FileSpoolOptions options;
    options.folder = "/spool";
    options.incarnation = owner_.ledger().incarnation(run_).id;
    options.max_bytes = plan.max_bytes;
    options.segment_bytes = plan.segment_bytes;
    options.memory_bytes = plan.memory_bytes;
    options.full = plan.full;
    options.sync = plan.sync;
    return options;
  }
  agent::UplinkOptions uplink_options() const {
    agent::UplinkOptions options;
    for (const uint16_t port : owner_.plan_.servers) options.servers.push_back({"server", port});
    options.hello = {owner_.plan_.agent_id, owner_.ledger().incarnation(run_).id, "1.0.0", "host"};
    return options;
  }
  config::Settings settings(int64_t interval_ns) const {
    config::Settings settings;
    settings.interval_ns = interval_ns;
    settings.send_every_ns = 0;
    settings.metrics = {{"memory"}};
    for (size_t left = owner_.plan_.label_bytes, i = 0; left > 0; ++i) {
      const size_t size = std::min<size_t>(left, 1000);
      settings.labels.emplace_back("label-" + std::to_string(i), std::string(size, 'x'));
      left -= size;
    }
    return settings;
  }

  AgentHost& owner_;
  size_t run_;
  metrics::SeriesTable table_;
  metrics::SeriesId series_ = 0;
  int64_t reads_ = 0;
  bool stopping_ = false;
  agent::Agent agent_;
  agent::FileSpool spool_;
  agent::Uplink uplink_;
};

AgentHost::AgentHost(Environment environment, AgentPlan plan, int64_t mono_offset_ns)
    : environment_(environment),
      plan_(std::move(plan)),
      host_(environment.schedule, mono_offset_ns),
      worker_(environment.schedule, environment.random) {}

AgentHost::~AgentHost() = default;

void AgentHost::start() {
  const size_t run = ledger().begin(plan_.agent_id, environment_.random.next());
  runs_.push_back(run);
  lived_until_ns_.push_back(INT64_MAX);
  started_ns_ = environment_.schedule.now_ns();
  if (reads_fail_) expose_all();
  suspecting_ = suspecting_ || failing_;
  relaxed_ns_ = 0;
  process_ = std::make_unique<Process>(*this, run);
  process_->begin();
}

void AgentHost::end_process() {
  Incarnation& run = ledger().incarnation(runs_.back());
  run.ended = true;
  lived_until_ns_.back() = environment_.schedule.now_ns();
  process_.reset();
  worker_.forget();
  suspecting_ = failing_;
  closing_ = false;
  disk_.restart();
}

void AgentHost::kill() {
  expose_by_kill();
  end_process();
  stopped_ = nullptr;
}

void AgentHost::lose_power() {
  expose_by_kill();
  expose_by_power();
  const bool was_up = process_ != nullptr || closing_;
  if (was_up) end_process();
  stopped_ = nullptr;
  disk_.lose_power(environment_.random);
}

void AgentHost::stop(std::function<void()> done) {
  stopped_ = std::move(done);
  const auto finish = [this, run = runs_.size()] {
    if (process_ && runs_.size() == run) finish_stop();
  };
  process_->stop(finish);
  environment_.schedule.after(kDrainTimeout, finish);
}

void AgentHost::finish_stop() {
  if (closing_) return;
  Incarnation& run = ledger().incarnation(runs_.back());
  observe_memory();
  run.ambiguous_end = true;
  // Batches only in memory may be neither written nor recorded as lost.
  expose_by_kill();
  process_->close();
  if (crashed()) return;
  process_.reset();
  closing_ = true;
  run.ended = true;
  worker_.when_idle([this] {
    if (crashed()) return;
    Incarnation& ended = ledger().incarnation(runs_.back());
    ended.clean = true;
    ended.ambiguous_end = failing_ || suspecting_;
    end_process();
    if (stopped_) std::exchange(stopped_, nullptr)();
  });
}

std::unique_ptr<AgentHost> AgentHost::clone(AgentPlan plan, int64_t mono_offset_ns) {
  auto other = std::make_unique<AgentHost>(environment_, std::move(plan), mono_offset_ns);
  for (auto& [path, content] : disk_.contents()) other->disk_.put(path, content);
  other->runs_ = runs_;
  other->lived_until_ns_.assign(runs_.size(), 0);
  // The copy treats batches that are not on disk at this time as damaged, and reports about a run that may continue.
  for (const size_t run : runs_) {
    ledger().incarnation(run).cloned = true;
    for (Entry& entry : ledger().incarnation(run).entries) entry.exposed = true;
  }
  return other;
}

void AgentHost::rest() {
  if (process_ && !process_->stopping()) process_->rest();
}

AgentState AgentHost::state() const {
  if (closing_) return AgentState::kStopping;
  if (!process_) return AgentState::kDown;
  if (process_->stopping()) return AgentState::kStopping;
  if (environment_.schedule.now_ns() - started_ns_ < 100 * kNanosPerMilli) return AgentState::kRecovering;
  if (process_->spool().stats().memory_batches > 0) return AgentState::kMemory;
  if (!process_->uplink().state().ready) return AgentState::kAlone;
  if (process_->spool().batches() > 4) return AgentState::kBacklog;
  return process_->spool().batches() > 0 ? AgentState::kInFlight : AgentState::kQuiet;
}

stream::Hello AgentHost::hello() const {
  return {plan_.agent_id, ledger().incarnation(runs_.back()).id, "1.0.0", "host"};
}

std::string AgentHost::describe() const {
  if (!process_) return "down";
  const agent::SpoolStats stats = process_->spool().stats();
  const agent::OutputState uplink = process_->uplink().state();
  return fmt::format("{} wait, {} in memory alone, {} under way, {}", process_->spool().batches(), stats.memory_batches,
                     uplink.in_flight, uplink.ready ? "connected" : uplink.problem);
}

bool AgentHost::drained() const { return process_ != nullptr && process_->spool().batches() == 0; }

// --- Which batches may be lost.

void AgentHost::disk_fails(monitor::testing::FaultDisk::Judge judge, bool reads) {
  disk_.set_judge(std::move(judge));
  reads_fail_ = reads_fail_ || reads;
  if (reads) expose_all();
  begin_suspicion();
}

void AgentHost::disk_is_full(uint64_t room) {
  disk_.set_capacity(disk_.used() + room);
  begin_suspicion();
}

void AgentHost::disk_heals() {
  disk_.set_judge(nullptr);
  disk_.set_capacity(UINT64_MAX);
  failing_ = reads_fail_ = false;
  relaxed_ns_ = 0;
}

void AgentHost::sync_is_slow(int64_t most_ns) {
  worker_.most_ns = most_ns;
  slow_until_ns_ = INT64_MAX;
}

void AgentHost::sync_is_usual() {
  if (slow_until_ns_ != INT64_MAX) return;
  // The last slow job may just have started, with others queued behind it.
  slow_until_ns_ = environment_.schedule.now_ns() + 3 * worker_.most_ns + kSyncedAfter;
  worker_.most_ns = SlowWorker::kUsual;
}

void AgentHost::begin_suspicion() {
  failing_ = suspecting_ = true;
  relaxed_ns_ = 0;
  if (runs_.empty()) return;
  // A failed sync discards earlier writes.
  for (Entry& entry : ledger().incarnation(runs_.back()).entries) entry.suspect = entry.was_suspect = true;
}

// With a working disk and no batch only in memory for a while, no batch is suspect any more.
void AgentHost::observe_memory() {
  if (!suspecting_ || failing_ || !process_) return;
  const int64_t now = environment_.schedule.now_ns();
  const agent::SpoolStats stats = process_->spool().stats();
  if (stats.memory_batches > 0 || !stats.on_disk) {
    relaxed_ns_ = 0;
  } else if (relaxed_ns_ == 0) {
    relaxed_ns_ = now;
  } else if (now - relaxed_ns_ > kSyncedAfter) {
    suspecting_ = false;
    // Batches resolved in memory may not be in a checkpoint yet.
    for (Entry& entry : ledger().incarnation(runs_.back()).entries) {
      entry.suspect = entry.suspect && entry.acknowledged;
    }
  }
}

void AgentHost::expose_all() {
  for (const size_t run : runs_) {
    for (Entry& entry : ledger().incarnation(run).entries) entry.exposed = true;
  }
}

// Batches only in memory are lost, and so are the drops since the last checkpoint. Batches acknowledged from memory may
// be reported as damaged, but they are in the log, which takes precedence.
void AgentHost::expose_by_kill() {
  if (runs_.empty()) return;
  const bool memory = process_ && process_->spool().stats().memory_batches > 0;
  for (const size_t run : runs_) {
    for (Entry& entry : ledger().incarnation(run).entries) {
      if (entry.dropped) entry.exposed = true;
      if (run == runs_.back() && entry.suspect && (memory || entry.acknowledged)) entry.exposed = true;
    }
  }
}

bool AgentHost::durable(const Entry& entry, size_t run) const {
  if (plan_.sync == agent::SpoolSync::kNever || entry.suspect || entry.appended_ns < slow_until_ns_) return false;
  const int64_t lived = std::min(lived_until_ns_[run], environment_.schedule.now_ns());
  return lived - entry.appended_ns > kSyncedAfter;
}

// Resolved batches may be forgotten, because they did not need a sync. A damaged record of them may remain.
void AgentHost::expose_by_power() {
  for (size_t i = 0; i < runs_.size(); ++i) {
    for (Entry& entry : ledger().incarnation(runs_[i]).entries) {
      if (entry.acknowledged || entry.dropped || !durable(entry, i)) entry.exposed = true;
    }
  }
}

}  // namespace monitor::simulation
