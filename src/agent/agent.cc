#include "agent/agent.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "payload/tick_encoder.h"

namespace monitor::agent {

namespace {

constexpr int64_t kHeartbeatEvery = 10 * kNanosPerSecond;
constexpr int64_t kSummaryEvery = 60 * kNanosPerSecond;
constexpr int64_t kStopWithin = kNanosPerSecond;
// Heartbeats and summaries run with a tick that is due at most this much earlier or later.
constexpr int64_t kEarlier = 100 * kNanosPerMilli;
constexpr int64_t kLater = kNanosPerSecond;

// The first summary comes after a minute; this line shows earlier that the agent works.
void log_first_values(size_t series, const AgentStats& stats) {
  log_info("first values collected",
           {{"series", series}, {"points", stats.points_made}, {"tick_us", stats.last_tick_duration_ns / 1000}});
}

std::unique_ptr<metrics::BatchWriter> make_writer(int version, const metrics::SeriesTable& table) {
  if (version == 2) return std::make_unique<payload::TickEncoder>(table);
  return std::make_unique<metrics::BatchEncoder>(table);
}

}  // namespace

Agent::Agent(Timers& timers, AgentOptions options, metrics::SeriesTable& table, TickSource& source,
             HostedPlugins* hosted)
    : timers_(timers),
      options_(std::move(options)),
      table_(table),
      source_(source),
      reports_(options_.incarnation),
      chain_(
          table, timers.clock(), reports_.drops(), [this](metrics::Tick& tick) { on_output(tick); }, hosted),
      writer_(make_writer(options_.payload, table)),
      encoder_(*writer_),
      series_room_(timers.clock(), table) {
  chain_.set_on_progress([this] { on_chain(); });
}

Agent::~Agent() {
  timers_.cancel_timer(tick_timer_);
  timers_.cancel_timer(heartbeat_timer_);
  timers_.cancel_timer(summary_timer_);
  timers_.cancel_timer(stop_timer_);
}

void Agent::attach(Spool& spool, std::function<void()> on_batch) {
  spool_ = &spool;
  reports_.attach(spool);
  on_batch_ = std::move(on_batch);
}

std::optional<config::Problem> Agent::apply(const config::Settings& settings, int64_t revision) {
  if (running_ && settings == settings_) {
    revision_ = revision;
    return std::nullopt;
  }
  // Only the plugins can reject settings, so they are configured first. If they fail, they have changed nothing.
  if (auto problem = chain_.configure(settings.plugins)) return problem;
  // The open batch was collected under the old revision and labels, so it must be sent with them.
  if (!encoder_.empty()) close_batch();
  make_room();
  settings_ = settings;
  revision_ = revision;
  stats_.configured_ns = timers_.clock().wall_ns();
  const Timestamp now{timers_.clock().wall_ns(), timers_.clock().mono_ns()};
  const Timestamp placed = grid_.place(now);
  configure_source(scheduler_.configure(settings_, now.mono_ns, placed.wall_ns));
  if (running_) {
    source_.baseline(placed);
  } else {
    start(placed);
  }
  schedule_tick();
  return std::nullopt;
}

void Agent::configure_source(const std::vector<uint64_t>& gone) {
  // A schedule that gains a metric must be configured before the one that loses it. New schedules have the highest ids.
  const auto& all = scheduler_.all();
  for (auto schedule = all.rbegin(); schedule != all.rend(); ++schedule)
    source_.configure(schedule->id, schedule->selections);
  for (const uint64_t id : gone) source_.configure(id, {});
}

void Agent::start(const Timestamp& now) {
  running_ = true;
  last_append_mono_ = now.mono_ns;
  schedule_heartbeat();
  summary_timer_ = timers_.call_after(kSummaryEvery, [this] { summarize(); });
  open(now);
}

// Values that need no second reading go at once, as a tick of their own without rates. The schedules, and with them all
// later ticks, are as if it did not exist.
void Agent::open(const Timestamp& now) {
  for (const Scheduler::Schedule& schedule : scheduler_.all()) {
    tick_.time_ns = now.wall_ns;
    tick_.due_mono_ns = now.mono_ns;
    tick_.rates_since_ns = 0;
    tick_.points.clear();
    const uint64_t over = source_.open(schedule.id, now, tick_);
    if (tick_.points.empty() && over == 0) continue;
    ++stats_.ticks_due;
    take(over);
  }
  if (!encoder_.empty()) close_batch();
  stats_.last_tick_duration_ns = timers_.clock().mono_ns() - now.mono_ns;
  if (stats_.points_made > 0) log_first_values(table_.size(), stats_);
}

void Agent::schedule_tick() {
  timers_.cancel_timer(tick_timer_);
  tick_timer_ = timers_.call_at(scheduler_.next_due(), [this] { on_tick(); });
}

void Agent::on_tick() {
  const Timestamp now{timers_.clock().wall_ns(), timers_.clock().mono_ns()};
  // Ticks of the schedule that became due before this point are missed: they are counted, not read.
  const Scheduler::Due due = scheduler_.take(now.mono_ns);
  stats_.ticks_due += 1 + due.missed;
  stats_.ticks_missed += due.missed;
  schedule_tick();
  const bool nothing_yet = stats_.points_made == 0;
  collect(due.index, grid_.place(now), due.due);
  join(due.index);
  stats_.last_tick_duration_ns = timers_.clock().mono_ns() - now.mono_ns;
  if (nothing_yet && stats_.points_made > 0) log_first_values(table_.size(), stats_);
}

// Moves the metrics of a schedule to the schedule that it joins.
void Agent::join(size_t schedule) {
  const auto to = scheduler_.join(schedule);
  if (!to) return;
  source_.configure(scheduler_.at(*to).id, scheduler_.at(*to).selections);
  source_.configure(scheduler_.at(schedule).id, {});
  scheduler_.erase(schedule);
  schedule_tick();
}

void Agent::collect(size_t schedule, const Timestamp& now, int64_t due_mono_ns) {
  make_room();
  tick_.time_ns = now.wall_ns;
  tick_.due_mono_ns = due_mono_ns;
  tick_.rates_since_ns = std::exchange(scheduler_.at(schedule).last_wall_ns, now.wall_ns);
  tick_.points.clear();
  take(source_.collect(scheduler_.at(schedule).id, now, tick_));
  if (!encoder_.empty() && batch_is_due()) close_batch();
}

// Passes tick_ through the chain. `over`: the points whose series had no room.
void Agent::take(uint64_t over) {
  const int64_t wall_ns = tick_.time_ns;
  stats_.points_made += tick_.points.size() + over;
  if (over > 0) {
    reports_.drops().dropped(
        metrics::unbatched_drop(metrics::stage::kCollect, metrics::reason::kCardinality, "", 0, over, wall_ns));
  }
  series_room_.keep(tick_);
  if (!tick_.points.empty()) chain_.push(tick_);
  chain_.pump();
  if (series_room_.look(over) && on_change_) on_change_();
}

// Called between two ticks, when only the open batch and the chain's plugins refer to series by number.
void Agent::make_room() {
  const auto gone = series_room_.unneeded(chain_);
  if (gone.empty()) return;
  if (!encoder_.empty()) close_batch();
  table_.release(gone);
  source_.forget_series();
  chain_.forget_series(gone);
}

// A hosted plugin has answered, so ticks may have come through the chain after push() had returned.
void Agent::on_chain() {
  if (stopping_) {
    if (chain_.idle()) finish_stop();
    return;
  }
  if (!encoder_.empty() && batch_is_due()) close_batch();
}

bool Agent::batch_is_due() const { return scheduler_.next_due() - batch_first_due_ >= settings_.send_every_ns; }

void Agent::on_output(metrics::Tick& tick) {
  series_room_.keep(tick);
  drop_unfit(tick);
  if (!encoder_.add(tick)) {
    if (!encoder_.empty()) close_batch();
    add_in_parts(tick);
  }
  if (encoder_.frames() == 1) batch_first_due_ = tick.due_mono_ns;
}

// Spreads a tick that is too large for one batch over several; the last batch stays open.
void Agent::add_in_parts(const metrics::Tick& tick) {
  size_t done = 0;
  while (done < tick.points.size()) {
    const size_t taken = encoder_.add_part(tick, done);
    done += taken;
    points_to_come_ = tick.points.size() - done;
    if (points_to_come_ == 0) break;
    if (encoder_.empty()) {  // a single series is too large for any batch, which the table's limits prevent
      reports_.drops().dropped(metrics::unbatched_drop(metrics::stage::kCollect, metrics::reason::kTooLarge, "",
                                                       done == 0 ? 1U : 0U, points_to_come_, tick.time_ns));
      break;
    }
    close_batch();
  }
  points_to_come_ = 0;
}

// A server would reject the whole batch because of one invalid series.
void Agent::drop_unfit(metrics::Tick& tick) {
  const size_t dropped = series_room_.take_unfit(tick);
  if (dropped == 0) return;
  reports_.drops().dropped(metrics::unbatched_drop(metrics::stage::kCollect, metrics::reason::kInvalid, "",
                                                   tick.points.empty() ? 1U : 0U, dropped, tick.time_ns));
}

void Agent::close_batch() { append(encoder_.ticks(), encoder_.points()); }

void Agent::close_heartbeat() {
  ++stats_.heartbeats;
  append(0, 0);
}

// Tells readers that this run has ended, instead of falling silent. A run without any batch has nothing to end.
void Agent::close_final() {
  final_ = true;
  if (!encoder_.empty()) {
    close_batch();
  } else if (next_sequence_ > 1) {
    close_heartbeat();
  }
}

void Agent::append(uint64_t ticks, uint64_t points) {
  if (spool_ == nullptr) {
    encoder_.clear();
    return;
  }
  BatchInfo info;
  info.incarnation = options_.incarnation;
  info.sequence = next_sequence_++;
  info.ticks = ticks;
  info.points = points;
  info.first_time_ns = encoder_.first_time_ns();
  info.last_time_ns = encoder_.last_time_ns();

  metrics::Envelope envelope;
  envelope.agent_id = options_.agent_id;
  envelope.hostname = options_.hostname;
  envelope.incarnation = options_.incarnation;
  envelope.sequence = info.sequence;
  envelope.config_revision = static_cast<uint64_t>(revision_);
  envelope.resource = settings_.labels;
  envelope.first_unacked = spool_->first_unacked(options_.incarnation, info.sequence);
  // Only counts points that are in a batch or dropped, because readers compare the sum of both.
  const uint64_t points_made = stats_.points_made + chain_.points_added() - chain_.points_inside() - points_to_come_;
  envelope.counters = {stats_.ticks_due, stats_.ticks_missed, points_made, {}};
  reports_.carry(envelope);
  envelope.appended_ns = GridClock::rounded(timers_.clock().wall_ns());
  envelope.older = spool_->older(options_.incarnation);
  envelope.agent_version = options_.version;
  envelope.send_every_ns = static_cast<uint64_t>(settings_.send_every_ns);
  envelope.final_batch = final_;

  info.appended_ns = envelope.appended_ns;
  auto bytes = encoder_.close(envelope);
  const Status taken = bytes ? spool_->append(std::move(info), std::move(*bytes)) : Status(bytes.error());
  if (!taken) log_error("batch is lost", {{"reason", taken.error()}});
  ++stats_.batches;
  last_append_mono_ = timers_.clock().mono_ns();
  schedule_heartbeat();
  if (on_batch_) on_batch_();
}

// The time just after a tick that is due near this time, so that the agent wakes once for both; else this time.
int64_t Agent::with_tick(int64_t mono_ns) const {
  const int64_t tick = scheduler_.due_after(mono_ns - kEarlier);
  return tick == mono_ns || tick > mono_ns + kLater ? mono_ns : tick + 1;
}

void Agent::schedule_heartbeat() {
  // A timer that checks when it fires is cheaper than moving it with every batch.
  if (heartbeat_timer_ != 0) return;
  const int64_t earliest = timers_.clock().mono_ns() + kNanosPerSecond;
  heartbeat_timer_ = timers_.call_at(with_tick(std::max(last_append_mono_ + kHeartbeatEvery, earliest)), [this] {
    heartbeat_timer_ = 0;
    const bool silent = timers_.clock().mono_ns() - last_append_mono_ >= kHeartbeatEvery - kEarlier;
    if (silent && encoder_.empty()) {
      close_heartbeat();
    } else {
      schedule_heartbeat();
    }
  });
}

void Agent::stop(std::function<void()> done) {
  timers_.cancel_timer(std::exchange(tick_timer_, 0));
  timers_.cancel_timer(std::exchange(heartbeat_timer_, 0));
  stopping_ = true;
  on_stopped_ = std::move(done);
  chain_.pump();
  if (chain_.idle()) return finish_stop();
  stop_timer_ = timers_.call_after(kStopWithin, [this] {
    stop_timer_ = 0;
    log_warning("plugins did not finish in time; their ticks are dropped", {{"ticks", chain_.queued() + 1}});
    finish_stop();
  });
}

void Agent::finish_stop() {
  timers_.cancel_timer(std::exchange(stop_timer_, 0));
  chain_.give_up();  // finalizes the plugins
  close_final();
  // Closing the batch may have started the timer again.
  timers_.cancel_timer(std::exchange(heartbeat_timer_, 0));
  if (const auto done = std::exchange(on_stopped_, nullptr)) done();
}

void Agent::summarize() {
  log_info("collected in the last minute",
           {{"ticks", stats_.ticks_due - stats_.ticks_missed - (summarized_.ticks_due - summarized_.ticks_missed)},
            {"missed", stats_.ticks_missed - summarized_.ticks_missed},
            {"points", stats_.points_made - summarized_.points_made},
            {"batches", stats_.batches - summarized_.batches},
            {"waiting", spool_ == nullptr ? 0 : spool_->batches()},
            {"tick_us", stats_.last_tick_duration_ns / 1000}});
  summarized_ = stats_;
  summary_timer_ = timers_.call_at(with_tick(timers_.clock().mono_ns() + kSummaryEvery), [this] { summarize(); });
}

}  // namespace monitor::agent
