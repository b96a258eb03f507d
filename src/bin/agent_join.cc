#include "bin/agent_join.h"

#include <unistd.h>

#include <utility>

#include "base/log.h"
#include "base/trust.h"
#include "grpc/channel.h"
#include "grpc/tls.h"
#include "outputs/stream/uplink.h"

namespace monitor {

namespace {

constexpr int64_t kRetryAfter = 5 * kNanosPerSecond;

std::string identity_folder(const std::string& folder) { return folder + "/identity"; }

}  // namespace

bool has_joined(const std::string& folder) {
  return access(identity::IdentityPaths(identity_folder(folder)).identity.c_str(), F_OK) == 0;
}

AgentJoin::AgentJoin(EventLoop& loop, Random& random, AgentJoinOptions options)
    : loop_(loop),
      options_(std::move(options)),
      resolver_(loop),
      worker_(loop),
      refresher_(loop, grpc::kTlsReloadInterval),
      client_(loop, random, disk_, worker_, *this,
              {identity_folder(options_.folder), options_.agent_id, options_.token_file, options_.servers}) {}

AgentJoin::~AgentJoin() { loop_.cancel_timer(retry_timer_); }

Status AgentJoin::open() {
  const std::string folder = identity_folder(options_.folder);
  if (Status made = make_trusted_folder(disk_, folder, "the folder of the agent's certificate"); !made) return made;
  if (Status opened = client_.open(); !opened) return opened;
  return client_.joined() ? load_contexts() : Status();
}

void AgentJoin::start(std::function<void()> ready) {
  ready_ = std::move(ready);
  client_.start([this] { use_identity(); });
}

void AgentJoin::use_identity() {
  loop_.cancel_timer(std::exchange(retry_timer_, 0));
  if (const Status loaded = load_contexts(); !loaded) {
    log_error("cannot use the new certificate; trying again", {{"reason", loaded.error()}});
    // Output starts when every server has a context: without one, a server would be called in plain text.
    retry_timer_ = loop_.call_after(kRetryAfter, [this] {
      retry_timer_ = 0;
      use_identity();
    });
    return;
  }
  if (auto call = std::exchange(ready_, nullptr)) call();
}

std::string AgentJoin::name_of(const HostPort& server) const {
  return options_.server_name.empty() ? server.host : options_.server_name;
}

Status AgentJoin::load_contexts() {
  const identity::IdentityPaths& paths = client_.paths();
  for (const HostPort& server : options_.servers) {
    if (const auto found = contexts_.find(server.host); found != contexts_.end()) {
      if (const Status loaded = found->second->reload(); !loaded) return loaded;
      continue;
    }
    grpc::TlsClientOptions tls;
    tls.ca_file = paths.ca;
    tls.server_name = name_of(server);
    tls.certificate_file = paths.identity;
    tls.key_file = paths.identity;
    // Expiry is not watched here: the client renews the certificate, and reports it if it cannot.
    auto context = grpc::ReloadingSecurity::create({.what = "for server " + server.host,
                                                    .files = {tls.ca_file, tls.certificate_file},
                                                    .load = [tls] { return grpc::TlsClientContext::load(tls); },
                                                    .certificate = ""},
                                                   loop_.clock());
    if (!context) return context.error();
    refresher_.add(*context);
    contexts_[server.host] = std::move(*context);
  }
  return {};
}

std::shared_ptr<const grpc::SecurityContext> AgentJoin::security(const std::string& host) const {
  const auto found = contexts_.find(host);
  return found == contexts_.end() ? nullptr : found->second;
}

Result<std::unique_ptr<grpc::CallStarter>> AgentJoin::first_contact(const HostPort& server, const std::string& pin) {
  grpc::TlsClientOptions tls;
  tls.ca_pin = pin;
  tls.server_name = name_of(server);
  auto context = grpc::TlsClientContext::load(tls);
  if (!context) return context.error();
  return connect(server, std::move(*context));
}

Result<std::unique_ptr<grpc::CallStarter>> AgentJoin::authenticated(const HostPort& server) {
  auto context = security(server.host);
  // A token must never be sent without TLS, and neither must anything else of this agent.
  if (context == nullptr) return Error(Code::kFailedPrecondition, "the stored certificate could not be loaded");
  return connect(server, std::move(context));
}

std::unique_ptr<grpc::CallStarter> AgentJoin::connect(const HostPort& server,
                                                      std::shared_ptr<const grpc::SecurityContext> security) {
  grpc::ChannelOptions options;
  options.host = server.host;
  options.port = server.port;
  options.security = std::move(security);
  return std::make_unique<grpc::Channel>(loop_, resolver_, options);
}

JoiningOutput::JoiningOutput(AgentJoin& join, Timers& timers, std::unique_ptr<agent::Output> stream)
    : join_(join), timers_(timers), stream_(std::move(stream)) {}

void JoiningOutput::start() {
  join_.start([this] {
    started_ = true;
    stream_->start();
  });
}

void JoiningOutput::wake() {
  if (started_) stream_->wake();
}

void JoiningOutput::drain(std::function<void()> done) {
  if (started_) return stream_->drain(std::move(done));
  timers_.call_after(0, std::move(done));
}

agent::OutputState JoiningOutput::state() const {
  agent::OutputState state = stream_->state();
  const std::string& problem = join_.client().problem();
  if (!started_ || !join_.client().joined()) state.problem = problem;
  if (!started_) state.ready = false;
  if (state.warning.empty()) state.warning = problem;
  state.certificate = {join_.client().valid_from_ns() / kNanosPerSecond, join_.client().expires_ns() / kNanosPerSecond};
  return state;
}

std::vector<agent::OutputMetric> JoiningOutput::metrics() const {
  using Kind = agent::OutputMetric::Kind;
  auto metrics = stream_->metrics();
  const identity::EnrollmentStats& stats = join_.client().stats();
  metrics.push_back({"joined", "1 while the agent has a valid certificate, and no server refuses it", Kind::kGauge,
                     join_.client().joined() && !stream_->state().refused ? 1U : 0U});
  metrics.push_back({"certificate_expiry_timestamp_seconds", "When the agent's certificate expires", Kind::kGauge,
                     static_cast<uint64_t>(join_.client().expires_ns() / kNanosPerSecond)});
  metrics.push_back({"enrollments_total", "Certificates received for a join token", Kind::kCounter, stats.enrolled});
  metrics.push_back({"certificate_renewals_total", "Certificates renewed", Kind::kCounter, stats.renewed});
  metrics.push_back(
      {"certificate_failures_total", "Failed attempts to join or to renew", Kind::kCounter, stats.failures});
  return metrics;
}

void JoiningOutput::set_on_warning(std::function<void()> call) {
  join_.set_on_problem(call);
  stream_->set_on_warning(std::move(call));
}

}  // namespace monitor
