// What --list-metrics says of a tree of /proc and /sys.
#include "inputs/proc/metric_list.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/testing/fake_clock.h"
#include "inputs/proc/testing/folder.h"

namespace monitor::agent {
namespace {

const SelectorOffer& offer(const std::vector<SelectorOffer>& offers, std::string_view selector) {
  return *std::ranges::find(offers, selector, &SelectorOffer::selector);
}
std::string reason(const SelectorOffer& offer, std::string_view metric) {
  const auto found = std::ranges::find(offer.missing, metric, &MissingMetric::name);
  return found == offer.missing.end() ? "" : found->reason;
}

TEST(MetricList, SaysWhatIsThereAndWhyTheRestIsMissing) {
  const Folder folder;
  folder.write("proc/loadavg", "0.5 0.6 0.7 1/200 5\n");
  folder.write("proc/pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n");
  FakeClock clock;
  const auto offers = list_offers(folder.roots(), clock, [&] { clock.advance(kNanosPerSecond); });
  const SelectorOffer& load = offer(offers, "load");
  EXPECT_EQ(load.metrics.size(), 3U);
  EXPECT_EQ(load.points, 3U);
  EXPECT_TRUE(load.missing.empty());
  EXPECT_EQ(offer(offers, "pressure").metrics, std::vector<std::string>{"system.pressure.stall"});
  EXPECT_NE(reason(offer(offers, "sensors"), "hw.temperature").find("needs hardware with sensors"), std::string::npos)
      << reason(offer(offers, "sensors"), "hw.temperature");
  EXPECT_NE(reason(offer(offers, "containers"), "container.count").find("cgroup.controllers"), std::string::npos);
  EXPECT_NE(reason(offer(offers, "uptime"), "system.uptime").find("proc/uptime"), std::string::npos);
}

TEST(MetricList, NamesTheFileThatIsMissing) {
  const Folder folder;
  folder.write("proc/pressure/io", "");
  EXPECT_NE(why_missing(folder.roots(), "`pressure/cpu`, `memory`", "").find("CONFIG_PSI"), std::string::npos);
  EXPECT_NE(why_missing(folder.roots(), "`class/powercap/*/energy_uj`", "").find("RAPL"), std::string::npos);
  EXPECT_NE(why_missing(folder.roots(), "`mdstat`", "").find("software RAID"), std::string::npos);
  EXPECT_NE(
      why_missing(folder.roots(), "`devices/system/edac/mc/mc*/x`", "").find("sys/devices/system/edac/mc does not"),
      std::string::npos);
  EXPECT_EQ(why_missing(folder.roots(), "`pressure/io`", "only on Mondays"), "only on Mondays");
  EXPECT_EQ(why_missing(folder.roots(), "", ""), "the kernel does not report it");
}

}  // namespace
}  // namespace monitor::agent
