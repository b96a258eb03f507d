// Containers by their control groups: which paths are containers, the limit on their number, and how files that are
// missing or malformed are read. tests/truth compares the values of many hosts with an independent reference.
#include "inputs/proc/containers.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/clock.h"
#include "config/schema.h"
#include "inputs/proc/host_source.h"
#include "inputs/proc/sysfs.h"
#include "inputs/proc/testing/folder.h"

namespace monitor::agent {
namespace {

const std::string kId(64, 'a');
constexpr std::string_view kPod = "5f4e1c9a-77b0-4f0e-9d2b-3c1a2b3c4d5e";

ContainerIdentity identity(const std::string& path) {
  return container_of(path).value_or(ContainerIdentity{"none", {}, {}});
}

TEST(ContainerPath, NamesRuntimeAndPod) {
  EXPECT_EQ(identity("/system.slice/docker-" + kId + ".scope"), (ContainerIdentity{kId, "docker", {}}));
  EXPECT_EQ(identity("/docker/" + kId), (ContainerIdentity{kId, "docker", {}}));
  const std::string pod(kPod);
  EXPECT_EQ(identity("/kubepods/burstable/pod" + pod + "/" + kId), (ContainerIdentity{kId, "", pod}));
  EXPECT_EQ(identity("/kubepods.slice/kubepods-pod5f4e1c9a_77b0_4f0e_9d2b_3c1a2b3c4d5e.slice/cri-containerd-" + kId +
                     ".scope"),
            (ContainerIdentity{kId, "containerd", pod}));
  EXPECT_EQ(identity("/system.slice/kubepods-pod" + pod + ".slice:cri-containerd:" + kId),
            (ContainerIdentity{kId, "containerd", pod}));
  EXPECT_EQ(identity("/machine.slice/machine-debian\\x2d12.scope"),
            (ContainerIdentity{"debian-12", "systemd-nspawn", {}}));
}

TEST(ContainerPath, IsNotThatOfHelpersMachinesOrShortNumbers) {
  const std::vector<std::string> others = {"",
                                           "/",
                                           "/docker",
                                           "/system.slice/docker.service",
                                           "/machine.slice/libpod-conmon-" + kId + ".scope",
                                           "/docker/" + kId.substr(1),
                                           "/docker/" + kId + "0",
                                           "/docker/" + std::string(64, 'A'),
                                           "/machine.slice/machine-qemu\\x2d1\\x2dvm.scope",
                                           "/lxc.payload.",
                                           "/a:b:" + kId.substr(2),
                                           "::::"};
  for (const std::string& path : others) {
    EXPECT_FALSE(container_of(path).has_value()) << path;
  }
}

TEST(ContainerLabels, ParsesTheKubeletsNames) {
  std::string id;
  const auto labels = parse_pod_log_name("web-0_shop_nginx-" + kId + ".log", id);
  EXPECT_EQ(id, kId);
  EXPECT_EQ(labels,
            (metrics::Labels{{"container.name", "nginx"}, {"k8s.namespace.name", "shop"}, {"k8s.pod.name", "web-0"}}));
  for (const std::string& name :
       {std::string(".log"), "a_b_-" + kId + ".log", "a_b_c_d-" + kId + ".log", kId + ".log"}) {
    EXPECT_TRUE(parse_pod_log_name(name, id).empty()) << name;
  }
}

TEST(ContainerLabels, BoundsWhatAFileAdds) {
  std::string many = "{\"id\": {";
  for (int i = 0; i < 40; ++i) many += (i > 0 ? ", \"k" : "\"k") + std::to_string(i) + "\": \"v\"";
  const auto found = parse_label_file(many + "}}");
  EXPECT_EQ(found.at("id").size(), ContainerLabels::kMostLabels);
  EXPECT_TRUE(parse_label_file("[1]").empty());
  EXPECT_TRUE(parse_label_file("{\"id\": {\"container.id\": \"forged\", \"a b\": \"x\", \"n\": 5}}").empty() ||
              parse_label_file("{\"id\": {\"container.id\": \"forged\"}}")["id"].empty());
  EXPECT_EQ(parse_docker_name("{\"Name\": \"/web\"}"), "web");
  EXPECT_EQ(parse_docker_name("{\"Name\": 5}"), "");
  EXPECT_EQ(parse_downward_labels("a=\"x \\\"y\\\"\"\nbroken\n"), (metrics::Labels{{"k8s.pod.label.a", "x \"y\""}}));
}

TEST(CgroupFigures, AddsUpTheDevicesThatCount) {
  const auto all_but_dm = [](std::string_view device) { return !device.starts_with("253:"); };
  EXPECT_EQ(parse_io_stat("8:0 rbytes=5 wbytes=7\n253:0 rbytes=5 wbytes=7\n8:16 rbytes=1\nx\n", all_but_dm),
            (std::array<uint64_t, 2>{6, 7}));
  EXPECT_EQ(parse_io_stat("8:0 rbytes=18446744073709551615\n8:16 rbytes=5 wbytes=x\n", all_but_dm),
            (std::array<uint64_t, 2>{UINT64_MAX, 0}));
  EXPECT_EQ(parse_blkio("8:0 Read 5\n8:0 Write 6\n8:0 Total 11\nTotal 11\n", all_but_dm),
            (std::array<uint64_t, 2>{5, 6}));
  EXPECT_EQ(parse_cpu_max("50000 100000\n"), std::pair(uint64_t{50000}, uint64_t{100000}));
  EXPECT_FALSE(parse_cpu_max("max 100000\n").has_value());
  EXPECT_FALSE(parse_cpu_max("5 0\n").has_value());
}

class Containers : public ::testing::Test {
 protected:
  Containers() {
    folder_.write("sys/fs/cgroup/cgroup.controllers", "cpu memory\n");
    select(1000);
  }
  void select(int64_t most) {
    config::MetricSelection selection{"containers"};
    selection.counts["most"] = most;
    collector_.configure({selection});
  }
  static std::string path_of(int number) {
    std::string id = std::to_string(number);
    return "sys/fs/cgroup/docker/" + std::string(64 - id.size(), '0') + id;
  }
  void put(int number, uint64_t cpu_usec) {
    folder_.write(path_of(number) + "/cpu.stat", "usage_usec " + std::to_string(cpu_usec) + "\n");
    folder_.write(path_of(number) + "/memory.current", std::to_string(1000 + number) + "\n");
  }
  Status read() {
    mono_ns_ += kNanosPerSecond;
    tick_.points.clear();
    TickBuilder out(table_, tick_);
    return collector_.collect({0, mono_ns_}, out);
  }
  double value(const std::string& name) const { return value_of(table_, tick_, name); }

