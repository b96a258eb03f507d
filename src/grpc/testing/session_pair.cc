#include "grpc/testing/session_pair.h"

#include <algorithm>
#include <utility>

namespace monitor::grpc {

void CallRecorder::on_message(std::string_view message) {
  messages.emplace_back(message);
  if (on_each) on_each();
}

void CallRecorder::on_done(const CallStatus& result, const Metadata& last) {
  ++done;
  status = result;
  trailers = last;
  if (on_end) on_end();
}

namespace {

class Recording final : public ServerCallHandler {
 public:
  Recording(ServerCall& call, std::shared_ptr<ServerRecord> record) : record_(std::move(record)) {
    record_->call = &call;
    record_->metadata = call.metadata();
  }
  ~Recording() override { record_->call = nullptr; }

  void on_message(std::string_view message) override {
    record_->messages.emplace_back(message);
    if (record_->on_message) record_->on_message(*record_->call, message);
  }
  void on_half_close() override {
    record_->half_closed = true;
    if (record_->on_half_close) record_->on_half_close(*record_->call);
  }
  void on_cancelled() override { record_->cancelled = true; }
  void on_writable() override { ++record_->writable; }

 private:
  std::shared_ptr<ServerRecord> record_;
};

}  // namespace

CallFactory recording_factory(std::vector<std::shared_ptr<ServerRecord>>& records,
                              std::function<void(ServerRecord&)> prepare) {
  return [&records, prepare = std::move(prepare)](ServerCall& call) {
    auto record = std::make_shared<ServerRecord>();
    if (prepare) prepare(*record);
    records.push_back(record);
    return std::make_unique<Recording>(call, record);
  };
}

SessionPair::SessionPair(const ServerLimits& server_limits, const ClientSessionOptions& client_options)
    : limits(server_limits), options(client_options) {}

void SessionPair::start() {
  client = std::make_unique<ClientSession>(timers, options, client_events);
  server = std::make_unique<ServerSession>(timers, limits, methods, PeerInfo{peer, nullptr}, server_events);
}

bool SessionPair::move(ByteMachine& from, ByteMachine& to, size_t& count, size_t limit) {
  const std::string bytes(from.pending_output());
  if (bytes.empty()) return false;
  from.consume_output(bytes.size());
  const size_t passed = std::min(bytes.size(), limit - count);
  for (size_t i = 0; i < passed; i += std::min(piece, passed - i)) {
    to.receive(std::string_view(bytes).substr(i, std::min(piece, passed - i)));
  }
  count += passed;
  cut |= passed < bytes.size();
  return true;
}

void SessionPair::pump() {
  bool moved = true;
  while (moved && !cut) {
    moved = move(*client, *server, to_server_bytes, cut_to_server);
    if (!cut) moved |= move(*server, *client, to_client_bytes, cut_to_client);
    timers.advance(0);
  }
  // A side that has finished closes its socket.
  if (!cut && client->finished() != server->finished()) {
    ByteMachine& other = client->finished() ? static_cast<ByteMachine&>(*server) : *client;
    other.connection_lost(Error(Code::kUnavailable, "closed by the peer"));
    timers.advance(0);
  }
  if (!cut) return;
  client->connection_lost(Error(Code::kUnavailable, "cut"));
  server->connection_lost(Error(Code::kUnavailable, "cut"));
  timers.advance(0);
}

}  // namespace monitor::grpc
