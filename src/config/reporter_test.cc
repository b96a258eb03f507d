// What an agent publishes about itself, and when.
#include "config/reporter.h"

#include <gtest/gtest.h>

#include "base/event_loop.h"
#include "base/testing/fake_clock.h"

namespace monitor::config {
namespace {

class FakePublisher final : public StatusPublisher {
 public:
  void put_status(std::string json) override { statuses.push_back(std::move(json)); }
  void put_inventory(std::string json) override { inventories.push_back(std::move(json)); }
  void stop(std::string inventory, std::function<void()> done) override {
    last_inventory = std::move(inventory);
    done();
  }
  std::string last_inventory;
  std::vector<std::string> statuses;
  std::vector<std::string> inventories;
};

struct World {
  FakeTimers timers;
  FakePublisher publisher;
  std::vector<std::string> plugins;
  int fills = 0;
  Reporter reporter{timers, {"0.2.0", "h"}, publisher, [this](AgentStatus& status, AgentInventory& inventory) {
                      ++fills;
                      status.groups = {"web"};
                      inventory.plugins = plugins;
                    }};
};

TEST(Reporter, PublishesStatusEveryTenSecondsAndInventoryEveryMinute) {
  World w;
  w.reporter.changed();
  w.timers.advance(0);
  EXPECT_EQ(w.publisher.statuses.size(), 1U);
  ASSERT_EQ(w.publisher.inventories.size(), 1U);
  const auto told = parse_inventory(w.publisher.inventories[0]);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->host, "h");
  EXPECT_EQ(told->version, "0.2.0");
  EXPECT_EQ(told->groups, std::vector<std::string>{"web"});
  w.timers.advance(59 * kNanosPerSecond);
  EXPECT_EQ(w.publisher.statuses.size(), 6U);
  EXPECT_EQ(w.publisher.inventories.size(), 1U);
  w.timers.advance(kNanosPerSecond);
  EXPECT_EQ(w.publisher.inventories.size(), 2U);
  EXPECT_EQ(w.fills, 7) << "`fill` must be called once per report";
}

TEST(Reporter, PublishesChangesOfOneTurnOnce) {
  World w;
  for (int i = 0; i < 5; ++i) w.reporter.changed();
  w.timers.advance(0);
  EXPECT_EQ(w.publisher.statuses.size(), 1U);
}

TEST(Reporter, PublishesTheInventoryWhenPluginsChange) {
  World w;
  w.reporter.changed();
  w.timers.advance(0);
  w.plugins = {"mine"};
  w.reporter.changed();
  w.timers.advance(0);
  ASSERT_EQ(w.publisher.inventories.size(), 2U);
  EXPECT_EQ(parse_inventory(w.publisher.inventories[1])->plugins, w.plugins);
}

TEST(Reporter, LastInventoryRecordsACleanStop) {
  World stopped;
  stopped.timers.advance(kNanosPerSecond);
  stopped.reporter.stop(true, [] {});
  const auto last = parse_inventory(stopped.publisher.last_inventory);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->stopped_ns, last->last_seen_ns);
  EXPECT_GT(last->stopped_ns, 0);
  World cut_short;
  cut_short.reporter.stop(false, [] {});
  EXPECT_EQ(parse_inventory(cut_short.publisher.last_inventory)->stopped_ns, 0);
}

TEST(Reporter, PublishesNothingAfterStop) {
  World w;
  w.reporter.changed();
  w.reporter.stop(true, [] {});
  w.reporter.changed();
  w.timers.advance(100 * kNanosPerSecond);
  EXPECT_TRUE(w.publisher.statuses.empty());
}

}  // namespace
}  // namespace monitor::config
