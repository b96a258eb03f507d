// The loop of `top` on a screen that is no terminal.
#include "ui/top/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "base/testing/fake_clock.h"
#include "base/testing/temporary_folder.h"
#include "metriclog/testing/deliveries.h"
#include "metriclog/testing/memory_log.h"
#include "metriclog/testing/timed_reader.h"
#include "metrics/encode.h"
#include "ui/top/settings.h"

namespace monitor::analysis::top {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class FakeScreen final : public Screen {
 public:
  Size size() const override { return size_; }
  bool utf8() const override { return false; }
  // After the last event, the user quits.
  Event next_event() override {
    if (drawings_ == 0) return {};
    if (events_.empty()) return {.kind = Event::Kind::kKey, .key = 'q'};
    const Event event = events_.front();
    events_.pop_front();
    return event;
  }
  void show(const std::vector<Line>& lines) override {
    ++drawings_;
    shown_.clear();
    for (const Line& line : lines) {
      for (const Span& span : line) shown_ += span.text;
      shown_ += '\n';
    }
    all_ += shown_;
  }
  // Each is followed by a drawing.
  void type(const std::string& keys) {
    for (const char key : keys) {
      events_.push_back({.kind = Event::Kind::kKey, .key = key == '\n' ? static_cast<int>(kEnter) : key});
    }
    events_.push_back({});
  }

  Size size_;
  std::deque<Event> events_;
  std::string shown_;  // the last drawing
  std::string all_;
  int drawings_ = 0;
};

class RunTest : public ::testing::Test {
 protected:
  void append(const std::string& name, double cpu) {
    metrics::Batch batch;
    batch.agent_id = name;
    batch.hostname = "host-" + name;
    batch.incarnation = std::string(metrics::kIncarnationBytes, 'i');
    batch.sequence = 1;
    batch.appended_ns = clock_.wall_ns();
    batch.send_every_ns = kNanosPerSecond;
    batch.series = {{.name = "system.cpu.utilization", .labels = {}, .unit = "1"}};
    metrics::Point point;
    point.real = cpu;
    batch.frames = {{.time_ns = clock_.wall_ns(), .rates_since_ns = 0, .points = {point}}};
    const std::pair<std::string_view, std::string_view> header{"content-type", "application/x-protobuf"};
    log_.writer().append({batch.agent_id, {&header, 1}, metrics::encode_batch(batch)}, ignore_, 1);
  }
  Status run() {
    metriclog::TimedReader reader(log_.reader({.group = "", .start = {.kind = metriclog::StartAt::Kind::kEarliest}}),
                                  clock_);
    telemetry::Registry registry;
    const TopParts parts{.reader = reader,
                         .clock = clock_,
                         .registry = registry,
                         .stop = stop_,
                         .servers = [] { return Servers{}; },
                         .alerts = [] { return AlertList{.items = {{.name = "Disk", .firing = true}}, .trouble = ""}; },
                         .unusual = []() -> std::optional<UnusualShares> { return UnusualShares{{"a", 0.25}}; },
                         .disk = disk_,
                         .settings_path = path_};
    return top::run(parts, screen_);
  }

  FakeClock clock_;
  metriclog::MemoryLog log_{clock_};
  metriclog::IgnoredDeliveries ignore_;
  TemporaryFolder folder_;
  PosixDisk disk_;
  std::string path_ = folder_.path() + "/monitor/top.json";
  std::atomic<bool> stop_ = false;
  FakeScreen screen_;
};

TEST_F(RunTest, ShowsTheLogUntilTheUserQuits) {
  append("a", 0.25);
  screen_.type("\n");
  ASSERT_TRUE(run().ok());
  EXPECT_THAT(screen_.all_, HasSubstr("1 agent"));
  EXPECT_THAT(screen_.all_, HasSubstr("1 firing"));
  EXPECT_THAT(screen_.shown_, HasSubstr("host-a")) << "Enter has opened it";
  EXPECT_THAT(screen_.shown_, HasSubstr("25.0 %"));
}

TEST_F(RunTest, JudgesAgentsByTheLogWhileItReadsThePast) {
  append("a", 0.25);
  clock_.advance(240 * kNanosPerSecond);
  ASSERT_TRUE(run().ok());
  EXPECT_THAT(screen_.all_.substr(0, screen_.all_.find("STATE")), HasSubstr("1 alive"));
  EXPECT_THAT(screen_.all_, HasSubstr("reading the log"));
  screen_ = {};
  screen_.events_.resize(12);  // nothing happens until the next drawing
  ASSERT_TRUE(run().ok());
  EXPECT_THAT(screen_.shown_, HasSubstr("1 gone"));
}

TEST_F(RunTest, EndsWithItsTerminalAndWhenItIsStopped) {
  screen_.events_ = {{.kind = Event::Kind::kGone}};
  ASSERT_TRUE(run().ok());
  stop_ = true;
  ASSERT_TRUE(run().ok());
}

TEST_F(RunTest, RemembersColumns) {
  append("a", 0.25);
  screen_.type(":columns load\n");
  ASSERT_TRUE(run().ok());
  EXPECT_EQ(parse_settings(*disk_.read_file(path_, 10'000))->columns,
            (ColumnSet{Column::kState, Column::kAgent, Column::kLoad}));
  screen_ = {};
  ASSERT_TRUE(run().ok());
  EXPECT_THAT(screen_.all_, HasSubstr("LOAD"));
  EXPECT_THAT(screen_.all_, Not(HasSubstr("CPU %")));
}

TEST_F(RunTest, IgnoresDamagedSettingsWithAMessage) {
  ASSERT_TRUE(disk_.make_folder(folder_.path() + "/monitor").ok());
  ASSERT_TRUE(disk_.write_file(path_, "{\"columns\": 7}").ok());
  append("a", 0.25);
  ASSERT_TRUE(run().ok());
  EXPECT_THAT(screen_.all_, HasSubstr("standard columns are shown"));
  EXPECT_THAT(screen_.all_, HasSubstr("CPU %"));
}

TEST_F(RunTest, SaysThatColumnsAreNotSaved) {
  path_ = "/proc/none/top.json";
  append("a", 0.25);
  screen_.type(":columns load\n");
  ASSERT_TRUE(run().ok());
  EXPECT_THAT(screen_.all_, HasSubstr("the columns are not saved"));
}

TEST_F(RunTest, PauseHoldsWhatIsShown) {
  append("a", 0.25);
  screen_.type("p");
  ASSERT_TRUE(run().ok());
  EXPECT_THAT(screen_.shown_, HasSubstr("PAUSED"));
}

}  // namespace
}  // namespace monitor::analysis::top