  Folder folder_;
  metrics::SeriesTable table_;
  metrics::Tick tick_;
  int64_t mono_ns_ = 0;
  ContainersCollector collector_{folder_.roots()};
};

TEST_F(Containers, BeyondTheLimitAreCountedAndThoseWithSeriesKeepThem) {
  for (int i = 10; i < 15; ++i) put(i, 0);
  select(3);
  ASSERT_TRUE(read().ok());
  EXPECT_EQ(value("container.count"), 5);
  EXPECT_EQ(value("container.omitted.count"), 2);
  put(1, 0);  // its path is the first one
  ASSERT_TRUE(read().ok());
  EXPECT_EQ(value("container.omitted.count"), 3);
  std::string first = path_of(1).substr(path_of(1).rfind('/') + 1);
  for (const auto& point : tick_.points) {
    EXPECT_NE(metrics::label_value(table_.at(point.series).labels, "container.id"), first);
  }
  select(100);
  ASSERT_TRUE(read().ok());
  EXPECT_EQ(value("container.omitted.count"), 0);
}

TEST_F(Containers, WithoutControlGroupsSaysWhichFilesAreMissing) {
  folder_.remove("sys/fs/cgroup");
  const Status status = read();
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message().find("cgroup.controllers"), std::string::npos) << status.error().message();
}

TEST_F(Containers, AreNoFaultOfAHostWithoutThemIfOptional) {
  folder_.remove("sys/fs/cgroup");
  SystemClock clock;
  for (const bool optional : {true, false}) {
    HostSource source(folder_.roots(), table_, clock);
    config::MetricSelection selection{"containers"};
    if (optional) selection.flags.insert(std::string(config::kOptional));
    source.configure(1, {selection});
    source.baseline({1, 1});
    tick_.points.clear();
    source.collect(1, {2, 2}, tick_);
    const CollectorState state = source.states().at("containers");
    EXPECT_EQ(state.error.empty(), optional) << state.error;
    EXPECT_EQ(state.failures, optional ? 0U : 2U);
  }
}

TEST_F(Containers, HoldNoDescriptors) {
  const auto open_files = [] { return folder_entries("/proc/self/fd").size(); };
  for (int i = 0; i < 200; ++i) put(i, 0);
  ASSERT_TRUE(read().ok());
  const size_t before = open_files();
  ASSERT_TRUE(read().ok());
  EXPECT_EQ(open_files(), before);
  EXPECT_EQ(value("container.count"), 200);
}

}  // namespace
}  // namespace monitor::agent
