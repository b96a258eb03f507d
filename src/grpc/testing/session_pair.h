// A client session and a server session connected in memory. Passes the output of each to the other, in pieces of any
// size, until neither has output. Uses no sockets, and no time but that of FakeTimers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/event_loop.h"
#include "base/testing/fake_clock.h"
#include "grpc/client_session.h"
#include "grpc/server_session.h"

namespace monitor::grpc {

// Records the callbacks of a call. `on_each` runs inside on_message().
class CallRecorder final : public ClientCallHandler {
 public:
  void on_headers(const Metadata& metadata) override { headers = metadata; }
  void on_message(std::string_view message) override;
  void on_writable() override { ++writable; }
  void on_done(const CallStatus& result, const Metadata& last) override;

  std::optional<Metadata> headers;
  std::vector<std::string> messages;
  int writable = 0;
  int done = 0;
  std::optional<CallStatus> status;
  Metadata trailers;
  std::function<void()> on_each;
  std::function<void()> on_end;
};

// The server's view of one call; shared with the test, which may outlive the handler.
struct ServerRecord {
  ServerCall* call = nullptr;  // nullptr once the handler is destroyed
  Metadata metadata;
  std::vector<std::string> messages;
  bool half_closed = false;
  bool cancelled = false;
  int writable = 0;
  std::function<void(ServerCall&, std::string_view)> on_message;
  std::function<void(ServerCall&)> on_half_close;
};

// A factory that records its calls and runs the functions of their records.
CallFactory recording_factory(std::vector<std::shared_ptr<ServerRecord>>& records,
                              std::function<void(ServerRecord&)> prepare = nullptr);

class SessionPair {
 public:
  struct ClientEvents final : ClientSessionHandler {
    void on_output_wanted() override { wanted = true; }
    void on_ready() override { ready = true; }
    void on_goaway(const GoAway& received) override { goaway = received; }
    void on_finished(const Error& reason) override { finished = reason; }
    bool wanted = false;
    bool ready = false;
    std::optional<GoAway> goaway;
    std::optional<Error> finished;
  };
  struct ServerEvents final : ServerSessionHandler {
    void on_output_wanted() override { wanted = true; }
    void on_finished(const Error& reason) override { finished = reason; }
    bool wanted = false;
    std::optional<Error> finished;
  };

  explicit SessionPair(const ServerLimits& server_limits = {}, const ClientSessionOptions& client_options = {});

  // Moves bytes until neither side has output. Bytes beyond a cut are lost; then both sides learn that the connection
  // is lost.
  void pump();
  void start();  // creates the sessions; add methods before

  ServerLimits limits;
  ClientSessionOptions options;
  MethodTable methods;
  std::string peer = "memory:1";
  FakeTimers timers;
  ClientEvents client_events;
  ServerEvents server_events;
  std::unique_ptr<ClientSession> client;
  std::unique_ptr<ServerSession> server;

  size_t piece = SIZE_MAX;
  size_t cut_to_server = SIZE_MAX;
  size_t cut_to_client = SIZE_MAX;
  size_t to_server_bytes = 0;
  size_t to_client_bytes = 0;
  bool cut = false;

 private:
  bool move(ByteMachine& from, ByteMachine& to, size_t& count, size_t limit);
};

}  // namespace monitor::grpc
