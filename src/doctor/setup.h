// Setup: what `monitor doctor` looks at. It comes from options, from a running `monitor up`, or from the
// installed services' configuration. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/net/address.h"

namespace monitor::doctor {

// PEM files; empty: not given.
struct TlsFiles {
  std::string ca;
  std::string certificate;
  std::string key;
  std::string server_name = {};  // in place of the host's name in the address
  std::string crl = {};          // the list that revokes certificates of the peers

  bool used() const { return !ca.empty() || !certificate.empty(); }
};

struct EtcdSetup {
  std::vector<HostPort> endpoints;  // empty: the configuration is in files
  TlsFiles tls;
};

struct LogSetup {
  // Options of monitor-analysis that name the log: --log, sqlite:PATH. Empty: this host has none.
  std::vector<std::string> arguments;
  std::string sqlite_file;  // empty: Kafka
  int64_t history_ns = 0;   // how long the page keeps every tick
};

// Holds a secret: only its owner may read it.
struct SecretFile {
  std::string path;
  std::string what;       // "the web token"
  bool required = false;  // named by an option, so it must exist
};

struct Folder {
  std::string path;
  std::string what;
};

struct Setup {
  std::string source;  // for people: where this comes from
  std::vector<HostPort> servers;
  TlsFiles server_tls;  // as the agent uses them
  EtcdSetup etcd;
  LogSetup log;
  std::string page;  // http://HOST:PORT/ or https://...; empty: none
  std::string page_ca;
  std::string data;        // the data folder
  std::string config_dir;  // empty: etcd
  std::string spool;       // where the agent's batches wait
  std::vector<Folder> folders;
  std::vector<SecretFile> secrets;
  std::vector<std::string> certificates;  // files of this host that hold certificates
  std::vector<std::string> crls = {};     // files of this host that hold certificate revocation lists
  std::string program_folder;
};

}  // namespace monitor::doctor
