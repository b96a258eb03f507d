// What a spool's folder holds, for people. Reads; changes nothing, takes no lock: an agent may be using it.
#pragma once

#include <string>

#include "base/disk.h"
#include "base/result.h"

namespace monitor::agent {

enum class Inspect {
  kOverview,  // headers and seals
  kVerify,    // every byte
};

struct InspectReport {
  std::string text;      // lines, each with its end
  bool damaged = false;  // kVerify: something does not check
};

// An error: the folder cannot be listed.
Result<InspectReport> inspect_spool(FileDisk& disk, const std::string& folder, Inspect how);

}  // namespace monitor::agent
