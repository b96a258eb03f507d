// Any bytes to the server session. The first byte selects how the input is split and what the handlers do.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "base/testing/fake_clock.h"
#include "grpc/server_session.h"

namespace {

using namespace monitor;
using namespace monitor::grpc;

struct Events final : ServerSessionHandler {
  void on_output_wanted() override {}
  void on_finished(const Error& /*reason*/) override {
    if (finished) std::abort();
    finished = true;
  }
  bool finished = false;
};

// The byte budget shared by all connections. It must be empty after they are closed.
struct Budget final : ByteBudget {
  bool take(size_t bytes, size_t /*held*/) override {
    if (used + bytes > 50'000) return false;
    used += bytes;
    return true;
  }
  void give_back(size_t bytes, size_t /*held*/) override {
    if (bytes > used) std::abort();
    used -= bytes;
  }
  size_t used = 0;
};

class Handler final : public ServerCallHandler {
 public:
  Handler(ServerCall& call, uint8_t mode) : call_(call), mode_(mode) {}
  void on_message(std::string_view message) override {
    check();
    if ((mode_ & 1U) != 0) call_.consumed(message.size());
    if ((mode_ & 2U) != 0) call_.write(message);
    if ((mode_ & 4U) != 0) call_.finish({Code::kAborted, std::string(message.substr(0, 50))}, {{"key-bin", "\x01"}});
  }
  void on_half_close() override {
    check();
    call_.finish({});
  }
  void on_cancelled() override {
    check();
    over_ = true;
  }

 private:
  void check() const {
    if (over_) std::abort();
  }
  ServerCall& call_;
  uint8_t mode_;
  bool over_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const uint8_t mode = data[0];
  std::string bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  // Prepends the connection preface, so that the fuzzer does not have to guess it.
  if ((mode & 8U) != 0) bytes.insert(0, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  const size_t piece = (mode & 16U) != 0 ? 1 + (mode >> 5U) : bytes.size() + 1;

  FakeTimers timers;
  ServerLimits limits;
  limits.max_message_bytes = 100'000;
  limits.first_call_timeout_ns = kNanosPerSecond / 2;
  limits.message_timeout_ns = kNanosPerSecond;
  limits.header_timeout_ns = kNanosPerSecond;
  Budget budget;
  limits.buffers = &budget;
  MethodTable methods;
  const CallFactory factory = [mode](ServerCall& call) { return std::make_unique<Handler>(call, mode); };
  methods.add_method("/t.T/M", factory, {.manual_flow_control = (mode & 1U) != 0});
  methods.add_unary("/t.T/U",
                    [](ServerCall&, std::string_view request) { return Result<std::string>(std::string(request)); });
  Events events;
  {
    ServerSession session(timers, limits, methods, PeerInfo{"fuzz", nullptr}, events);
    for (size_t i = 0; i < bytes.size(); i += piece) {
      session.receive(std::string_view(bytes).substr(i, piece));
      const size_t out = session.pending_output().size();
      if (out > 0) session.consume_output(out);
      timers.advance(kNanosPerMilli);
    }
    timers.advance(2 * kNanosPerSecond);
    if ((mode & 32U) != 0) {
      session.connection_lost(Error(Code::kUnavailable, "lost"));
      timers.advance(0);
      if (!events.finished || session.active_calls() != 0) std::abort();
    }
  }
  if (budget.used != 0) std::abort();
  if (!timers.idle()) std::abort();  // a timer would call into a destroyed session
  return 0;
}
