#include "load/sim_agent.h"

#include <algorithm>
#include <utility>

namespace monitor::load {

namespace {

constexpr int64_t kHelloTimeout = 20 * kNanosPerSecond;
constexpr int64_t kHeartbeatEvery = 10 * kNanosPerSecond;

}  // namespace

SimAgent::SimAgent(Shared& shared, const std::string& id, uint64_t seed)
    : shared_(shared),
      id_(id),
      envelope_(envelope_of(shared, id)),
      values_(shared.batches.begin(seed)),
      client_(shared.timers, shared.random, *this, {id, envelope_.incarnation, envelope_.agent_version, id},
              kHelloTimeout, *this) {}

SimAgent::~SimAgent() { no_longer_connected(); }

metrics::Envelope SimAgent::envelope_of(const Shared& shared, const std::string& id) {
  metrics::Envelope envelope;
  envelope.agent_id = id;
  envelope.hostname = id;
  envelope.incarnation.resize(metrics::kIncarnationBytes);
  shared.random.fill(envelope.incarnation.data(), envelope.incarnation.size());
  envelope.agent_version = "load";
  envelope.send_every_ns = static_cast<uint64_t>(shared.interval_ns);
  return envelope;
}

// --- The stream.

void SimAgent::no_longer_connected() {
  if (std::exchange(connected_, false)) --shared_.counts.connected;
}

void SimAgent::on_established(const stream::Sender& /*sender*/) {
  connected_ = true;
  ++shared_.counts.connected;
  ++shared_.counts.connects;
  if (!std::exchange(settled_, true)) shared_.settled();
}

void SimAgent::on_failed(const Error& why, int64_t /*wait_ns*/) {
  no_longer_connected();
  ++shared_.counts.failures;
  if (shared_.counts.first_failure.empty()) shared_.counts.first_failure = why.message();
  if (!std::exchange(settled_, true)) shared_.settled();
}

// --- Ticks.

void SimAgent::start_grid(int64_t first_due_ns) {
  first_due_ns_ = first_due_ns;
  last_made_ns_ = first_due_ns;
}

void SimAgent::tick_due() {
  ++due_;
  ++shared_.counts.due;
  client_.pump();
}

void SimAgent::beat_if_silent(int64_t now_ns) {
  if (waiting() > 0 || !waits_.empty() || now_ns - last_made_ns_ < kHeartbeatEvery) return;
  make(now_ns, false);
  client_.pump();
}

void SimAgent::make_tick() {
  make(due_of(made_ticks_), true);
  ++made_ticks_;
}

// The times in the data are those at which it was due, by the wall clock.
void SimAgent::make(int64_t due_ns, bool tick) {
  const Clock& clock = shared_.timers.clock();
  const int64_t wall_of_due = clock.wall_ns() - (clock.mono_ns() - due_ns);
  ++envelope_.sequence;
  envelope_.first_unacked = waits_.empty() ? envelope_.sequence : waits_.front().sequence;
  envelope_.appended_ns = wall_of_due;
  if (tick) {
    ++envelope_.counters.ticks_due;
    envelope_.counters.points_made += shared_.batches.points();
  }
  if (!envelope_.drops.empty() && drops_sent_from_ == 0) drops_sent_from_ = envelope_.sequence;
  Waiting one{.sequence = envelope_.sequence, .due_ns = tick ? due_ns : 0, .bytes = {}};
  one.bytes = tick ? shared_.batches.make(envelope_, wall_of_due, wall_of_due - shared_.interval_ns, values_)
                   : shared_.batches.heartbeat(envelope_);
  waits_.push_back(std::move(one));
  last_made_ns_ = clock.mono_ns();
  ++shared_.counts.made;
}

void SimAgent::count_open(int64_t now_ns) const {
  for (const Waiting& one : waits_) {
    if (one.due_ns != 0) shared_.delays.add(now_ns - one.due_ns);
  }
  for (uint64_t tick = made_ticks_; tick < due_; ++tick) shared_.delays.add(now_ns - due_of(tick));
}

// --- Batches on the stream.

std::deque<SimAgent::Waiting>::iterator SimAgent::find(uint64_t sequence) {
  const auto it = std::ranges::lower_bound(waits_, sequence, {}, &Waiting::sequence);
  return it != waits_.end() && it->sequence == sequence ? it : waits_.end();
}

std::optional<stream::Outgoing> SimAgent::next() {
  if (out_ >= shared_.window) return std::nullopt;
  auto it = waits_.end();
  if (out_ < waits_.size()) {
    it = std::ranges::find_if(waits_, [](const Waiting& one) { return !one.out; });
  } else if (waiting() > 0) {
    make_tick();
    it = std::prev(waits_.end());
  }
  if (it == waits_.end()) return std::nullopt;
  if (std::exchange(it->tried, true)) ++resent_;
  it->out = true;
  ++out_;
  ++shared_.counts.sent;
  return stream::Outgoing{it->sequence, it->bytes};
}

void SimAgent::forget(uint64_t sequence) {
  const auto it = find(sequence);
  if (it == waits_.end()) return;
  if (it->out) --out_;
  waits_.erase(it);
}

void SimAgent::acknowledged(uint64_t id) {
  const auto it = find(id);
  if (it == waits_.end()) return;
  if (it->due_ns != 0) shared_.delays.add(shared_.timers.clock().mono_ns() - it->due_ns);
  forget(id);
  ++acknowledged_;
  ++shared_.counts.acknowledged;
  if (drops_sent_from_ != 0 && id >= drops_sent_from_) {
    envelope_.drops.clear();
    drops_sent_from_ = 0;
  }
}

// Drops the batch with a record, as a real agent does.
void SimAgent::rejected(uint64_t id, stream::RejectedBy /*by*/, std::string_view reason) {
  const auto it = find(id);
  if (it == waits_.end()) return;
  const uint64_t points = it->due_ns != 0 ? shared_.batches.points() : 0;
  const int64_t wall = envelope_.appended_ns;
  metrics::Drop drop{.stage = std::string(metrics::stage::kServer),
                     .reason = std::string(stream::reject_word(reason)),
                     .batches = 1,
                     .ticks = 1,
                     .points = points,
                     .incarnation = envelope_.incarnation,
                     .first_sequence = id,
                     .last_sequence = id,
                     .first_time_ns = wall,
                     .last_time_ns = wall};
  metrics::Drop& total = [&]() -> metrics::Drop& {
    for (metrics::Drop& one : envelope_.counters.dropped) {
      if (one.reason == drop.reason) return one;
    }
    return envelope_.counters.dropped.emplace_back(metrics::Drop{.stage = drop.stage, .reason = drop.reason});
  }();

  ++total.batches;
  ++total.ticks;
  total.points += points;
  metrics::Drop* const last = envelope_.drops.empty() ? nullptr : &envelope_.drops.back();
  if (last != nullptr && last->reason == drop.reason && last->last_sequence + 1 == id) {
    ++last->batches;
    ++last->ticks;
    last->points += points;
    last->last_sequence = id;
    last->last_time_ns = wall;
  } else {
    envelope_.drops.push_back(std::move(drop));
  }
  drops_sent_from_ = 0;
  forget(id);
  ++rejected_;
  ++shared_.counts.rejected;
  if (shared_.counts.first_failure.empty()) shared_.counts.first_failure = std::string(reason);
}

void SimAgent::returned(uint64_t id) {
  const auto it = find(id);
  if (it == waits_.end() || !it->out) return;
  it->out = false;
  --out_;
}

}  // namespace monitor::load
