// Peers: what checks ask of other programs and hosts. Thread-safe; calls block, at most for their time limit. Answers
// come from outside and are bounded in size; an implementation rejects what it cannot parse.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/net/address.h"
#include "base/result.h"
#include "doctor/certificate.h"
#include "doctor/setup.h"

namespace monitor::doctor {

// When a peer said what its clock shows. Wall-clock times of this host around the request bound the difference.
struct ClockReading {
  int64_t peer_ns = 0;
  int64_t resolution_ns = 0;  // the peer's time is between peer_ns and peer_ns + resolution_ns
  int64_t asked_ns = 0;
  int64_t answered_ns = 0;
};

struct ServerSight {
  bool serving = false;
  std::string version;  // empty: it does not say
  ClockReading clock;   // peer_ns 0: it does not say
};

struct HttpTarget {
  HostPort address;
  std::string path = "/";
  bool tls = false;
  TlsFiles files = {};
};

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers = {};  // names in lower case
  std::string body = {};
  int64_t asked_ns = 0;
  int64_t answered_ns = 0;
};

class Peers {
 public:
  virtual ~Peers() = default;
  // The server's health service over gRPC.
  virtual Result<ServerSight> server(const HostPort& address, const TlsFiles& tls, int64_t timeout_ns) = 0;
  virtual Result<HttpAnswer> http(const HttpTarget& target, int64_t timeout_ns) = 0;
  // The certificate that a TLS server presents. `alpn`: the protocol to offer; empty: none.
  virtual Result<PeerChain> certificate(const HostPort& address, const TlsFiles& tls, const std::string& alpn,
                                        int64_t timeout_ns) = 0;
  // All documents and statuses of the configuration, by key, with the options' credentials.
  virtual Result<std::map<std::string, std::string>> configuration(int64_t timeout_ns) = 0;
  // The JSON of `monitor-analysis log-settings`.
  virtual Result<std::string> log_settings(const LogSetup& log, int64_t timeout_ns) = 0;
};

}  // namespace monitor::doctor
