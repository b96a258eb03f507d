// Helpers for the tests of this folder: a tree of /proc and /sys, and access to the values of a tick.
#pragma once

#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

#include "inputs/collector.h"
#include "inputs/proc/roots.h"

namespace monitor::agent {

class Folder {
 public:
  Folder() {
    std::string pattern = std::filesystem::temp_directory_path().string() + "/collect-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(path_ + "/" + name).parent_path());
    std::ofstream(path_ + "/" + name) << text;
  }
  void link(const std::string& name, const std::string& target) const {
    std::filesystem::create_directories(std::filesystem::path(path_ + "/" + name).parent_path());
    std::filesystem::create_symlink(target, path_ + "/" + name);
  }
  void remove(const std::string& name) const { std::filesystem::remove_all(path_ + "/" + name); }
  Roots roots() const { return {path_ + "/proc", path_ + "/sys", ""}; }

 private:
  std::string path_;
};

// The value of a series in a tick; NaN if the tick does not contain it.
inline double value_of(const metrics::SeriesTable& table, const metrics::Tick& tick, const std::string& name) {
  for (const auto& point : tick.points) {
    if (metrics::to_string(table.at(point.series)) == name) return table.value(point);
  }
  return std::nan("");
}

}  // namespace monitor::agent
