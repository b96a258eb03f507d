// Whole hosts: trees of /proc and /sys at two times, one second apart, and the exact values expected from them.
// tests/fixtures/hosts/generate.py generates the trees and the values.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "base/clock.h"
#include "base/testing/fake_clock.h"
#include "inputs/proc/host_source.h"

namespace monitor::agent {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// Copies a tree over another one. Existing files keep their inode, as the kernel's files do.
void overlay(const fs::path& from, const fs::path& to) {
  if (!fs::exists(from)) return;
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    const fs::path target = to / fs::relative(entry.path(), from);
    if (entry.is_directory()) {
      fs::create_directories(target);
    } else {
      std::ofstream(target, std::ios::binary | std::ios::trunc) << slurp(entry.path());
    }
  }
}

std::vector<config::MetricSelection> selections(const json& metrics) {
  std::vector<config::MetricSelection> result;
  for (const json& entry : metrics) {
    config::MetricSelection one;
    one.name = entry.is_string() ? entry.get<std::string>() : entry.at("name").get<std::string>();
    if (entry.is_object()) {
      for (const auto& [option, value] : entry.items()) {
        if (value.is_boolean() && value.get<bool>()) one.flags.insert(option);
      }
    }
    result.push_back(one);
  }
  return result;
}

class Hosts : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path().string() + "/hosts-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    fs::create_directories(root_ / "proc");
    fixture_ = fs::path(MONITOR_SOURCE_DIR) / "tests/fixtures/hosts" / GetParam();
  }
  void TearDown() override { fs::remove_all(root_); }

  fs::path root_;
  fs::path fixture_;
};

TEST_P(Hosts, ReadsExactlyTheExpectedValues) {
  const json host = json::parse(slurp(fixture_ / "host.json"));
  overlay(fixture_ / "before", root_);
  FakeClock clock;
  metrics::SeriesTable table;
  HostSource source({root_ / "proc", root_ / "sys"}, table, clock);
  source.configure(1, selections(host.at("metrics")));
  source.baseline({clock.wall_ns(), clock.mono_ns()});
  overlay(fixture_ / "after", root_);
  clock.advance(kNanosPerSecond);
  metrics::Tick tick;
  EXPECT_EQ(source.collect(1, {clock.wall_ns(), clock.mono_ns()}, tick), 0U);
  for (const auto& [name, state] : source.states()) EXPECT_EQ(state.error, "") << name;

  std::map<std::string, double> got;
  for (const auto& point : tick.points) {
    EXPECT_TRUE(got.emplace(metrics::to_string(table.at(point.series)), table.value(point)).second)
        << "twice: " << metrics::to_string(table.at(point.series));
  }
  const auto expected = host.at("expected").get<std::map<std::string, double>>();
  for (const auto& [name, value] : expected) {
    ASSERT_TRUE(got.contains(name)) << name;
    EXPECT_DOUBLE_EQ(got[name], value) << name;
  }
  for (const auto& [name, value] : got)
    EXPECT_TRUE(expected.contains(name)) << "not expected: " << name << " = " << value;
}

INSTANTIATE_TEST_SUITE_P(All, Hosts,
                         ::testing::Values("laptop", "server-128-cores", "container", "300-disks", "md-and-dm",
                                           "counter-wrap", "odd-names"),
                         [](const auto& param_info) {
                           std::string name = param_info.param;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace monitor::agent
