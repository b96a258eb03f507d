// Any bytes to the client session during calls. The first byte selects how the input is split.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "base/testing/fake_clock.h"
#include "grpc/client_session.h"

namespace {

using namespace monitor;
using namespace monitor::grpc;

struct Events final : ClientSessionHandler {
  void on_output_wanted() override {}
  void on_finished(const Error& /*reason*/) override {
    if (finished) std::abort();
    finished = true;
  }
  bool finished = false;
};

struct Handler final : ClientCallHandler {
  void on_headers(const Metadata& /*headers*/) override { check(); }
  void on_message(std::string_view message) override {
    check();
    if (consume && call != nullptr) call->consumed(message.size());
    if (leave) call.reset();
  }
  void on_done(const CallStatus& /*status*/, const Metadata& /*trailers*/) override {
    check();
    done = true;
  }
  void check() const {
    if (done) std::abort();
  }
  std::unique_ptr<ClientCall> call;
  bool consume = false;
  bool leave = false;
  bool done = false;
};

void move_output(ClientSession& session) {
  const size_t out = session.pending_output().size();
  if (out > 0) session.consume_output(out);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const uint8_t mode = data[0];
  std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  if ((mode & 8U) != 0) bytes.insert(0, std::string("\0\0\0\4\0\0\0\0\0", 9));  // SETTINGS
  const size_t piece = (mode & 16U) != 0 ? 1 + (mode >> 5U) : bytes.size() + 1;

  FakeTimers timers;
  Events events;
  Handler handlers[3];
  {
    ClientSession session(timers, {}, events);
    int i = 0;
    for (Handler& handler : handlers) {
      handler.consume = (mode & 1U) != 0;
      handler.leave = (mode & 2U) != 0 && i == 1;
      CallOptions options;
      options.manual_flow_control = handler.consume;
      options.max_message_bytes = 100'000;
      if (i++ == 2) options.timeout_ns = 5 * kNanosPerMilli;
      handler.call = session.start("/t.T/M", options, handler);
      handler.call->write("request");
      if ((mode & 4U) != 0) handler.call->half_close();
    }
    move_output(session);
    for (size_t at = 0; at < bytes.size(); at += piece) {
      session.receive(std::string_view(bytes).substr(at, piece));
      move_output(session);
      timers.advance(kNanosPerMilli);
    }
    if ((mode & 32U) != 0) {
      session.connection_lost(Error(Code::kUnavailable, "lost"));
      timers.advance(0);
      for (const Handler& handler : handlers) {
        if (!handler.done && handler.call != nullptr) std::abort();
      }
    }
  }
  if (!timers.idle()) std::abort();
  return 0;
}
