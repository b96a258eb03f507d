// The options by which every program names an etcd, and the client that they come to.
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
  std::string host;       // the seed's form of one
  uint16_t port = 0;
  std::string user;
  std::string password_file;
  std::string ca_file;
  std::string certificate_file;
  std::string key_file;

  // An etcd was named: nothing else is meant.
  bool named() const { return !endpoints.empty() || !host.empty() || port != 0; }
  // Any of the options was given.
  bool mentioned() const { return !arguments().empty(); }
  // The same options for another program's command line, and back.
  std::vector<std::string> arguments() const;
  void take(const std::vector<std::string>& arguments);
};

void add_etcd_options(CLI::App& app, EtcdFlags& flags);

// Where no place of the configuration is named by `dir` or `flags`: takes that of a running `monitor up`
// (Cli::running), and logs it; nothing runs there, and --data is named: <data>/monitor. Else nothing changes. Returns
// what is wrong.
std::string resolve_configuration(const Cli& cli, EtcdFlags& flags, std::string& dir);

// What is wrong with them beyond their form; empty when nothing is.
std::string check_etcd_flags(const EtcdFlags& flags);

// The same as what clients are made of. Errors: a password file that cannot be read.
struct EtcdAccount {
  config::EtcdAddress address;
  config::EtcdCredentials credentials;
};
Result<EtcdAccount> etcd_account(const EtcdFlags& flags);

// A client with what it needs, in the owner's loop, which must outlive it.
struct EtcdConnection {
  explicit EtcdConnection(EventLoop& loop) : resolver(loop) {}
  SystemRandom random;
  grpc::ThreadResolver resolver;
  std::unique_ptr<config::EtcdClient> client;
};

// With nothing named: localhost:2379. Errors: a password or certificate file that cannot be read. Connects later, with
// the first call.
Result<std::unique_ptr<EtcdConnection>> connect_etcd(EventLoop& loop, const EtcdFlags& flags);

}  // namespace monitor
