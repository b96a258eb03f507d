#include "grpc/health.h"

#include <set>
#include <utility>

#include "base/protowire.h"
#include "base/text.h"

namespace monitor::grpc {
namespace {

constexpr uint32_t kServiceField = 1;
constexpr uint32_t kStatusField = 1;
constexpr size_t kMaxRequest = 512;  // the name of a service

Result<std::string> requested_service(std::string_view request) {
  std::string service;
  protowire::Reader reader(request);
  while (const auto field = reader.next()) {
    if (field->number == kServiceField) service = field->bytes;
  }
  if (reader.failed()) return Error(Code::kInvalidArgument, "not a HealthCheckRequest");
  return service;
}

std::string response(ServingStatus status) {
  std::string out;
  protowire::put_uint64(out, kStatusField, static_cast<uint64_t>(status));
  return out;
}

}  // namespace

struct HealthService::State {
  std::map<std::string, ServingStatus> services;
  std::set<Watch*> watches;
  std::function<Metadata()> about;
};

// A Watch call: sends the status at once, then every change, until the client cancels.
class HealthService::Watch final : public ServerCallHandler {
 public:
  Watch(ServerCall& call, std::shared_ptr<State> state) : call_(call), state_(std::move(state)) {}
  ~Watch() override { state_->watches.erase(this); }

  void on_message(std::string_view message) override {
    Result<std::string> service = requested_service(message);
    if (!service.ok()) return call_.finish({service.error().code(), service.error().message()});
    if (!state_->watches.insert(this).second) {
      return call_.finish({Code::kInvalidArgument, "Watch has one request message, got more"});
    }
    service_ = std::move(*service);
    const auto it = state_->services.find(service_);
    call_.write(response(it == state_->services.end() ? ServingStatus::kServiceUnknown : it->second));
  }

  void changed(const std::string& service, ServingStatus status) {
    if (service == service_) call_.write(response(status));
  }

 private:
  ServerCall& call_;
  std::shared_ptr<State> state_;
  std::string service_;
};

HealthService::HealthService() : state_(std::make_shared<State>()) {
  state_->services[""] = ServingStatus::kNotServing;
}
HealthService::~HealthService() = default;

void HealthService::add_to(MethodTable& methods) {
  methods.add_unary("/grpc.health.v1.Health/Check",
                    [state = state_](ServerCall& call, std::string_view request) -> Result<std::string> {
                      if (state->about) call.send_headers(state->about());
                      const Result<std::string> service = requested_service(request);
                      if (!service.ok()) return service.error();
                      const auto it = state->services.find(*service);
                      if (it == state->services.end()) {
                        return Error(Code::kNotFound, "unknown service " + json_quote(*service));
                      }
                      return response(it->second);
                    },
                    {.max_message_bytes = kMaxRequest});
  methods.add_method("/grpc.health.v1.Health/Watch",
                     [state = state_](ServerCall& call) { return std::make_unique<Watch>(call, state); },
                     {.max_message_bytes = kMaxRequest});
}

void HealthService::set_about(std::function<Metadata()> about) { state_->about = std::move(about); }

void HealthService::set_status(const std::string& service, ServingStatus status) {
  const auto [it, added] = state_->services.try_emplace(service, status);
  if (!added && it->second == status) return;
  it->second = status;
  for (Watch* watch : state_->watches) watch->changed(service, status);
}

}  // namespace monitor::grpc
