#include "doctor/checks/days_left.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/time_format.h"

namespace monitor::doctor {

namespace {

constexpr int64_t kDay = int64_t{86400} * kNanosPerSecond;

std::string life_text(int64_t ns) {
  return ns >= 2 * kDay ? fmt::format("{} days", ns / kDay)
                        : fmt::format("{:.1f} hours", static_cast<double>(ns) / (3600.0 * kNanosPerSecond));
}

}  // namespace

Finding judge_validity(const std::string& name, const CertificateFacts& certificate, int64_t now_ns) {
  const std::string who = fmt::format("{} ({})", name, certificate.name());
  if (now_ns < certificate.not_before_ns) {
    return fail(fmt::format("{} is not valid before {}", who, format_rfc3339(certificate.not_before_ns, 0)),
                "see the check clock; if the clocks are right, wait, or issue another certificate");
  }
  const int64_t left = elapsed_ns(now_ns, certificate.not_after_ns);
  if (left <= 0) {
    return fail(fmt::format("{} has expired at {}", who, format_rfc3339(certificate.not_after_ns, 0)),
                "issue another certificate, and put it in place of this file");
  }
  const int64_t life = elapsed_ns(certificate.not_before_ns, certificate.not_after_ns);
  const int64_t early = certificate.authority ? 90 * kDay : 14 * kDay;
  if (left < std::min(life / 5, early)) {
    return warn(
        fmt::format("{} expires in {}, at {}", who, life_text(left), format_rfc3339(certificate.not_after_ns, 0)),
        certificate.authority ? "renew it now: what it has signed is refused afterwards" : "renew it now");
  }
  return ok(fmt::format("{} is valid for another {}", who, life_text(left)));
}

}  // namespace monitor::doctor
