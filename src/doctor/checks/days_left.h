// The validity of a certificate as a finding. Internal to the checks.
#pragma once

#include <string>

#include "doctor/check.h"

namespace monitor::doctor {

// `name` is the object for people: "the certificate in FILE". Fails outside the validity, warns when less than a fifth
// of it is left, at most 14 days, or 90 for the certificate of a CA: a certificate of one day is renewed within hours.
Finding judge_validity(const std::string& name, const CertificateFacts& certificate, int64_t now_ns);

}  // namespace monitor::doctor
