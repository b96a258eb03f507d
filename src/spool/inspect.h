// Describes a spool's folder for people. Changes nothing, and takes no lock, because an agent may be using the folder.
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
  std::string text;      // lines, each with a newline
  bool damaged = false;  // kVerify: a checksum failed
};

// Error: the folder cannot be listed.
Result<InspectReport> inspect_spool(FileDisk& disk, const std::string& folder, Inspect how);

}  // namespace monitor::agent
