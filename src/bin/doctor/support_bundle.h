// `monitor support-bundle`: collects what explains a problem into one file, without secrets.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include "bin/common/cli.h"
#include "bin/doctor/doctor_flags.h"

namespace monitor {

struct SupportBundleFlags {
  DoctorFlags look;
  std::string output;                // empty: a name with host and time, in the current folder
  std::vector<std::string> metrics;  // further addresses of /metrics
};

CLI::App* declare_support_bundle(CLI::App& app, SupportBundleFlags& flags);
// Returns the exit status: 74 if the file cannot be written. May end the process instead, when a check hangs.
int make_support_bundle(const Cli& cli, SupportBundleFlags& flags, const std::string& program_folder);

}  // namespace monitor
