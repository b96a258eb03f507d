// Which interfaces the sum includes, and its values while interfaces come, go, and restart their counters.
#include "inputs/proc/net.h"

#include <gtest/gtest.h>

#include <map>

#include "base/clock.h"
#include "inputs/proc/testing/folder.h"

namespace monitor::agent {
namespace {

class Net : public ::testing::Test {
 protected:
  Net() {
    config::MetricSelection in{"net in"};
    in.flags = {"counters", "per_interface"};
    net_.configure({in, {"net out"}});
  }
  // The totals received and sent by each interface, one second after the last reading.
  void read(const std::vector<std::tuple<std::string, uint64_t, uint64_t>>& interfaces) {
    std::string text = "head\nhead\n";
    for (const auto& [name, received, sent] : interfaces) {
      text += name + ": " + std::to_string(received) + " 1 0 0 0 0 0 0 " + std::to_string(sent) + " 1 0 0 0 0 0 0\n";
    }
    read_text(text);
  }
  void read_text(const std::string& text) {
    folder_.write("proc/net/dev", text);
    mono_ns_ += kNanosPerSecond;
    tick_.points.clear();
    TickBuilder out(table_, tick_);
    EXPECT_TRUE(net_.collect({0, mono_ns_}, out));
  }
  void sysfs(const std::string& name, const std::map<std::string, std::string>& files) const {
    folder_.write("sys/class/net/" + name + "/operstate", "up\n");
    for (const auto& [file, text] : files) folder_.write("sys/class/net/" + name + "/" + file, text);
  }
  void master(const std::string& name, const std::string& of) const {
    folder_.link("sys/class/net/" + name + "/master", "../" + of);
    folder_.link("sys/class/net/" + of + "/lower_" + name, "../" + name);
  }
  double in() const { return value_of(table_, tick_, "system.network.io.rate{network.io.direction=receive}"); }
  double out() const { return value_of(table_, tick_, "system.network.io.rate{network.io.direction=transmit}"); }
  double counted() const { return value_of(table_, tick_, "system.network.io{network.io.direction=receive}"); }
  double in(const std::string& name) const {
    return value_of(table_, tick_,
                    "system.network.io.rate{network.interface.name=" + name + ",network.io.direction=receive}");
  }
  // The growth of the sum of received bytes if each of `names` receives its own power of two.
  double counts(const std::vector<std::string>& names) {
    std::vector<std::tuple<std::string, uint64_t, uint64_t>> interfaces;
    base_ += 1'000'000;
    for (const auto& name : names) interfaces.emplace_back(name, base_, 0);
    read(interfaces);
    for (size_t i = 0; i < names.size(); ++i) std::get<1>(interfaces[i]) += 1U << i;
    read(interfaces);
    return in();
  }

