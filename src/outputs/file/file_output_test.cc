#include "outputs/file/file_output.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/testing/fake_clock.h"
#include "base/testing/fault_disk.h"
#include "base/testing/manual_worker.h"
#include "base/text.h"
#include "metrics/encode.h"

namespace monitor::agent {
namespace {

using monitor::testing::DiskCall;
using monitor::testing::DiskFault;
using monitor::testing::DiskOp;
using monitor::testing::FaultDisk;

const std::string kPath = "/out/metrics.jsonl";

std::string batch(uint64_t sequence, size_t ticks = 1) {
  metrics::SeriesTable table;
  metrics::Series series;
  series.name = "system.cpu.utilization";
  series.unit = "1";
  const auto id = table.intern(series);
  metrics::BatchEncoder encoder(table);
  for (size_t i = 0; i < ticks; ++i) {
    metrics::Tick tick;
    tick.time_ns = static_cast<int64_t>(sequence * 10 + i) * kNanosPerSecond;
    metrics::Point point;
    point.series = *id;
    point.real = static_cast<double>(sequence) + 0.25;
    tick.points.push_back(point);
    EXPECT_TRUE(encoder.add(tick));
  }
  metrics::Envelope envelope;
  envelope.agent_id = "a";
  envelope.hostname = "h";
  envelope.incarnation = std::string(metrics::kIncarnationBytes, 'i');
  envelope.sequence = sequence;
  envelope.resource = {{"rack", "r1"}};
  return encoder.finish(envelope);
}

// A source that checks the contract: every batch that it gave out is answered exactly once.
class FakeSource final : public stream::BatchSource {
 public:
  void add(uint64_t id, std::string bytes) { waiting.push_back({id, std::move(bytes)}); }
  std::optional<stream::Outgoing> next() override {
    if (waiting.empty()) return std::nullopt;
    out.push_back(std::move(waiting.front()));
    waiting.pop_front();
    return stream::Outgoing{out.back().first, out.back().second};
  }
  void acknowledged(uint64_t id) override {
    take(id);
    stored.push_back(id);
  }
  void rejected(uint64_t id, stream::RejectedBy by, std::string_view reason) override {
    EXPECT_EQ(by, stream::RejectedBy::kOutput);
    take(id);
    refused.push_back(std::to_string(id) + " " + std::string(reason.substr(0, 8)));
  }
  void returned(uint64_t id) override { waiting.push_front(take(id)); }

  std::deque<std::pair<uint64_t, std::string>> waiting;
  std::vector<std::pair<uint64_t, std::string>> out;
  std::vector<uint64_t> stored;
  std::vector<std::string> refused;

 private:
  std::pair<uint64_t, std::string> take(uint64_t id) {
    const auto it = std::find_if(out.begin(), out.end(), [&](const auto& one) { return one.first == id; });
    EXPECT_NE(it, out.end()) << "batch " << id << " was not given out";
    auto taken = std::move(*it);
    out.erase(it);
    return taken;
  }
};

struct World {
  World() {
    EXPECT_TRUE(disk.make_folder("/out"));
    file = std::make_shared<RotatingFile>(disk, RotatingFileOptions{kPath, 1 << 20, 3});
    EXPECT_TRUE(file->open());
    output = std::make_unique<FileOutput>(file, timers, worker, random, source, "a");
  }
  std::vector<nlohmann::json> lines() {
    std::vector<nlohmann::json> result;
    const std::string content = disk.contents()[kPath];
    for (const auto& line : split(content, '\n')) {
      if (!line.empty()) result.push_back(nlohmann::json::parse(line));
    }
    return result;
  }
  std::vector<uint64_t> sequences() {
    std::vector<uint64_t> result;
    for (const auto& line : lines()) result.push_back(line["sequence"]);
    return result;
  }
  uint64_t metric(const std::string& name) {
    for (const OutputMetric& one : output->metrics()) {
      if (one.name == name) return one.value;
    }
    ADD_FAILURE() << name;
    return 0;
  }

