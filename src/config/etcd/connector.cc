#include "config/etcd/connector.h"

#include <fmt/format.h>

#include <utility>

#include "grpc/channel.h"
#include "grpc/tls.h"

namespace monitor::config {

namespace {

class ChannelConnector final : public EtcdConnector {
 public:
  ChannelConnector(EventLoop& loop, grpc::Resolver& resolver, std::vector<grpc::ChannelOptions> endpoints)
      : loop_(loop), resolver_(resolver), endpoints_(std::move(endpoints)) {}

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
  for (const HostPort& target : targets) {
    grpc::ChannelOptions options;
    options.host = target.host;
    options.port = target.port;
    options.connect_timeout_ns = kConnectTimeout;
    options.handshake_timeout_ns = kHandshakeTimeout;
    if (address.tls) {
      auto security =
          grpc::TlsClientContext::load({address.ca_file, target.host, address.certificate_file, address.key_file});
      if (!security) return security.error();
      options.security = *security;
    }
    endpoints.push_back(std::move(options));
  }
  return std::unique_ptr<EtcdConnector>(std::make_unique<ChannelConnector>(loop, resolver, std::move(endpoints)));
}

}  // namespace monitor::config
