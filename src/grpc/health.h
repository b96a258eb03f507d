// The grpc.health.v1.Health service, for load balancers, orchestrators and grpc_health_probe.
//
// Thread contract: one object for each loop; it must outlive the servers whose methods it was added to.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "grpc/server_call.h"

namespace monitor::grpc {

enum class ServingStatus { kUnknown = 0, kServing = 1, kNotServing = 2, kServiceUnknown = 3 };

class HealthService {
 public:
  HealthService();
  ~HealthService();
  HealthService(const HealthService&) = delete;
  HealthService& operator=(const HealthService&) = delete;

  // Adds Check and Watch.
  void add_to(MethodTable& methods);
  // Metadata that answers to Check carry in addition, such as the server's version. Called for every answer.
  void set_about(std::function<Metadata()> about);
  // Sets a status and notifies watchers. "" is the server as a whole, NOT_SERVING until set.
  void set_status(const std::string& service, ServingStatus status);

 private:
  class Watch;
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace monitor::grpc
