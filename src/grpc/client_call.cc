#include "grpc/client_call.h"

#include <optional>
#include <unordered_map>
#include <utility>

namespace monitor::grpc {

struct UnaryCalls::State {
  std::unordered_map<Call*, std::unique_ptr<Call>> running;
};

class UnaryCalls::Call final : public ClientCallHandler {
 public:
  Call(State& state, Callback callback) : state_(state), callback_(std::move(callback)) {}

  void start(CallStarter& starter, std::string_view path, std::string_view request, const CallOptions& options) {
    CallOptions unary = options;
    unary.manual_flow_control = false;  // a unary caller has no handle to confirm with
    call_ = starter.start(path, unary, *this);
    call_->write(request);
    call_->half_close();
  }

  void on_message(std::string_view message) override {
    if (response_) surplus_ = true;
    response_ = std::string(message);
  }

  void on_done(const CallStatus& status, const Metadata& /*trailers*/) override {
    Result<std::string> result = outcome(status);
    const Callback callback = std::move(callback_);
    state_.running.erase(this);  // destroys this object
    callback(std::move(result));
  }

 private:
  Result<std::string> outcome(const CallStatus& status) {
    if (!status.ok()) return status.to_error();
    if (!response_) return Error(Code::kInternal, "the server ended a unary call without a message");
    if (surplus_) return Error(Code::kInternal, "the server answered a unary call with several messages");
    return std::move(*response_);
  }

  State& state_;
  Callback callback_;
  std::unique_ptr<ClientCall> call_;
  std::optional<std::string> response_;
  bool surplus_ = false;
};

UnaryCalls::UnaryCalls(CallStarter& starter) : starter_(starter), state_(std::make_unique<State>()) {}
UnaryCalls::~UnaryCalls() = default;

void UnaryCalls::start(std::string_view path, std::string_view request, const CallOptions& options, Callback callback) {
  auto call = std::make_unique<Call>(*state_, std::move(callback));
  Call& started = *call;
  state_->running.emplace(&started, std::move(call));
  started.start(starter_, path, request, options);
}

size_t UnaryCalls::running() const { return state_->running.size(); }

}  // namespace monitor::grpc
