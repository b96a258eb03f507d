// EtcdConnector: how EtcdClient opens connections. Implemented with sockets here, and in memory by tests.
//
// Thread contract: the loop's thread. Loop, resolver and random must outlive it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/random.h"
#include "base/result.h"
#include "grpc/client_call.h"
#include "grpc/resolver.h"

namespace monitor::config {

class EtcdConnector {
 public:
  virtual ~EtcdConnector() = default;
  virtual size_t endpoints() const = 0;
  // The endpoint for messages: host:port.
  virtual std::string name(size_t endpoint) const = 0;
  // Opens a connection, which may still be in progress. If it fails or is lost, its calls end with UNAVAILABLE.
  // Destroying it ends its calls without a callback.
  virtual std::unique_ptr<grpc::CallStarter> open(size_t endpoint) = 0;
};

struct EtcdAddress {
  std::vector<HostPort> endpoints;  // shuffled once, then tried in order
  // TLS is used if any of these is set. PEM files; without a CA the system's store applies.
  bool tls = false;
  std::string ca_file;
  std::string certificate_file;
  std::string key_file;
};

// Creates a connector for TCP or TLS. The loop and the resolver must outlive it. Errors: unreadable certificate files.
Result<std::unique_ptr<EtcdConnector>> make_etcd_connector(EventLoop& loop, grpc::Resolver& resolver, Random& random,
                                                           EtcdAddress address);

}  // namespace monitor::config
