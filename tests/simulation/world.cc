#include "simulation/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "simulation/intruder.h"

namespace monitor::simulation {

namespace {

constexpr uint16_t kFirstPort = 1;
constexpr uint64_t kMostSteps = 2'000'000;
// The maximum time for recovery: backoffs of up to a minute, and connections that time out.
constexpr int64_t kMendWithin = 600 * kNanosPerSecond;

}  // namespace

World::World(uint64_t seed, Coverage& coverage, bool trace)
    : random_(seed), versions_(~seed), coverage_(coverage), trace_(trace) {}

// Pending records of servers may still reach the log when they end.
World::~World() {
  if (cluster_) cluster_->set_on_stored(nullptr);
}

int64_t World::some(int64_t least_ns, int64_t most_ns) {
  return least_ns + static_cast<int64_t>(random_.below(static_cast<uint64_t>(most_ns - least_ns) + 1));
}

void World::build() {
  cluster_ =
      std::make_unique<LogCluster>(schedule_, log_host_.clock(), static_cast<int32_t>(1 + random_.below(3)), ledger_);
  cluster_->conditions.store_ns = some(kNanosPerMilli / 2, 5 * kNanosPerMilli);
  cluster_->set_on_stored([this] {
    for (const auto& reader : readers_) reader->wake();
  });
  const size_t servers = 1 + random_.below(3);
  for (size_t i = 0; i < servers; ++i) {
    ServerPlan plan;
    plan.port = static_cast<uint16_t>(kFirstPort + i);
    if (chance(30)) plan.window_bytes = static_cast<uint32_t>(5000 + random_.below(8000));
    if (chance(20)) plan.memory_limit = 2000 + random_.below(15'000);
    if (chance(30)) plan.max_connection_age_ns = some(1 * kNanosPerSecond, 20 * kNanosPerSecond);
    plan.takes_v2 = versions_.below(3) != 0;
    plan.alternates = versions_.below(2) == 0;
    servers_.push_back(std::make_unique<ServerHost>(ServerHost::Environment{schedule_, network_, *cluster_, random_},
                                                    plan, some(0, 1000 * kNanosPerSecond)));
  }
  const size_t agents = 2 + random_.below(2);
  for (size_t i = 0; i < agents; ++i) {
    agents_.push_back(std::make_unique<AgentHost>(AgentHost::Environment{schedule_, network_, ledger_, random_},
                                                  plan_agent(i), some(0, 1000 * kNanosPerSecond)));
  }
  gap_ns_ = agents_[0]->plan().interval_ns *
            static_cast<int64_t>(kBatches / std::max<size_t>(agents, 1) / (kLeastFaults + 1));
  wanted_faults_ = kLeastFaults + random_.below(4);
  const size_t readers = 1 + random_.below(2);
  for (size_t i = 0; i < readers; ++i) {
    readers_.push_back(std::make_unique<ReaderHost>(ReaderHost::Environment{schedule_, *cluster_, ledger_, random_}));
  }
}

AgentPlan World::plan_agent(size_t number) {
  AgentPlan plan;
  plan.agent_id = "agent-" + std::to_string(number);
  for (size_t i = 0; i < servers_.size(); ++i) plan.servers.push_back(static_cast<uint16_t>(kFirstPort + i));
  const uint64_t sync = random_.below(10);
  plan.sync = sync < 6 ? agent::SpoolSync::k100Ms : sync < 9 ? agent::SpoolSync::kBatch : agent::SpoolSync::kNever;
  plan.full = chance(50) ? agent::SpoolFull::kDropOldest : agent::SpoolFull::kDropNewest;
  plan.interval_ns = number == 0 ? some(200 * kNanosPerMilli, kNanosPerSecond) : agents_[0]->plan().interval_ns;
  if (chance(15)) plan.label_bytes = 200 + random_.below(3000);
  plan.payload = versions_.below(3) == 0 ? 1 : 2;
  plan.alternates = versions_.below(3) == 0;
  // Of v1, also for v2: the spool must have room for a batch with its record of drops, whichever version makes it.
  const uint64_t batch = 350 + plan.label_bytes;
  plan.segment_bytes = batch * (2 + random_.below(12));
  if (chance(30)) plan.max_bytes = plan.segment_bytes * (2 + random_.below(6));
  if (chance(20)) plan.memory_bytes = batch * (3 + random_.below(20));
  return plan;
}

void World::start_all() {
  for (const auto& server : servers_) {
    if (!server->up()) server->start();
  }
  for (const auto& reader : readers_) {
    if (!reader->up()) reader->start();
  }
  for (const auto& agent : agents_) {
    if (agent->down()) agent->start();
  }
}

Outcome World::run() {
  build();
  start_all();
  schedule_.after(some(0, 2 * gap_ns_), [this] { next_fault(); });
  run_until_done();
  if (!ledger_.failed()) settle();
  if (!ledger_.failed()) ledger_.check_all();
  if (!ledger_.failed()) compare_with_readers();
  return {ledger_.failure(), ledger_.batches(), faults_, steps_, ledger_.stored_as_v2(), ledger_.converted()};
}

bool World::step(int64_t until_ns) {
  if (!schedule_.step(until_ns)) return false;
  if (++steps_ > kMostSteps) ledger_.fail("the run does not end");
  check_crashes();
  return !ledger_.failed();
}

void World::check_crashes() {
  for (const auto& agent : agents_) {
    if (!agent->crashed()) continue;
    agent->kill();
    restart_later(*agent);
  }
}

void World::run_until_done() {
  // Gives the last fault time to take effect.
  while ((!enough() || schedule_.now_ns() < last_fault_ns_ + gap_ns_ / 4) && step(INT64_MAX)) {
  }
}

void World::heal() {
  network_.heal();
  const int64_t store_ns = cluster_->conditions.store_ns;
  cluster_->conditions = Conditions{};
  cluster_->conditions.store_ns = std::min(store_ns, 5 * kNanosPerMilli);
  intruders_.clear();
  for (const auto& server : servers_) server->rebuild_producer();
  for (const auto& reader : readers_) {
    reader->fail_snapshots(0);
    reader->take_slowly(false);
  }
  for (const auto& agent : agents_) {
    agent->disk_heals();
    agent->never_crash();
    agent->sync_is_usual();
  }
}

// All faults have ended: everything is sent, and the next run reports the end of each run.
void World::settle() {
  heal();
  wait_until_drained("after the faults");
  size_t running = agents_.size();
  for (const auto& agent : agents_) agent->stop([&running] { --running; });
  const int64_t limit = schedule_.now_ns() + kMendWithin;
  while (running > 0 && step(limit)) {
  }
  if (ledger_.failed()) return;
  if (running > 0) return ledger_.fail("an agent does not stop");
  start_all();
  const int64_t reported_by_ns = schedule_.now_ns() + 2 * kNanosPerSecond;
  while (step(reported_by_ns)) {
  }
  wait_until_drained("after the last start");
  for (const auto& reader : readers_) reader->finish();
  for (const auto& reader : readers_) reader->finish();
}

void World::compare_with_readers() {
  std::vector<analysis::LedgerRow> rows;
  for (const auto& reader : readers_) {
    if (reader->built() == nullptr) continue;
    const auto some = analysis::report(*reader->built(), {});
    rows.insert(rows.end(), some.begin(), some.end());
  }
  ledger_.compare(rows);
}

void World::wait_until_drained(const char* when) {
  const int64_t limit = schedule_.now_ns() + kMendWithin;
  bool drained = false;
  while (!drained && !ledger_.failed() && schedule_.now_ns() < limit) {
    start_all();
    for (const auto& agent : agents_) agent->rest();
    const int64_t until = schedule_.now_ns() + 200 * kNanosPerMilli;
    while (step(until)) {
    }
    drained = true;
    for (const auto& agent : agents_) drained = drained && agent->drained();
  }
  if (!drained) ledger_.fail(fmt::format("{}, {}", when, waiting()));
}

std::string World::waiting() {
  std::string text;
  for (const auto& agent : agents_) {
    if (!agent->drained()) text += fmt::format("{} is stuck ({}); ", agent->plan().agent_id, agent->describe());
  }
  return text;
}

}  // namespace monitor::simulation
