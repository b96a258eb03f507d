// monitor-server's options for the limits of each agent (inputs/stream/identity_limits.h) and of each connection's age.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "grpc/reloading_security.h"
#include "inputs/stream/identity_limits.h"

namespace monitor {

struct IdentityFlags {
  server::IdentityLimits limits;
  std::string rate = "16MiB";
};

// Options for the age of connections and for TLS files that change.
struct RotationFlags {
  int64_t max_age_ns = 3600 * kNanosPerSecond;
  int64_t reload_ns = grpc::kTlsReloadInterval;
};

void add_rotation_options(CLI::App& app, RotationFlags& flags);
// Returns an error text, or an empty string.
std::string check_rotation_flags(const RotationFlags& flags);

void add_identity_options(CLI::App& app, IdentityFlags& flags);
// Returns an error text, or an empty string.
std::string check_identity_flags(const IdentityFlags& flags, server::IdentityLimits& limits);

}  // namespace monitor
