#include <monitor/plugin_test.hpp>

int main() {
  using monitor::sdk::Harness;
  {
    Harness harness;
    harness.start({{"value", "db"}});
    harness.add("system.cpu.utilization", 0.25);
    CHECK(harness.run());
    CHECK(harness.size() == 1);
    CHECK(harness.label("system.cpu.utilization", "team") == "db");
    CHECK(harness.value("system.cpu.utilization") == 0.25);
  }
  {
    Harness harness;
    harness.start({{"keep", "system.memory.usage"}});
    harness.add("system.cpu.utilization", 0.25);
    CHECK(!harness.run());
  }
  {
    Harness harness;
    harness.start({{"label", ""}}, false);
    CHECK(!harness.refusal().empty());
  }
  return monitor::sdk::result();
}
