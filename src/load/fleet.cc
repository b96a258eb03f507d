#include "load/fleet.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "grpc/channel.h"

namespace monitor::load {

namespace {

constexpr size_t kConnectingAtOnce = 64;  // a server's backlog is finite
constexpr int64_t kLookEvery = 1 * kNanosPerMilli;
constexpr int64_t kDrainLookEvery = 10 * kNanosPerMilli;
constexpr int64_t kBeatEvery = 1 * kNanosPerSecond;
constexpr int64_t kPingInterval = 15 * kNanosPerSecond;

}  // namespace

Fleet::Fleet(EventLoop& loop, Random& random, FleetOptions options)
    : loop_(loop),
      options_(std::move(options)),
      resolver_(loop),
      batches_(options_.points),
      shared_{.timers = loop,
              .random = random,
              .batches = batches_,
              .connect = [this] { return connection(); },
              .counts = counts_,
              .delays = delays_,
              .window = options_.window,
              .interval_ns = options_.interval_ns,
              .settled = [this] { settled(); }} {}

Fleet::~Fleet() {
  loop_.cancel_timer(timer_);
  loop_.cancel_timer(beat_timer_);
}

std::unique_ptr<grpc::CallStarter> Fleet::connection() {
  grpc::ChannelOptions to;
  to.host = options_.server.host;
  to.port = options_.server.port;
  to.security = options_.security;
  to.session.keepalive_interval_ns = kPingInterval;
  return std::make_unique<grpc::Channel>(loop_, resolver_, to);
}

void Fleet::start(std::function<void()> done) {
  done_ = std::move(done);
  started_ns_ = loop_.clock().mono_ns();
  agents_.reserve(options_.agents);
  connect_more();
}

void Fleet::connect_more() {
  timer_ = 0;
  if (phase_ != Phase::kConnecting) return;
  size_t allowed = options_.agents;
  if (options_.ramp_ns > 0) {
    const double share =
        static_cast<double>(loop_.clock().mono_ns() - started_ns_) / static_cast<double>(options_.ramp_ns);
    allowed = std::min(options_.agents, static_cast<size_t>(share * static_cast<double>(options_.agents)) + 1);
  }
  while (agents_.size() < allowed && agents_.size() - settled_ < kConnectingAtOnce) {
    const size_t number = agents_.size() + 1;
    agents_.push_back(std::make_unique<SimAgent>(shared_, fmt::format("{}-{}", options_.prefix, number),
                                                 options_.seed << 32 | number));
    agents_.back()->connect();
  }
  if (agents_.size() < options_.agents) timer_ = loop_.call_after(kLookEvery, [this] { connect_more(); });
}

// Agents that failed try again while the others publish.
void Fleet::settled() {
  if (++settled_ == options_.agents && phase_ == Phase::kConnecting) run();
}

void Fleet::run() {
  phase_ = Phase::kRunning;
  loop_.cancel_timer(timer_);
  running_since_ns_ = loop_.clock().mono_ns();
  const auto all = static_cast<int64_t>(agents_.size());
  for (int64_t i = 0; i < all; ++i) {
    agents_[static_cast<size_t>(i)]->start_grid(running_since_ns_ + options_.interval_ns / all * i);
  }
  if (options_.interval_ns > kBeatEvery) beat();
  pace();
}

void Fleet::pace() {
  const int64_t now = loop_.clock().mono_ns();
  const int64_t end = running_since_ns_ + options_.duration_ns;
  const int64_t spacing = options_.interval_ns / static_cast<int64_t>(agents_.size());
  const auto due_of = [&](uint64_t tick) {
    return running_since_ns_ + static_cast<int64_t>(tick / agents_.size()) * options_.interval_ns +
           static_cast<int64_t>(tick % agents_.size()) * spacing;
  };
  for (; due_of(paced_) <= std::min(now, end - 1); ++paced_) agents_[paced_ % agents_.size()]->tick_due();
  if (now >= end) return drain();
  timer_ = loop_.call_at(std::min(end, std::max(due_of(paced_), now + kLookEvery)), [this] { pace(); });
}

void Fleet::beat() {
  for (auto& agent : agents_) agent->beat_if_silent(loop_.clock().mono_ns());
  beat_timer_ = loop_.call_after(kBeatEvery, [this] { beat(); });
}

void Fleet::stop() {
  if (phase_ == Phase::kConnecting) {
    phase_ = Phase::kDraining;
    loop_.cancel_timer(timer_);
    return finish();
  }
  if (phase_ != Phase::kRunning) return;
  loop_.cancel_timer(timer_);
  drain();
}

void Fleet::drain() {
  if (phase_ == Phase::kRunning) {
    phase_ = Phase::kDraining;
    running_until_ns_ = loop_.clock().mono_ns();
    in_time_ = counts_.acknowledged;
    loop_.cancel_timer(beat_timer_);
  }
  const bool nothing_left = waiting() == 0 && unacknowledged() == 0;
  if (nothing_left || loop_.clock().mono_ns() - running_until_ns_ >= options_.drain_ns) return finish();
  timer_ = loop_.call_after(kDrainLookEvery, [this] { drain(); });
}

void Fleet::finish() {
  phase_ = Phase::kDone;
  for (const auto& agent : agents_) agent->count_open(loop_.clock().mono_ns());
  auto done = std::exchange(done_, nullptr);
  timer_ = loop_.call_after(0, std::move(done));
}

int64_t Fleet::running_ns() const {
  if (running_since_ns_ == 0) return 0;
  return (running_until_ns_ != 0 ? running_until_ns_ : loop_.clock().mono_ns()) - running_since_ns_;
}

uint64_t Fleet::waiting() const {
  uint64_t sum = 0;
  for (const auto& agent : agents_) sum += agent->waiting();
  return sum;
}

uint64_t Fleet::unacknowledged() const {
  uint64_t sum = 0;
  for (const auto& agent : agents_) sum += agent->unacknowledged();
  return sum;
}

std::vector<AgentOutcome> Fleet::outcomes() const {
  std::vector<AgentOutcome> result;
  result.reserve(agents_.size());
  for (const auto& agent : agents_) {
    result.push_back(
        {agent->id(), agent->incarnation(), agent->made(), agent->acknowledged(), agent->rejected(), agent->resent()});
  }
  return result;
}

}  // namespace monitor::load
