// The certificate of an agent that joins with a token: gets and renews it, and gives it to the output.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/event_loop.h"
#include "base/net/address.h"
#include "base/random.h"
#include "base/result.h"
#include "base/worker.h"
#include "grpc/reloading_security.h"
#include "grpc/resolver.h"
#include "identity/enrollment/client.h"
#include "outputs/output.h"

namespace monitor {

struct AgentJoinOptions {
  std::string folder;  // of the agent; the certificate is in identity/ below it
  std::string agent_id;
  std::string token_file;
  std::string server_name;  // expected in the servers' certificates; empty: each server's host
  std::vector<HostPort> servers;
};

// Whether the agent with this folder has joined before.
bool has_joined(const std::string& folder);

// On the loop's thread; destroyed before the loop.
class AgentJoin final : private identity::EnrollmentConnector {
 public:
  AgentJoin(EventLoop& loop, Random& random, AgentJoinOptions options);
  ~AgentJoin() override;

  // Before the loop runs; blocks. As EnrollmentClient::open(); also errors with the folder.
  Status open();
  // `ready` is called once: the output may connect now.
  void start(std::function<void()> ready);
  // For new connections to the server; nullptr before the agent has joined.
  std::shared_ptr<const grpc::SecurityContext> security(const std::string& host) const;
  const identity::EnrollmentClient& client() const { return client_; }
  void set_on_problem(std::function<void()> call) { client_.set_on_problem(std::move(call)); }

 private:
  Result<std::unique_ptr<grpc::CallStarter>> first_contact(const HostPort& server, const std::string& pin) override;
  Result<std::unique_ptr<grpc::CallStarter>> authenticated(const HostPort& server) override;
  std::unique_ptr<grpc::CallStarter> connect(const HostPort& server,
                                             std::shared_ptr<const grpc::SecurityContext> security);
  std::string name_of(const HostPort& server) const;
  Status load_contexts();
  void use_identity();

  EventLoop& loop_;
  const AgentJoinOptions options_;
  PosixDisk disk_;
  grpc::ThreadResolver resolver_;
  ThreadWorker worker_;
  std::map<std::string, std::shared_ptr<grpc::ReloadingSecurity>> contexts_;  // by host
  grpc::SecurityRefresher refresher_;  // of contexts_: tries again if a renewed certificate cannot be loaded at once
  std::function<void()> ready_;
  Timers::TimerId retry_timer_ = 0;
  identity::EnrollmentClient client_;
};

// An output to servers that starts when the agent has joined. Batches wait in the spool until then.
class JoiningOutput final : public agent::Output {
 public:
  // `join` and `timers` must outlive it.
  JoiningOutput(AgentJoin& join, Timers& timers, std::unique_ptr<agent::Output> stream);

  void start() override;
  void wake() override;
  void drain(std::function<void()> done) override;
  agent::OutputState state() const override;
  std::vector<agent::OutputMetric> metrics() const override;
  void set_on_warning(std::function<void()> call) override;

 private:
  AgentJoin& join_;
  Timers& timers_;
  std::unique_ptr<agent::Output> stream_;
  bool started_ = false;
};

}  // namespace monitor