  Folder folder_;
  NetCollector net_{folder_.roots()};
  metrics::SeriesTable table_{1000};
  metrics::Tick tick_;
  int64_t mono_ns_ = kNanosPerSecond;
  uint64_t base_ = 0;
};

TEST_F(Net, CountsErrorsAndDroppedPackets) {
  net_.configure({{"net errors"}});
  read_text("head\nhead\nlo: 1 1 9 9 0 0 0 0 1 1 9 9 0 0 0 0\neth0: 1 1 5 7 0 0 0 0 1 1 2 3 0 0 0 0\n");
  read_text("head\nhead\nlo: 1 1 99 99 0 0 0 0 1 1 99 99 0 0 0 0\neth0: 1 1 15 8 0 0 0 0 1 1 2 203 0 0 0 0\n");
  const auto value = [this](const std::string& series) { return value_of(table_, tick_, "system.network." + series); };
  EXPECT_EQ(value("errors.rate{network.io.direction=receive}"), 10);
  EXPECT_EQ(value("errors.rate{network.io.direction=transmit}"), 0);
  EXPECT_EQ(value("packet.dropped.rate{network.io.direction=receive}"), 1);
  EXPECT_EQ(value("packet.dropped.rate{network.io.direction=transmit}"), 200);
  EXPECT_EQ(tick_.points.size(), 4U) << "and no bytes, which are not selected";
}

TEST_F(Net, OmitsBridgesAndTheirPortsInAContainer) {
  sysfs("br0", {{"bridge/bridge_id", "x\n"}});
  sysfs("venet0", {{"ifindex", "2\n"}});
  sysfs("veth1", {{"master/ifindex", "3\n"}});
  EXPECT_EQ(counts({"lo", "venet0", "br0", "veth1"}), 2);
}

TEST_F(Net, WithoutDevicesMembersOfABondCountInsteadOfTheBond) {
  sysfs("eth0", {});
  sysfs("eth1", {});
  sysfs("bond0", {{"bonding/mode", "x\n"}});
  sysfs("bond0.7", {});
  master("eth0", "bond0");
  master("eth1", "bond0");
  folder_.link("sys/class/net/bond0.7/lower_bond0", "../bond0");
  EXPECT_EQ(counts({"eth0", "eth1", "bond0", "bond0.7"}), 3);
}

TEST_F(Net, WithoutDevicesTunnelsCountOnlyIfNothingElseExists) {
  sysfs("eth0", {{"type", "1\n"}});
  sysfs("tun0", {{"type", "65534\n"}, {"tun_flags", "0x1001\n"}});
  sysfs("wg0", {{"type", "65534\n"}, {"uevent", "DEVTYPE=wireguard\nINTERFACE=wg0\n"}});
  sysfs("vxlan.calico", {{"type", "1\n"}, {"uevent", "DEVTYPE=vxlan\n"}});
  EXPECT_EQ(counts({"eth0", "tun0", "wg0", "vxlan.calico"}), 1);
  EXPECT_EQ(counts({"tap0"}), 1) << "a container whose only interface is a tap";
}

TEST_F(Net, BridgeCountsIfAllInterfacesAreItsPorts) {
  sysfs("br0", {{"bridge/bridge_id", "x\n"}});
  sysfs("eth0", {{"brport/state", "3\n"}});
  master("eth0", "br0");
  EXPECT_EQ(counts({"lo", "br0", "eth0"}), 2);
}

TEST_F(Net, CountsOneEndOfAVethPair) {
  sysfs("a", {{"ifindex", "4\n"}, {"iflink", "5\n"}});
  sysfs("b", {{"ifindex", "5\n"}, {"iflink", "4\n"}});
  sysfs("eth0", {{"ifindex", "2\n"}, {"iflink", "5\n"}});
  EXPECT_EQ(counts({"a", "b", "eth0"}), 5) << "eth0's other end is in another namespace";
}

TEST_F(Net, CountsDevicesButNotWhatIsStackedOnThem) {
  for (const char* name : {"eth0", "eth1"}) sysfs(name, {{"device/vendor", "x\n"}});
  sysfs("bond0", {{"bonding/mode", "x\n"}});
  master("eth0", "bond0");
  sysfs("eth1.10", {});
  folder_.link("sys/class/net/eth1.10/lower_eth1", "../eth1");
  sysfs("docker0", {{"bridge/bridge_id", "x\n"}});
  EXPECT_EQ(counts({"eth0", "eth1", "bond0", "eth1.10", "docker0", "veth9"}), 3);
}

TEST_F(Net, CountsAVirtualFunctionThroughItsFailoverInterface) {
  for (const char* name : {"eth0", "enP1s1"}) sysfs(name, {{"device/vendor", "x\n"}});
  master("enP1s1", "eth0");
  EXPECT_EQ(counts({"eth0", "enP1s1"}), 1);
}

TEST_F(Net, CountsSwitchPortsThroughTheirConduit) {
  for (const char* name : {"eth0", "lan1", "lan2"}) sysfs(name, {{"device/vendor", "x\n"}});
  sysfs("br-lan", {{"bridge/bridge_id", "x\n"}});
  for (const char* name : {"lan1", "lan2"}) {
    folder_.link(std::string("sys/class/net/") + name + "/lower_eth0", "../eth0");
    master(name, "br-lan");
  }
  EXPECT_EQ(counts({"eth0", "lan1", "lan2", "br-lan"}), 1);
}

TEST_F(Net, OmitsMonitorInterfacesOfARadio) {
  sysfs("wlan0", {{"device/vendor", "x\n"}, {"type", "1\n"}});
  sysfs("mon0", {{"device/vendor", "x\n"}, {"type", "803\n"}});
  EXPECT_EQ(counts({"wlan0", "mon0"}), 1);
}

TEST_F(Net, RecognizesALoopbackByItsType) {
  sysfs("lo", {{"type", "1\n"}});
  sysfs("loop", {{"type", "772\n"}});
  EXPECT_EQ(counts({"lo", "loop", "eth0"}), 5);
}

TEST_F(Net, NoticesThatAnInterfaceBecameAMember) {
  sysfs("eth0", {});
  sysfs("veth1", {});
  sysfs("br0", {{"bridge/bridge_id", "x\n"}});
  EXPECT_EQ(counts({"eth0", "veth1", "br0"}), 3);
  master("veth1", "br0");
  for (int i = 0; i < 6; ++i) counts({"eth0", "veth1", "br0"});
  EXPECT_EQ(counts({"eth0", "veth1", "br0"}), 1) << "the names are the same, but the links changed";
}

TEST_F(Net, FallingCounterMakesTheSumUnknownForOneTick) {
  for (const char* name : {"eth0", "eth1"}) sysfs(name, {{"device/vendor", "x\n"}});
  read({{"eth0", 4'294'967'290, 0}, {"eth1", 0, 0}});
  read({{"eth0", 90, 10}, {"eth1", 500, 0}});
  EXPECT_TRUE(std::isnan(in("eth0")));
  EXPECT_EQ(in("eth1"), 500);
  EXPECT_TRUE(std::isnan(in())) << "not 500, because the rest is unknown";
  EXPECT_EQ(out(), 10) << "the other direction is known";
  read({{"eth0", 290, 10}, {"eth1", 500, 0}});
  EXPECT_EQ(in("eth0"), 200);
  EXPECT_EQ(in(), 200);
}

TEST_F(Net, RestoredCounterIsNoGrowth) {
  sysfs("eth0", {{"device/vendor", "x\n"}});
  const uint64_t all = 5'000'000'000;
  const std::pair<uint64_t, double> readings[] = {{all, NAN}, {all + 10, 10}, {0, NAN}, {all + 20, NAN}, {all + 30, 10},
                                                  {7, NAN},   {17, 10},       {27, 10}, {all + 90, NAN}, {all + 95, 5}};
  for (const auto& [counter, expected] : readings) {
    read({{"eth0", counter, 0}});
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(in())) << counter;
    } else {
      EXPECT_EQ(in(), expected) << counter;
    }
  }
}

TEST_F(Net, ImpossibleGrowthHasNoValue) {
  read({{"eth0", 10, 0}});
  read({{"eth0", 5'000'000'000'000'000, 0}});
  EXPECT_TRUE(std::isnan(in()));
  read({{"eth0", 5'000'000'000'000'010, 0}});
  EXPECT_EQ(in(), 10);
}

TEST_F(Net, CounterOfTheSumNeverFallsAndGrowsWithItsMembers) {
  for (const char* name : {"eth0", "eth1"}) sysfs(name, {{"device/vendor", "x\n"}});
  read({{"eth0", 1'000'000, 0}, {"eth1", 5'000'000'000, 0}});
  EXPECT_EQ(counted(), 5'001'000'000);
  read({{"eth0", 1'001'000, 0}, {"eth1", 5'000'001'000, 0}});
  EXPECT_EQ(counted(), 5'001'002'000);
  folder_.remove("sys/class/net/eth1");
  read({{"eth0", 1'002'000, 0}});
  EXPECT_EQ(counted(), 5'001'003'000);
  EXPECT_EQ(in(), 1000);
  sysfs("eth1", {{"device/vendor", "x\n"}});
  read({{"eth0", 1'003'000, 0}, {"eth1", 5'000'003'000, 0}});
  EXPECT_EQ(counted(), 5'001'004'000);
  EXPECT_EQ(in(), 1000) << "traffic before it was seen again belongs to no rate";
  read({{"eth0", 1'004'000, 0}, {"eth1", 5'000'004'000, 0}});
  EXPECT_EQ(counted(), 5'001'006'000);
  EXPECT_EQ(in(), 2000);
}

TEST_F(Net, HasNoSumIfNoInterfaceIsKnown) {
  read({{"eth0", 10, 0}});
  read({{"eth1", 10, 0}});
  EXPECT_TRUE(std::isnan(in()));
  read({{"lo", 10, 0}});
  EXPECT_EQ(in(), 0) << "a host with only a loopback receives nothing";
}

TEST_F(Net, MalformedLineDoesNotAffectOthers) {
  const auto text = [](int eth1) {
    return "head\nhead\neth0: what\nno colon\n eth0:1: 7 0 0 0 0 0 0 0 0 0\n  eth1:" + std::to_string(eth1) +
           " 0 0 0 0 0 0 0 9 0 0 0 0 0 0 0 77 78\nwith space: 1 0 0 0 0 0 0 0 1\nhuge: 18446744073709551615 0 0 0 0 0 "
           "0 0 1\n";
  };
  read_text(text(10));
  read_text(text(35));
  EXPECT_EQ(in("eth1"), 25);
  EXPECT_EQ(in("eth0:1"), 0);
  EXPECT_EQ(in("with space"), 0);
  EXPECT_TRUE(std::isnan(in("eth0")));
  EXPECT_TRUE(std::isnan(in("huge")));
}

}  // namespace
}  // namespace monitor::agent
