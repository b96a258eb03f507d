// The etcd options that all programs share, and the client built from them.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/random.h"
#include "base/result.h"
#include "bin/common/cli.h"
#include "config/etcd/connector.h"
#include "config/etcd/etcd_client.h"
#include "grpc/resolver.h"

namespace monitor {

struct EtcdFlags {
  std::string endpoints;  // HOST:PORT,...
  std::string host;       // single host, an alternative to endpoints
  uint16_t port = 0;
  std::string user;
  std::string password_file;
  std::string ca_file;
  std::string certificate_file;
  std::string key_file;
  bool insecure = false;  // the password may be sent without TLS

  // True if the options name an etcd.
  bool named() const { return !endpoints.empty() || !host.empty() || port != 0; }
  // True if any of the options was given.
  bool mentioned() const { return !arguments().empty(); }
  // The options as command line arguments for another program, and back.
  std::vector<std::string> arguments() const;
  void take(const std::vector<std::string>& arguments);
};

void add_etcd_options(CLI::App& app, EtcdFlags& flags);

// If neither `dir` nor `flags` names a store: uses that of a running `monitor up` (Cli::running) and logs it; else,
// with --data, uses <data>/monitor. Returns an error text, or an empty string.
std::string resolve_configuration(const Cli& cli, EtcdFlags& flags, std::string& dir);

// Validates the options and returns an error text, or an empty string.
std::string check_etcd_flags(const EtcdFlags& flags);

// The options in the form that clients need. Errors: the password file cannot be read.
struct EtcdAccount {
  config::EtcdAddress address;
  config::EtcdCredentials credentials;
};
Result<EtcdAccount> etcd_account(const EtcdFlags& flags);

// A client with its dependencies, on the owner's loop, which must outlive it.
struct EtcdConnection {
  explicit EtcdConnection(EventLoop& loop) : resolver(loop) {}
  SystemRandom random;
  grpc::ThreadResolver resolver;
  std::unique_ptr<config::EtcdClient> client;
};

// Default: localhost:2379. Connects with the first call. Errors: the password or a certificate file cannot be read.
Result<std::unique_ptr<EtcdConnection>> connect_etcd(EventLoop& loop, const EtcdFlags& flags);

}  // namespace monitor
