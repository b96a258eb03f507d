// The checks, each defined in checks/<name>.cc. Internal to this folder.
#pragma once

#include "doctor/check.h"

namespace monitor::doctor {

extern const Check kClockCheck;
extern const Check kServerCheck;
extern const Check kEtcdCheck;
extern const Check kLogCheck;
extern const Check kTopicsCheck;
extern const Check kPageCheck;
extern const Check kCertificatesCheck;
extern const Check kPeerCertificatesCheck;
extern const Check kPermissionsCheck;
extern const Check kSandboxCheck;
extern const Check kDiskSpaceCheck;
extern const Check kDiskSpeedCheck;
extern const Check kVersionsCheck;

}  // namespace monitor::doctor
