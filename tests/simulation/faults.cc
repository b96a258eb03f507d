// The faults of the simulation: when they begin and end.
#include <fmt/format.h>

#include <array>
#include <optional>

#include "simulation/intruder.h"

namespace monitor::simulation {

namespace {

using monitor::testing::DiskCall;
using monitor::testing::DiskFault;
using monitor::testing::DiskOp;

constexpr size_t kMostAgents = 5;

// The weight of each kind.
uint64_t weight(Fault fault) {
  switch (fault) {
    case Fault::kAgentKillAtCall:
    case Fault::kPowerLoss:
      return 4;
    case Fault::kAgentKill:
    case Fault::kNoSpace:
    case Fault::kIoError:
    case Fault::kCut:
    case Fault::kHalfOpen:
    case Fault::kServerKill:
    case Fault::kProducerFatal:
    case Fault::kReportsReordered:
    case Fault::kLogTimeouts:
    case Fault::kReaderKill:
      return 3;
    case Fault::kReadError:
    case Fault::kCloneId:
    case Fault::kCloneDisk:
    case Fault::kLogClockStep:
      return 1;
    default:
      return 2;
  }
}

Fault draw(Random& random) {
  uint64_t sum = 0;
  for (size_t i = 0; i < kFaults; ++i) sum += weight(static_cast<Fault>(i));
  uint64_t at = random.below(sum);
  for (size_t i = 0; i < kFaults; ++i) {
    const auto fault = static_cast<Fault>(i);
    if (at < weight(fault)) return fault;
    at -= weight(fault);
  }
  return Fault::kAgentKill;
}

bool writes(DiskOp op) {
  return op == DiskOp::kCreate || op == DiskOp::kWrite || op == DiskOp::kTruncate || op == DiskOp::kSync ||
         op == DiskOp::kRemove || op == DiskOp::kRename;
}

bool reads(DiskOp op) {
  return op == DiskOp::kOpen || op == DiskOp::kRead || op == DiskOp::kSize || op == DiskOp::kList;
}

}  // namespace

void World::note(Fault fault, size_t state, std::string_view whose) {
  ++faults_;
  coverage_.add(fault, state);
  if (!trace_) return;
  fmt::print(stderr, "{:.3f} s: {}; {} {}\n", static_cast<double>(schedule_.now_ns()) / 1e9, fault_name(fault), whose,
             state_name(fault, state));
}

void World::next_fault() {
  if (enough()) return;
  for (int tries = 0; tries < 20; ++tries) {
    if (strike(draw(random_))) break;
  }
  last_fault_ns_ = schedule_.now_ns();
  // Some faults follow others closely, to hit starts, stops and drains. Overdue kinds are drawn soon.
  const int64_t most = ledger_.batches() < kBatches ? 5 * gap_ns_ / 2 : gap_ns_ / 4;
  const int64_t gap = chance(25) ? some(0, 150 * kNanosPerMilli) : some(0, most);
  schedule_.after(gap, [this] { next_fault(); });
}

bool World::strike(Fault fault) {
  if (fault < Fault::kCut) return strike_agent(fault);
  if (fault < Fault::kServerKill) return strike_link(fault);
  if (fault <= Fault::kProducerFatal) return strike_server(fault);
  if (fault <= Fault::kLogClockStep) return strike_log(fault);
  return strike_reader(fault);
}

void World::restart_later(AgentHost& agent) {
  schedule_.after(some(0, 3 * kNanosPerSecond), [&agent] {
    if (agent.down()) agent.start();
  });
}

void World::restart_later(ServerHost& server) {
  schedule_.after(some(0, 3 * kNanosPerSecond), [&server] {
    if (!server.up()) server.start();
  });
}

// --- Agents.

bool World::strike_agent(Fault fault) {
  AgentHost& agent = *agents_[random_.below(agents_.size())];
  const auto state = static_cast<size_t>(agent.state());
  if (!agent.has_run()) return false;
  bool struck = false;
  if (fault >= Fault::kNoSpace && fault <= Fault::kSlowSync) {
    struck = agent.up() && strike_disk(fault, agent);
  } else if (fault >= Fault::kDuplicateStream) {
    struck = strike_identity(fault, agent);
  } else {
    struck = strike_process(fault, agent);
  }
  if (struck) note(fault, state, agent.plan().agent_id);
  return struck;
}

bool World::strike_process(Fault fault, AgentHost& agent) {
  if (agent.down() && fault != Fault::kPowerLoss) return false;
  switch (fault) {
    case Fault::kAgentKill:
      agent.kill();
      restart_later(agent);
      return true;
    case Fault::kAgentKillAtCall:
      agent.crash_at_call(1 + random_.below(30));
      return true;
    case Fault::kPowerLoss:
      agent.lose_power();
      restart_later(agent);
      return true;
    case Fault::kAgentRestart:
      if (!agent.up() || agent.state() == AgentState::kStopping) return false;
      agent.stop([this, &agent] { restart_later(agent); });
      return true;
    default: {
      const bool far = chance(10);
      const int64_t most = far ? int64_t{8} * 24 * 3600 * kNanosPerSecond : 3600 * kNanosPerSecond;
      agent.host().step_wall(some(-most, most));
      return true;
    }
  }
}

bool World::strike_disk(Fault fault, AgentHost& agent) {
  const auto percent = chance(50) ? 100 : 10 + random_.below(60);
  const auto judge = [this, percent](bool (*hits)(DiskOp), DiskFault kind) {
    return [this, percent, hits, kind](const DiskCall& call) -> std::optional<DiskFault> {
      if (!hits(call.op) || random_.below(100) >= percent) return std::nullopt;
      return kind;
    };
  };
  switch (fault) {
    case Fault::kNoSpace:
      agent.disk_is_full(random_.below(3000));
      break;
    case Fault::kIoError:
      agent.disk_fails(judge(writes, DiskFault::kIo), false);
      break;
    case Fault::kShortWrite:
      agent.disk_fails(judge(writes, DiskFault::kShort), false);
      break;
    case Fault::kReadError:
      agent.disk_fails(judge(reads, DiskFault::kIo), true);
      break;
    default:
      agent.sync_is_slow(some(50 * kNanosPerMilli, kNanosPerSecond));
      schedule_.after(some(kNanosPerSecond, 5 * kNanosPerSecond), [&agent] { agent.sync_is_usual(); });
      return true;
  }
  schedule_.after(some(200 * kNanosPerMilli, 6 * kNanosPerSecond), [&agent] { agent.disk_heals(); });
  return true;
}

bool World::strike_identity(Fault fault, AgentHost& agent) {
  if (agent.down()) return false;
  if (fault == Fault::kDuplicateStream) {
    const uint16_t port = servers_[random_.below(servers_.size())]->port();
    intruders_.push_back(std::make_unique<Intruder>(network_.connect(agent.host(), {}, port), agent.hello()));
    return true;
  }
  if (agents_.size() >= kMostAgents) return false;
  AgentPlan plan = plan_agent(agents_.size());
  plan.agent_id = agent.plan().agent_id;
  const int64_t mono = some(0, 1000 * kNanosPerSecond);
  if (fault == Fault::kCloneDisk) {
    agents_.push_back(agent.clone(std::move(plan), mono));
  } else {
    agents_.push_back(std::make_unique<AgentHost>(AgentHost::Environment{schedule_, network_, ledger_, random_},
                                                  std::move(plan), mono));
  }
  agents_.back()->start();
  return true;
}

// --- Connections.

bool World::strike_link(Fault fault) {
  const auto links = network_.links();
  if (links.empty()) return false;
  Link& link = *links[random_.below(links.size())];
  size_t state = SIZE_MAX;
  for (const auto& agent : agents_) {
    if (&agent->host() == link.client()) state = static_cast<size_t>(agent->state());
  }
  if (state == SIZE_MAX) return false;
  note(fault, state);
  if (fault == Fault::kCut) {
    link.cut(random_);
  } else if (fault == Fault::kDelay) {
    link.set_delay(some(100 * kNanosPerMilli, 3 * kNanosPerSecond));
  } else {
    link.black_hole(chance(50) ? Link::kClient : Link::kServer, some(2 * kNanosPerSecond, 30 * kNanosPerSecond));
  }
  return true;
}

// --- Servers.

bool World::strike_server(Fault fault) {
  ServerHost& server = *servers_[random_.below(servers_.size())];
  if (!server.up()) return false;
  const auto state = static_cast<size_t>(server.state());
  switch (fault) {
    case Fault::kServerKill:
      server.kill();
      restart_later(server);
      break;
    case Fault::kServerVanish:
      server.vanish(some(2 * kNanosPerSecond, 30 * kNanosPerSecond));
      restart_later(server);
      break;
    case Fault::kServerDrain:
      if (server.state() == ServerState::kDraining) return false;
      server.drain(some(100 * kNanosPerMilli, 5 * kNanosPerSecond));
      schedule_.after(some(5 * kNanosPerSecond, 8 * kNanosPerSecond), [&server] {
        if (!server.up()) server.start();
      });
      break;
    case Fault::kServerHidden:
      network_.hide(server.port(), schedule_.now_ns() + some(kNanosPerSecond, 10 * kNanosPerSecond));
      break;
    default:
      if (!server.rebuild_producer()) return false;
      break;
  }
  note(fault, state);
  return true;
}

// --- The log.

bool World::strike_log(Fault fault) {
  const auto state = static_cast<size_t>(servers_[random_.below(servers_.size())]->state());
  Conditions& conditions = cluster_->conditions;
  const int64_t lasts = some(200 * kNanosPerMilli, 5 * kNanosPerSecond);
  const int64_t store_ns = std::min(conditions.store_ns, 5 * kNanosPerMilli);
  switch (fault) {
    case Fault::kReportsLate:
      conditions.report_ns = some(100 * kNanosPerMilli, 4 * kNanosPerSecond);
      break;
    case Fault::kReportsReordered:
      conditions.report_ns = some(100 * kNanosPerMilli, 2 * kNanosPerSecond);
      conditions.reordered = true;
      break;
    case Fault::kReportsLost:
      conditions.silent = true;
      break;
    case Fault::kLogTimeouts:
      conditions.retry_percent = 20 + random_.below(60);
      break;
    case Fault::kLogRefuses:
      conditions.reject_percent = 5 + random_.below(30);
      break;
    case Fault::kLogSlow:
      conditions.store_ns = some(200 * kNanosPerMilli, 3 * kNanosPerSecond);
      break;
    case Fault::kLogFull:
      conditions.room = random_.below(3);
      break;
    default:
      log_host_.step_wall(some(-3600 * kNanosPerSecond, 3600 * kNanosPerSecond));
      note(fault, state);
      return true;
  }
  note(fault, state);
  schedule_.after(lasts, [this, store_ns] {
    // Records without a delivery report are known to be lost only when the producer is rebuilt.
    const bool silent = cluster_->conditions.silent;
    cluster_->conditions = Conditions{};
    cluster_->conditions.store_ns = store_ns;
    for (const auto& server : servers_) {
      if (silent) server->rebuild_producer();
    }
  });
  return true;
}

// --- Readers.

bool World::strike_reader(Fault fault) {
  ReaderHost& reader = *readers_[random_.below(readers_.size())];
  const auto state = static_cast<size_t>(reader.state());
  if (fault == Fault::kReaderJoins) {
    if (readers_.size() > 3) return false;
    readers_.push_back(std::make_unique<ReaderHost>(ReaderHost::Environment{schedule_, *cluster_, ledger_, random_}));
    readers_.back()->start();
    note(fault, state);
    return true;
  }
  if (!reader.up()) return false;
  note(fault, state);
  switch (fault) {
    case Fault::kReaderKill:
      reader.kill();
      schedule_.after(some(0, 3 * kNanosPerSecond), [&reader] {
        if (!reader.up()) reader.start();
      });
      break;
    case Fault::kSnapshotFails:
      reader.fail_snapshots(static_cast<int>(1 + random_.below(4)));
      break;
    default:
      reader.take_slowly(true);
      schedule_.after(some(kNanosPerSecond, 4 * kNanosPerSecond), [&reader] { reader.take_slowly(false); });
      break;
  }
  return true;
}

}  // namespace monitor::simulation
