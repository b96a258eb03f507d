// The difference between this host's clock and its peers'.
#include "base/clock.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "doctor/checks.h"
#include "doctor/skew.h"
#include "doctor/span_text.h"

namespace monitor::doctor {

namespace {

constexpr int64_t kWarnAbove = 1 * kNanosPerSecond;
// The page shows data from further ahead with the log's time instead of its own, and certificates seem not yet valid.
constexpr int64_t kFailAbove = 300 * kNanosPerSecond;
constexpr const char* kRemedy =
    "synchronize both clocks: `timedatectl set-ntp true`, or chrony; then `chronyc tracking` shows the difference";

Finding judge(const std::string& peer, const ClockReading& reading) {
  const Skew skew = skew_of(reading);
  const std::string text =
      fmt::format("{}: its clock is {} {} this one (precision {})", peer, span_text(std::abs(skew.offset_ns)),
                  skew.offset_ns < 0 ? "behind" : "ahead of", span_text(skew.precision_ns));
  const int64_t certain = std::max<int64_t>(std::abs(skew.offset_ns) - skew.precision_ns, 0);
  if (certain > kFailAbove) return fail(text + ", limit 5m", kRemedy);
  if (certain > kWarnAbove) return warn(text + ", limit 1s", kRemedy);
  return ok(text);
}

void look_at_etcd(const Context& context, const HostPort& address, Findings& findings) {
  const auto answer = context.peers.http({address, "/version", context.setup.etcd.tls.used(), context.setup.etcd.tls},
                                         context.timeout_ns);
  const std::string name = "etcd " + address.to_string();
  if (!answer) return findings.push_back(skipped(name + " does not answer, so its clock is unknown"));
  const auto date = answer->headers.find("date");
  const auto seconds = date == answer->headers.end() ? Result<int64_t>(Error(Code::kNotFound, "no Date header"))
                                                     : parse_http_date(date->second);
  if (!seconds) return findings.push_back(skipped(name + " does not say the time: " + seconds.error().message()));
  findings.push_back(judge(name, {*seconds, kNanosPerSecond, answer->asked_ns, answer->answered_ns}));
}

Findings run(const Context& context) {
  Findings findings;
  if (const auto synchronized = context.host.clock_synchronized()) {
    findings.push_back(*synchronized ? ok("the kernel's clock is synchronized")
                                     : warn("the kernel's clock is not synchronized by NTP or PTP",
                                            "enable it: `timedatectl set-ntp true`, or install chrony. In a container "
                                            "or a virtual machine, look at the host"));
  }
  for (const HostPort& address : context.setup.servers) {
    const auto sight = context.peers.server(address, context.setup.server_tls, context.timeout_ns);
    const std::string name = "server " + address.to_string();
    if (!sight) {
      findings.push_back(skipped(name + " does not answer, so its clock is unknown"));
    } else if (sight->clock.peer_ns == 0) {
      findings.push_back(skipped(name + " does not say the time; it is older than 0.2.0"));
    } else {
      findings.push_back(judge(name, sight->clock));
    }
  }
  for (const HostPort& address : context.setup.etcd.endpoints) look_at_etcd(context, address, findings);
  return findings;
}

}  // namespace

const Check kClockCheck = {"clock", "the clock of this host against those of the servers and of etcd", run};

}  // namespace monitor::doctor
