#include "doctor/checks.h"

namespace monitor::doctor {

const std::vector<const Check*>& all_checks() {
  static const std::vector<const Check*> checks = {
      &kServerCheck,      &kEtcdCheck,    &kLogCheck,          &kTopicsCheck,
      &kPageCheck,        &kClockCheck,   &kCertificatesCheck, &kPeerCertificatesCheck,
      &kPermissionsCheck, &kSandboxCheck, &kDiskSpaceCheck,    &kDiskSpeedCheck,
      &kVersionsCheck};
  return checks;
}

}  // namespace monitor::doctor
