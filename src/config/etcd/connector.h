// How a client of etcd gets its connections: declared by EtcdClient, implemented over sockets here and in memory by
// tests. Everything on the loop's thread; loop, resolver and random must outlive it.
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
  // For people: host:port.
  virtual std::string name(size_t endpoint) const = 0;
  // A connection to it, which may still be on its way: its calls end with UNAVAILABLE when it cannot be made or is
  // lost. Destroying it ends its calls without a callback.
  virtual std::unique_ptr<grpc::CallStarter> open(size_t endpoint) = 0;
};

struct EtcdAddress {
  std::vector<HostPort> endpoints;  // tried in an order shuffled once
  // TLS is spoken when any of these is set. PEM files; without a CA the system's store is trusted.
  bool tls = false;
  std::string ca_file;
  std::string certificate_file;
  std::string key_file;
};

// Connections over TCP, or TLS. The loop and the resolver must outlive it. Errors: certificate files that cannot be
// read.
Result<std::unique_ptr<EtcdConnector>> make_etcd_connector(EventLoop& loop, grpc::Resolver& resolver, Random& random,
                                                           EtcdAddress address);

}  // namespace monitor::config