  FaultDisk disk;
  FakeTimers timers;
  ManualWorker worker;
  SeededRandom random{1};
  FakeSource source;
  std::shared_ptr<RotatingFile> file;
  std::unique_ptr<FileOutput> output;
};

TEST(FileOutput, WritesOneLinePerTickAndAcknowledgesSyncedBatches) {
  World w;
  w.source.add(1, batch(1));
  w.source.add(2, batch(2, 2));
  w.output->start();
  EXPECT_TRUE(w.source.stored.empty()) << "nothing may be written on the loop";
  EXPECT_EQ(w.output->state().in_flight, 2U);
  w.worker.run_all();
  EXPECT_EQ(w.source.stored, (std::vector<uint64_t>{1, 2}));
  ASSERT_EQ(w.sequences(), (std::vector<uint64_t>{1, 2, 2}));
  const auto line = w.lines()[2];
  EXPECT_EQ(line["agent"], "a");
  EXPECT_EQ(line["frame"], 1);
  EXPECT_EQ(line["metrics"][0]["value"], 2.25);
  EXPECT_EQ(line["metrics"][0]["labels"]["rack"], "r1");
  EXPECT_EQ(w.metric("output_file_ticks_total"), 3U);
  EXPECT_EQ(w.output->state().in_flight, 0U);
}

TEST(FileOutput, TakesNoBatchWhileAWriteRuns) {
  World w;
  w.source.add(1, batch(1));
  w.output->start();
  w.source.add(2, batch(2));
  w.output->wake();
  EXPECT_EQ(w.source.waiting.size(), 1U);
  w.worker.run_all();
  EXPECT_EQ(w.sequences(), (std::vector<uint64_t>{1, 2}));
}

TEST(FileOutput, BoundsTheBytesThatItHolds) {
  World w;
  const std::string large = batch(1, 9000);
  ASSERT_GT(large.size(), size_t{64} * 1024);
  for (uint64_t i = 1; i <= 40; ++i) w.source.add(i, large);
  w.output->start();
  size_t held = 0;
  for (const auto& [id, bytes] : w.source.out) held += bytes.size();
  EXPECT_LE(held, size_t{256} * 1024 + large.size());
  EXPECT_GT(w.source.waiting.size(), 30U);
}

TEST(FileOutput, FullDiskReturnsBatchesInOrderAndRetries) {
  World w;
  int warnings = 0;
  w.output->set_on_warning([&] { ++warnings; });
  w.disk.set_capacity(w.disk.used());
  w.source.add(1, batch(1));
  w.source.add(2, batch(2));
  w.output->start();
  w.worker.run_all();
  EXPECT_TRUE(w.source.out.empty());
  EXPECT_EQ(w.source.waiting.front().first, 1U);
  EXPECT_FALSE(w.output->state().ready);
  EXPECT_FALSE(w.output->state().warning.empty());
  w.output->wake();
  EXPECT_TRUE(w.worker.idle()) << "it waits for its backoff";
  for (int i = 0; i < 50; ++i) {
    w.timers.advance(10 * kNanosPerSecond);
    w.worker.run_all();
  }
  EXPECT_EQ(w.metric("output_file_failures_total"), 51U);
  EXPECT_EQ(warnings, 1) << "one warning for one reason";
  w.disk.set_capacity(UINT64_MAX);
  w.timers.advance(10 * kNanosPerSecond);
  w.worker.run_all();
  EXPECT_EQ(w.sequences(), (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(w.source.stored, (std::vector<uint64_t>{1, 2}));
  EXPECT_TRUE(w.output->state().ready);
  EXPECT_EQ(warnings, 2);
}

TEST(FileOutput, RejectsAnUndecodableBatchAndWritesTheOthers) {
  World w;
  w.source.add(1, "\xff\xff");
  w.source.add(2, batch(2));
  w.output->start();
  w.worker.run_all();
  EXPECT_EQ(w.source.refused, (std::vector<std::string>{"1 invalid:"}));
  EXPECT_EQ(w.sequences(), (std::vector<uint64_t>{2}));
}

TEST(FileOutput, AcknowledgesAHeartbeatWithoutALine) {
  World w;
  w.source.add(1, batch(1, 0));
  w.output->start();
  const uint64_t calls = w.disk.calls();
  w.worker.run_all();
  EXPECT_EQ(w.disk.calls(), calls);
  EXPECT_EQ(w.source.stored, (std::vector<uint64_t>{1}));
}

TEST(FileOutput, DrainWaitsForTheRunningWrite) {
  World w;
  w.source.add(1, batch(1));
  w.output->start();
  bool done = false;
  w.output->drain([&] { done = true; });
  w.timers.advance(1);
  EXPECT_FALSE(done);
  w.worker.run_all();
  w.timers.advance(1);
  EXPECT_TRUE(done);
  EXPECT_EQ(w.source.stored.size(), 1U);
}

TEST(FileOutput, DrainEndsWhenTheFileCannotBeWritten) {
  World w;
  w.disk.set_judge([](const DiskCall& call) {
    return call.op == DiskOp::kWrite ? std::optional(DiskFault::kNoSpace) : std::nullopt;
  });
  w.source.add(1, batch(1));
  w.output->start();
  bool done = false;
  w.output->drain([&] { done = true; });
  w.worker.run_all();
  w.timers.advance(1);
  EXPECT_TRUE(done);
  EXPECT_EQ(w.source.waiting.size(), 1U);
}

TEST(FileOutput, DestructionDuringAWriteReturnsTheBatches) {
  World w;
  w.source.add(1, batch(1));
  w.source.add(2, batch(2));
  w.output->start();
  w.output.reset();
  EXPECT_EQ(w.source.waiting.size(), 2U);
  EXPECT_EQ(w.source.waiting.front().first, 1U);
  w.worker.run_all();
  EXPECT_TRUE(w.source.stored.empty()) << "they may be written, but that is unknown; delivery is at least once";
}

}  // namespace
}  // namespace monitor::agent
