// Reads this host once a second, writes the readings to Kafka as payload v1 and v2, and prints how many points each
// topic got, in how many bytes of values. A topic is named PREFIX-CASE-FORM. "alone": every record is a produce batch.
// "ten": ten records of different agents are one; the agents are parts of the reading. The clocks are on the grid of
// payload v2.
//
//   bench-payload brokers=HOST:PORT prefix=NAME ticks=N
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>

#include "base/clock.h"
#include "base/hex.h"
#include "base/random.h"
#include "floor/arguments.h"
#include "floor/kafka_client.h"
#include "inputs/proc/host_source.h"
#include "metrics/encode.h"
#include "payload/encode.h"

namespace monitor::bench {
namespace {

constexpr int64_t kGrid = 10'000;
constexpr int64_t kSecond = 1'000'000'000;
constexpr size_t kAgents = 10;

struct Reading {
  std::vector<metrics::Series> series;
  std::vector<metrics::Frame> frames;
  std::vector<int64_t> elapsed_ns;
};

// Points of a tick as a frame, whose series are in the order of the reading.
class Recorder {
 public:
  Recorder(const agent::Roots& roots, const Clock& clock, const std::vector<config::MetricSelection>& selections)
      : source_(roots, table_, clock) {
    source_.configure(1, selections);
  }
  void start(const agent::Timestamp& now) {
    source_.baseline(now);
    last_ = now;
  }
  void read(const agent::Timestamp& now) {
    metrics::Tick tick{now.wall_ns, last_.wall_ns, {}, 0};
    source_.collect(1, now, tick);
    reading_.elapsed_ns.push_back(now.mono_ns - last_.mono_ns);
    reading_.frames.push_back({tick.time_ns, tick.rates_since_ns, tick.points});
    last_ = now;
  }
  // Series are numbered in the order in which the frames use them, as in a batch.
  Reading take() {
    std::vector<uint32_t> numbers(table_.bound(), UINT32_MAX);
    for (metrics::Frame& frame : reading_.frames) {
      for (metrics::Point& point : frame.points) {
        uint32_t& number = numbers[point.series];
        if (number == UINT32_MAX) {
          number = static_cast<uint32_t>(reading_.series.size());
          reading_.series.push_back(table_.at(point.series));
        }
        point.series = number;
      }
    }
    return std::move(reading_);
  }

 private:
  metrics::SeriesTable table_;
  agent::HostSource source_;
  agent::Timestamp last_;
  Reading reading_;
};

int64_t rounded(int64_t ns) { return ns / kGrid * kGrid; }

// The clocks on the grid. The wall clock advances as the monotonic one does while it is then less than 20 us wrong.
class GridClock {
 public:
  agent::Timestamp now() {
    const agent::Timestamp real{rounded(clock_.wall_ns()), rounded(clock_.mono_ns())};
    const int64_t expected = last_.wall_ns + real.mono_ns - last_.mono_ns;
    last_ = {std::abs(expected - real.wall_ns) <= kGrid ? expected : real.wall_ns, real.mono_ns};
    return last_;
  }

 private:
  SystemClock clock_;
  agent::Timestamp last_;
};

Reading read_host(size_t ticks) {
  const SystemClock clock;
  const std::vector<config::MetricSelection> usual = {{.name = "cpu"},        {.name = "memory"}, {.name = "disk read"},
                                                      {.name = "disk write"}, {.name = "net in"}, {.name = "net out"}};
  Recorder recorder({}, clock, usual);
  GridClock grid;
  int64_t due = clock.mono_ns();
  for (size_t i = 0; i <= ticks; ++i, due += kSecond) {
    const timespec until{due / kSecond, due % kSecond};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    const agent::Timestamp now = grid.now();
    i == 0 ? recorder.start(now) : recorder.read(now);
  }
  return recorder.take();
}

// A /proc/stat with so many processors, which are busy for some of their time in four modes.
class ManyProcessors {
 public:
  explicit ManyProcessors(size_t count) : modes_(count) { std::filesystem::create_directories(folder_); }
  ~ManyProcessors() { std::filesystem::remove_all(folder_); }
  ManyProcessors(const ManyProcessors&) = delete;
  ManyProcessors& operator=(const ManyProcessors&) = delete;

  const std::string& folder() const { return folder_; }
  void pass_a_second() {
    std::array<uint64_t, 8> sum{};
    std::string lines;
    for (size_t i = 0; i < modes_.size(); ++i) {
      const uint64_t user = random_.below(40);
      const uint64_t system = random_.below(12);
      const uint64_t softirq = random_.below(2);
      const std::array<uint64_t, 8> growth = {user, 0, system, 100 - user - system - softirq, 0, 0, softirq, 0};
      lines += "cpu" + std::to_string(i);
      for (size_t mode = 0; mode < growth.size(); ++mode) {
        sum[mode] += modes_[i][mode] += growth[mode];
        lines += " " + std::to_string(modes_[i][mode]);
      }
      lines += " 0 0\n";
    }
    std::ofstream file(folder_ + "/stat");
    file << "cpu ";
    for (const uint64_t mode : sum) file << ' ' << mode;
    file << " 0 0\n" << lines;
  }

