// `monitor doctor`: its options, and the wiring of src/doctor/.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "bin/common/cli.h"
#include "bin/doctor/doctor_flags.h"
#include "doctor/peers.h"

namespace monitor {

struct DoctorCommandFlags {
  DoctorFlags look;
  std::string format = "text";
  bool list = false;
  std::vector<std::string> only;
  int64_t timeout_ns = 15 * kNanosPerSecond;
};

CLI::App* declare_doctor(CLI::App& app, DoctorCommandFlags& flags);
// Returns the exit status: 0 if nothing fails (warnings are no failures), 1 if something does, 64 for wrong options.
// May end the process instead, when a check hangs.
int run_doctor(const Cli& cli, DoctorCommandFlags& flags, const std::string& program_folder);

// The peers of the real world, with the credentials of the flags for the configuration.
std::shared_ptr<doctor::Peers> make_peers(const DoctorFlags& flags, const std::string& program_folder);

}  // namespace monitor
