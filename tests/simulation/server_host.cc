#include "simulation/server_host.h"

#include <algorithm>
#include <utility>

#include "grpc/server_session.h"
#include "inputs/stream/ingest.h"
#include "telemetry/registry.h"

namespace monitor::simulation {

// The server's end of a link.
class ServerHost::Connection final : public grpc::ServerSessionHandler {
 public:
  Connection(ServerHost& owner, const grpc::ServerLimits& limits, const grpc::MethodTable& methods,
             std::shared_ptr<Link> link)
      : owner_(owner),
        link_(std::move(link)),
        session_(owner.host_, limits, methods, grpc::PeerInfo{"agent", nullptr}, *this) {
    link_->attach(Link::kServer, session_);
  }
  ~Connection() override { link_->detach(Link::kServer); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  grpc::ServerSession& session() { return session_; }
  Link& link() { return *link_; }

 private:
  void on_output_wanted() override { link_->wanted(Link::kServer); }
  void on_finished(const Error&) override {
    // Sends pending output first.
    link_->wanted(Link::kServer);
    owner_.host_.call_after(10 * kNanosPerMilli, life_.guard([this] { owner_.remove(this); }));
  }

  ServerHost& owner_;
  std::shared_ptr<Link> link_;
  grpc::ServerSession session_;
  Life life_;
};

struct ServerHost::Process {
  Process(ServerHost& owner, const server::IngestOptions& options)
      : memory(options.memory_limit),
        producer(owner.environment_.schedule, owner.environment_.cluster, owner.environment_.random),
        ingest({owner.host_,
                [this, &schedule = owner.environment_.schedule](std::function<void()> work) {
                  schedule.after(0, life.guard(std::move(work)));
                },
                producer, streams, memory, held, identities, registry, owner.environment_.random},
               options) {
    methods.add_method(server::Ingest::kPublishPath, ingest.factory(), ingest.method_options());
    limits.stream_window_bytes = options.window_bytes + 64 * 1024;
    limits.connection_window_bytes = 2 * limits.stream_window_bytes;
  }
  ~Process() { connections.clear(); }

  Life life;
  telemetry::Registry registry;
  server::StreamTable streams;
  server::MemoryBudget memory;
  SeededRandom keys{1};  // separate generator, so that keys do not affect the run
  server::HeldBatches held{keys};
  server::IdentityTable identities{{}, keys};
  Producer producer;
  server::Ingest ingest;
  grpc::MethodTable methods;
  grpc::ServerLimits limits;
  std::vector<std::unique_ptr<Connection>> connections;
  bool draining = false;
};

ServerHost::ServerHost(Environment environment, ServerPlan plan, int64_t mono_offset_ns)
    : environment_(environment), plan_(plan), host_(environment.schedule, mono_offset_ns) {}

ServerHost::~ServerHost() = default;

void ServerHost::start() {
  server::IngestOptions options;
  options.window_bytes = plan_.window_bytes;
  options.memory_limit = plan_.memory_limit;
  options.encoding = plan_.takes_v2 ? server::Encoding::kAsSent : server::Encoding::kProtobuf;
  if (plan_.alternates) plan_.takes_v2 = !plan_.takes_v2;
  process_ = std::make_unique<Process>(*this, options);
  process_->limits.max_age_ns = plan_.max_connection_age_ns;
  process_->limits.max_age_jitter = 0.1;
  environment_.network.listen(plan_.port, this);
}

void ServerHost::accept(const std::shared_ptr<Link>& link) {
  process_->connections.push_back(std::make_unique<Connection>(*this, process_->limits, process_->methods, link));
}

void ServerHost::remove(Connection* connection) {
  if (!process_) return;
  std::erase_if(process_->connections, [&](const auto& one) { return one.get() == connection; });
  if (process_->draining && process_->connections.empty()) kill();
}

void ServerHost::kill() {
  environment_.network.listen(plan_.port, nullptr);
  process_.reset();
}

void ServerHost::vanish(int64_t give_up_ns) {
  for (const auto& connection : process_->connections) {
    connection->link().black_hole(Link::kServer, give_up_ns);
    connection->link().black_hole(Link::kClient, give_up_ns);
  }
  kill();
}

void ServerHost::drain(int64_t grace_ns) {
  process_->draining = true;
  environment_.network.listen(plan_.port, nullptr);
  process_->ingest.drain();
  for (const auto& connection : process_->connections) connection->session().drain();
  environment_.schedule.after(grace_ns, process_->life.guard([this] { kill(); }));
}

bool ServerHost::rebuild_producer() {
  if (!process_) return false;
  process_->producer.rebuild();
  return true;
}

ServerState ServerHost::state() const {
  if (!process_) return ServerState::kDown;
  if (process_->draining) return ServerState::kDraining;
  if (process_->ingest.open_streams() == 0) return ServerState::kAlone;
  return process_->producer.pending() > 0 ? ServerState::kInFlight : ServerState::kQuiet;
}

}  // namespace monitor::simulation