 private:
  std::string folder_ = std::filesystem::temp_directory_path() / ("bench-payload-" + std::to_string(::getpid()));
  std::vector<std::array<uint64_t, 8>> modes_;
  SeededRandom random_{1};
};

Reading read_many(size_t ticks) {
  constexpr size_t kProcessors = 111;  // with the sum, 9 series for each of 112
  ManyProcessors host(kProcessors);
  const SystemClock clock;
  Recorder recorder({.procfs = host.folder()}, clock, {{.name = "cpu", .flags = {"modes", "per_core"}}});
  agent::Timestamp now = GridClock().now();
  for (size_t i = 0; i <= ticks; ++i) {
    host.pass_a_second();
    i == 0 ? recorder.start(now) : recorder.read(now);
    now.wall_ns += kSecond;
    now.mono_ns += kSecond;
  }
  return recorder.take();
}

// The batch of these ticks of a reading, by an agent that has run for a while.
metrics::Batch batch_of(const Reading& reading, size_t first, size_t ticks, size_t agent) {
  metrics::Batch batch;
  batch.agent_id = batch.hostname = "web-0" + std::to_string(10 + agent);
  SeededRandom random(agent + 1);
  batch.incarnation.resize(metrics::kIncarnationBytes);
  random.fill(batch.incarnation.data(), metrics::kIncarnationBytes / 2);
  batch.sequence = batch.first_unacked = 1 + random.below(10'000) + first / ticks;
  batch.config_revision = 7;
  batch.counters.ticks_due = batch.sequence * ticks;
  batch.counters.points_made = batch.counters.ticks_due * reading.series.size();
  batch.agent_version = "0.2.0";
  batch.send_every_ns = ticks * kSecond;
  batch.series = reading.series;
  const auto begin = reading.frames.begin() + static_cast<std::ptrdiff_t>(first);
  batch.frames.assign(begin, begin + static_cast<std::ptrdiff_t>(ticks));
  batch.appended_ns = batch.frames.back().time_ns + 30 * kGrid;
  return batch;
}

enum class Form { kV1, kV1Bare, kV2 };

class Topic {
 public:
  Topic(const Arguments& arguments, const std::string& name, size_t together)
      : name_(arguments.text("prefix") + "-" + name), together_(together) {
    producer_ = make(RD_KAFKA_PRODUCER, {{"bootstrap.servers", arguments.text("brokers")},
                                         {"compression.codec", "zstd"},
                                         {"linger.ms", "1000"},
                                         {"batch.num.messages", std::to_string(together)}});
  }
  ~Topic() {
    flush();
    rd_kafka_destroy(producer_);
    std::printf("%s %zu %zu\n", name_.c_str(), points_, bytes_);
  }
  Topic(const Topic&) = delete;
  Topic& operator=(const Topic&) = delete;

  void add(const metrics::Batch& batch, std::span<const int64_t> elapsed, Form form) {
    const auto value = form == Form::kV1 || form == Form::kV1Bare ? Result<std::string>(metrics::encode_batch(batch))
                                                                  : payload::encode(batch, {.elapsed_ns = elapsed});
    if (!value) end("encode", value.error().message().c_str());
    rd_kafka_headers_t* const headers = form == Form::kV1 ? headers_of(batch) : nullptr;
    const auto error = rd_kafka_producev(
        producer_, RD_KAFKA_V_TOPIC(name_.c_str()), RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(batch.agent_id.data(), batch.agent_id.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(value->data()), value->size()), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) end("produce", rd_kafka_err2str(error));
    bytes_ += value->size();
    for (const metrics::Frame& frame : batch.frames) points_ += frame.points.size();
    if (++waiting_ == together_) flush();
  }

 private:
  static rd_kafka_headers_t* headers_of(const metrics::Batch& batch) {
    rd_kafka_headers_t* const headers = rd_kafka_headers_new(5);
    const auto add = [headers](const char* name, const std::string& value) {
      rd_kafka_header_add(headers, name, -1, value.data(), static_cast<ssize_t>(value.size()));
    };
    add("agent", batch.agent_id);
    add("incarnation", hex(batch.incarnation));
    add("sequence", std::to_string(batch.sequence));
    add("config-revision", std::to_string(batch.config_revision));
    add("content-type", "application/x-protobuf");
    return headers;
  }
  void flush() {
    if (const auto error = rd_kafka_flush(producer_, 60'000); error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      end("flush", rd_kafka_err2str(error));
    }
    waiting_ = 0;
  }

  std::string name_;
  size_t together_;
  size_t waiting_ = 0;
  size_t points_ = 0;
  size_t bytes_ = 0;
  rd_kafka_t* producer_ = nullptr;
};

std::string name_of(Form form) {
  constexpr std::array<const char*, 3> kNames = {"v1", "v1bare", "v2"};
  return kNames[static_cast<size_t>(form)];
}

void write(const Arguments& arguments, const Reading& reading, const std::string& name, size_t ticks,
           std::span<const Form> forms) {
  for (const Form form : forms) {
    for (const bool ten : {false, true}) {
      Topic topic(arguments, name + (ten ? "-ten-" : "-alone-") + name_of(form), ten ? kAgents : 1);
      // Record i of agent k is part i + k x (parts of an agent) of the reading.
      const size_t agents = ten ? kAgents : 1;
      const size_t records = reading.frames.size() / ticks / agents;
      for (size_t i = 0; i < records; ++i) {
        for (size_t agent = 0; agent < agents; ++agent) {
          const size_t first = (agent * records + i) * ticks;
          topic.add(batch_of(reading, first, ticks, agent), std::span(reading.elapsed_ns).subspan(first, ticks), form);
        }
      }
    }
  }
}

int run(const Arguments& arguments) {
  constexpr std::array kForms = {Form::kV1, Form::kV1Bare, Form::kV2};
  const auto ticks = static_cast<size_t>(arguments.number("ticks"));
  const Reading host = read_host(ticks);
  write(arguments, host, "1", 1, kForms);
  write(arguments, host, "10", 10, kForms);
  write(arguments, read_many(std::min<size_t>(ticks, 20)), "1000", 1, kForms);
  return 0;
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) { return monitor::bench::run(monitor::bench::Arguments(argc, argv)); }
