// RealPeers: asks peers over sockets, and monitor-analysis as a child process, since only it has a Kafka client.
// Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "doctor/peers.h"

namespace monitor::doctor {

class RealPeers final : public Peers {
 public:
  using ReadConfiguration = std::function<Result<std::map<std::string, std::string>>(int64_t timeout_ns)>;

  // `program_folder` has monitor-analysis. `read` must be thread-safe.
  RealPeers(std::string program_folder, ReadConfiguration read)
      : program_folder_(std::move(program_folder)), read_(std::move(read)) {}

  Result<ServerSight> server(const HostPort& address, const TlsFiles& tls, int64_t timeout_ns) override;
  Result<HttpAnswer> http(const HttpTarget& target, int64_t timeout_ns) override;
  Result<PeerChain> certificate(const HostPort& address, const TlsFiles& tls, const std::string& alpn,
                                int64_t timeout_ns) override;
  Result<std::map<std::string, std::string>> configuration(int64_t timeout_ns) override { return read_(timeout_ns); }
  Result<std::string> log_settings(const LogSetup& log, int64_t timeout_ns) override;

 private:
  std::string program_folder_;
  ReadConfiguration read_;
};

}  // namespace monitor::doctor
