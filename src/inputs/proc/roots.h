// Locations of the kernel's files: /proc and /sys, or other folders in tests and in a container that observes its host.
#pragma once

#include <string>
#include <string_view>

namespace monitor::agent {

struct Roots {
  std::string procfs = "/proc";
  std::string sysfs = "/sys";
  std::string rootfs = {};  // mount point of the host's root; empty: derived from procfs

  // The path of a file that differs by namespace: "mountinfo", and "net/dev" and other files of the network namespace.
  // /proc shows the namespaces of the process that reads it. A procfs mounted elsewhere is that of the host, seen from
  // a container: the host's namespaces are those of its first process, <procfs>/1/NAME. A copied tree may lack that
  // process; then the file is read where /proc would have it. A real procfs never falls back, so that its error says
  // what is missing.
  std::string host_namespace_path(std::string_view name) const;
  // The path of a file of the observed host, such as "/etc/passwd".
  std::string host_path(std::string_view path) const;
};

}  // namespace monitor::agent
