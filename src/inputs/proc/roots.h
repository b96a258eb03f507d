// Locations of the kernel's files: /proc and /sys, or others in tests and in a container that observes its host.
#pragma once

#include <string>
#include <string_view>

namespace monitor::agent {

struct Roots {
  std::string procfs = "/proc";
  std::string sysfs = "/sys";
  std::string rootfs = {};  // mount point of the host's root; empty: derived from procfs

  // The path of a file that differs by namespace: "net/dev" and other files of the network namespace, "mountinfo".
  // /proc shows the namespaces of the process that reads it. A procfs mounted elsewhere is another host's, seen from a
  // container: its namespaces are those of its first process, <procfs>/1/NAME. A copied tree may lack that process; it
  // is then read where /proc would have the file. A real procfs never falls back: its error says what is missing.
  std::string host_namespace_path(std::string_view name) const;
};

}  // namespace monitor::agent
