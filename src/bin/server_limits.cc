#include "bin/server_limits.h"

#include <fmt/format.h>

#include "base/size_format.h"
#include "base/time_format.h"
#include "bin/common/cli.h"

namespace monitor {

namespace {

constexpr uint64_t kLeastRate = 64 * 1024;

constexpr int64_t kLeastAge = 100 * kNanosPerMilli;
constexpr int64_t kLeastReload = 10 * kNanosPerMilli;

}  // namespace

void add_rotation_options(CLI::App& app, RotationFlags& flags) {
  add_duration(app, "--max-connection-age", flags.max_age_ns,
               "Ask an agent to connect again when its connection has this age (10 % more or less), so that it uses "
               "new certificates; no batch is lost or sent twice; 0: never")
      ->default_str("1h");
  add_duration(app, "--tls-reload-interval", flags.reload_ns,
               "How often to look whether the TLS files have changed; new connections use changed ones")
      ->default_str("2s");
}

std::string check_rotation_flags(const RotationFlags& flags) {
  if (flags.max_age_ns != 0 && flags.max_age_ns < kLeastAge) {
    return fmt::format("--max-connection-age: got {}, expected 100ms or more, or 0 for never",
                       format_duration(flags.max_age_ns));
  }
  if (flags.reload_ns >= kLeastReload) return "";
  return fmt::format("--tls-reload-interval: got {}, expected 10ms or more", format_duration(flags.reload_ns));
}

void add_identity_options(CLI::App& app, IdentityFlags& flags) {
  app.add_option("--max-rate-per-agent", flags.rate,
                 "Bytes of batches that an agent may send per second, each batch counting as its size plus 1KiB; an "
                 "agent beyond a limit is slowed, others are not; 0: no limit")
      ->type_name("SIZE");
  app.add_option("--max-batches-per-agent", flags.limits.batches,
                 "Batches of an agent that may wait for the log; 0: no limit")
      ->type_name("N")
      ->check(CLI::Range(0, 10'000'000));
  app.add_option("--max-series-per-agent", flags.limits.series,
                 "Different series that an agent may send within an hour; 0: no limit")
      ->type_name("N")
      ->check(CLI::Range(0, 100'000'000));
  app.add_option("--max-streams-per-agent", flags.limits.streams,
                 "Streams that an agent may have; further ones are refused; 0: no limit")
      ->type_name("N")
      ->check(CLI::Range(0, 1'000'000));
}

std::string check_identity_flags(const IdentityFlags& flags, server::IdentityLimits& limits) {
  const auto rate = parse_size(flags.rate);
  if (!rate) return "--max-rate-per-agent: " + rate.error().message();
  if (*rate != 0 && *rate < kLeastRate) {
    return fmt::format("--max-rate-per-agent: got {}, expected at least {}, or 0 for no limit", format_size(*rate),
                       format_size(kLeastRate));
  }
  limits = flags.limits;
  limits.bytes_per_second = *rate;
  return "";
}

}  // namespace monitor
