// RealHost: this host, by system calls. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "doctor/host.h"

namespace monitor::doctor {

class RealHost final : public Host {
 public:
  int64_t wall_ns() const override;
  std::optional<bool> clock_synchronized() override;
  uid_t user() const override;
  Result<std::string> read_file(const std::string& path, size_t max_bytes) override;
  Result<FileFacts> look(const std::string& path) override;
  Status folder_trusted(const std::string& path, const std::string& what) override;
  KernelFacts kernel() override;
  Result<DiskRoom> room(const std::string& folder) override;
  Result<DiskSpeed> speed(const std::string& folder) override;
  std::vector<ProgramSight> programs(const std::string& folder, int64_t timeout_ns) override;
};

}  // namespace monitor::doctor
