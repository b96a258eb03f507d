// The command line of `monitor up`: its options, defaults and validation. For the start of the program, on one thread.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bin/common/cli.h"
#include "bin/common/etcd_flags.h"

namespace monitor {

struct UpFlags {
  std::string agent_id;
  std::string duration;
  std::optional<uint16_t> port;  // nothing: the default port, or a free one if it is in use
  std::string interval;
  std::string format = "table";
  std::string http;  // http and web; empty: the default address, or a free port if it is in use
  std::string web;
  std::string web_users;
  std::string web_tls_cert;
  std::string web_tls_key;
  bool web_insecure = false;
  std::string kafka;
  std::vector<std::string> groups;
  std::vector<std::string> rules;  // files and folders
  std::string notify;              // the configuration of notifications
  std::string external_url;        // of the web page; empty: by its address
  EtcdFlags etcd;
  OptionalValue simulate;
};

// `flags` must outlive `cli`.
CLI::App* declare_up(Cli& cli, UpFlags& flags);

// Validates the options that need nothing of this machine. Fills in `duration_ns`; 0: run until stopped. Returns an
// error text, or an empty string.
std::string check_up_flags(const UpFlags& flags, int64_t& duration_ns);

}  // namespace monitor
