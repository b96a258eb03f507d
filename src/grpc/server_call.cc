#include "grpc/server_call.h"

#include <optional>
#include <set>
#include <utility>

namespace monitor::grpc {
namespace {

class UnaryHandler final : public ServerCallHandler {
 public:
  UnaryHandler(ServerCall& call, const UnaryMethod& method) : call_(call), method_(method) {}

  void on_message(std::string_view message) override {
    if (request_) {
      call_.finish({Code::kInternal, "a unary call has one request message, got more"});
      return;
    }
    request_ = std::string(message);
  }

  void on_half_close() override {
    if (!request_) {
      call_.finish({Code::kInternal, "a unary call has one request message, got none"});
      return;
    }
    Result<std::string> response = method_(call_, *request_);
    if (response.ok()) call_.write(*response);
    call_.finish(response.ok() ? CallStatus{} : CallStatus{response.error().code(), response.error().message()});
  }

 private:
  ServerCall& call_;
  const UnaryMethod& method_;
  std::optional<std::string> request_;
};

}  // namespace

void MethodTable::add_method(std::string path, CallFactory factory, const MethodOptions& options) {
  methods_.insert_or_assign(std::move(path), Method{std::move(factory), options});
}

void MethodTable::add_unary(std::string path, UnaryMethod method, const MethodOptions& options) {
  MethodOptions unary = options;
  unary.manual_flow_control = false;  // a unary method has no handle to confirm with
  unary.single_request = true;
  auto shared = std::make_shared<const UnaryMethod>(std::move(method));
  add_method(
      std::move(path), [shared](ServerCall& call) { return std::make_unique<UnaryHandler>(call, *shared); }, unary);
}

const MethodTable::Method* MethodTable::find(std::string_view path) const {
  const auto it = methods_.find(path);
  return it == methods_.end() ? nullptr : &it->second;
}

std::vector<std::string> MethodTable::services() const {
  std::set<std::string> names;
  for (const auto& [path, method] : methods_) {
    const size_t end = path.rfind('/');
    if (end > 1 && end != std::string::npos) names.insert(path.substr(1, end - 1));
  }
  return {names.begin(), names.end()};
}

}  // namespace monitor::grpc
