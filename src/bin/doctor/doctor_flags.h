// The options of `monitor doctor`, and what it looks at. `monitor support-bundle` shares them.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "bin/common/cli.h"
#include "bin/common/etcd_flags.h"
#include "bin/init/installed.h"
#include "doctor/setup.h"

namespace monitor {

struct DoctorFlags {
  std::string server;
  doctor::TlsFiles tls;
  EtcdFlags etcd;
  std::string config_dir;
  std::string log;
  std::string kafka;
  std::string topic;
  std::string kafka_properties_file;
  std::string page;
  std::string page_ca;
  std::string web_token_file;
  std::string spool;
  std::string agent_id;
  // No options: from the installed configuration.
  std::vector<doctor::SecretFile> further_secrets = {};
  std::vector<doctor::Folder> further_folders = {};
  std::vector<std::string> further_certificates = {};
  std::vector<std::string> further_crls = {};
};

void add_doctor_options(CLI::App& app, DoctorFlags& flags);

// Completes the flags: what is not named comes from a running `monitor up`, else from the installed configuration.
// Errors: kInvalidArgument for an address that cannot be parsed; several running systems.
Result<doctor::Setup> resolve_setup(const Cli& cli, Disk& disk, DoctorFlags& flags, const std::string& program_folder);

}  // namespace monitor
