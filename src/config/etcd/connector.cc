#include "config/etcd/connector.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "grpc/channel.h"
#include "grpc/reloading_security.h"
#include "grpc/tls.h"

namespace monitor::config {

namespace {

class ChannelConnector final : public EtcdConnector {
 public:
  ChannelConnector(EventLoop& loop, grpc::Resolver& resolver, std::vector<grpc::ChannelOptions> endpoints,
                   const std::vector<std::shared_ptr<grpc::ReloadingSecurity>>& security)
      : loop_(loop), resolver_(resolver), endpoints_(std::move(endpoints)) {
    if (!security.empty()) refresher_.emplace(loop, grpc::kTlsReloadInterval);
    for (const auto& one : security) refresher_->add(one);
  }

  size_t endpoints() const override { return endpoints_.size(); }
  std::string name(size_t endpoint) const override {
    return fmt::format("{}:{}", endpoints_[endpoint].host, endpoints_[endpoint].port);
  }
  std::unique_ptr<grpc::CallStarter> open(size_t endpoint) override {
    return std::make_unique<grpc::Channel>(loop_, resolver_, endpoints_[endpoint]);
  }

 private:
  EventLoop& loop_;
  grpc::Resolver& resolver_;
  std::vector<grpc::ChannelOptions> endpoints_;
  std::optional<grpc::SecurityRefresher> refresher_;  // with TLS
};

// Configuration is not urgent, but a dead address must not delay the next one for long.
constexpr int64_t kConnectTimeout = 4 * kNanosPerSecond;
// An endpoint that has accepted the connection may only be busy; each call has its own time limit as well.
constexpr int64_t kHandshakeTimeout = 10 * kNanosPerSecond;

}  // namespace

Result<std::unique_ptr<EtcdConnector>> make_etcd_connector(EventLoop& loop, grpc::Resolver& resolver, Random& random,
                                                           EtcdAddress address) {
  auto& targets = address.endpoints;
  for (size_t i = targets.size(); i > 1; --i) std::swap(targets[i - 1], targets[random.below(i)]);
  std::vector<grpc::ChannelOptions> endpoints;
  std::vector<std::shared_ptr<grpc::ReloadingSecurity>> security;
  for (const HostPort& target : targets) {
    grpc::ChannelOptions options;
    options.host = target.host;
    options.port = target.port;
    options.connect_timeout_ns = kConnectTimeout;
    options.handshake_timeout_ns = kHandshakeTimeout;
    if (address.tls) {
      const grpc::TlsClientOptions tls{.ca_file = address.ca_file,
                                       .server_name = target.host,
                                       .certificate_file = address.certificate_file,
                                       .key_file = address.key_file};
      auto reloading = grpc::ReloadingSecurity::create({.what = "for etcd " + target.host,
                                                        .files = {tls.ca_file, tls.certificate_file, tls.key_file},
                                                        .load = [tls] { return grpc::TlsClientContext::load(tls); },
                                                        .certificate = tls.certificate_file},
                                                       loop.clock());
      if (!reloading) return reloading.error();
      options.security = *reloading;
      security.push_back(std::move(*reloading));
    }
    endpoints.push_back(std::move(options));
  }
  return std::unique_ptr<EtcdConnector>(
      std::make_unique<ChannelConnector>(loop, resolver, std::move(endpoints), security));
}

}  // namespace monitor::config
