// The floors of consumers that use the values: they read every partition of a topic from start to end, and check and
// decode each batch with the decoder of this project, which is the least that a reader must do to see a value. They
// know nothing of duplicates, snapshots, late data or restarts.
//
//   bench-consumer-floor decode kafka=HOST:PORT topic=NAME
//       counts the values, and adds them all up
//   bench-consumer-floor aggregate kafka=HOST:PORT topic=NAME window_s=N
//       an array aggregator: for each agent and series one element of an array, with the number of values, their sum
//       and extremes, and a histogram by the exponent and the first bits of the mantissa, for quantiles. When an
//       agent's window is over, it prints a line for each element
//
// Both print messages=N and points=N in lines of their own.
#include <algorithm>
#include <bit>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "floor/arguments.h"
#include "floor/kafka_client.h"
#include "metrics/decode.h"

namespace monitor::bench {
namespace {

struct Counts {
  int64_t messages = 0;
  uint64_t points = 0;
};

template <typename Take>
int read_all(const Arguments& arguments, const Take& take) {
  const Consumer consumer = make_consumer(arguments.text("kafka"), arguments.text("topic"), RD_KAFKA_OFFSET_BEGINNING);
  metrics::BatchDecoder decoder;
  Counts counts;
  while (counts.messages < consumer.records) {
    rd_kafka_message_t* const message = rd_kafka_consumer_poll(consumer.handle, 10'000);
    if (message == nullptr) end("read", "no message for 10 s");
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      const auto batch = decoder.decode({static_cast<const char*>(message->payload), message->len});
      if (!batch) end("decode", batch.error().message().c_str());
      ++counts.messages;
      counts.points += take(**batch);
    }
    rd_kafka_message_destroy(message);
  }
  std::printf("messages=%" PRId64 "\npoints=%" PRIu64 "\n", counts.messages, counts.points);
  return 0;
}

int decode(const Arguments& arguments) {
  double sum = 0;  // keeps the compiler from leaving the work out
  const int result = read_all(arguments, [&sum](const metrics::Batch& batch) {
    uint64_t points = 0;
    for (const metrics::Frame& frame : batch.frames) {
      for (const metrics::Point& point : frame.points) sum += batch.value(point);
      points += frame.points.size();
    }
    return points;
  });
  std::printf("sum=%g\n", sum);
  return result;
}

// The values of a series in a window.
class Element {
 public:
  void add(double value) {
    if (count_ == 0) min_ = max_ = value;
    min_ = std::min(min_, value);
    max_ = std::max(max_, value);
    ++count_;
    sum_ += value;
    const uint64_t cell = std::bit_cast<uint64_t>(value) >> kShift;
    if (cell == 0) return;  // a zero
    if (cell - first_cell_ >= cells_.size()) extend(cell);
    ++cells_[cell - first_cell_];
  }

  void print(const std::string& agent, int64_t window, const metrics::Series& series) {
    if (count_ == 0) return;
    std::printf("%s %" PRId64 " %s %" PRIu64 " %g %g %g %g %g %g\n", agent.c_str(), window, series.name.c_str(), count_,
                sum_ / static_cast<double>(count_), min_, max_, quantile(0.5), quantile(0.95), quantile(0.99));
    count_ = 0;
    sum_ = 0;
    cells_.clear();
  }

 private:
  static constexpr unsigned kShift = 46;  // 64 cells an octave

  void extend(uint64_t cell) {
    if (cells_.empty()) first_cell_ = cell;
    if (cell < first_cell_) {
      cells_.insert(cells_.begin(), first_cell_ - cell, 0);
      first_cell_ = cell;
    } else {
      cells_.resize(cell - first_cell_ + 1);
    }
  }

  double quantile(double q) const {
    auto above = static_cast<int64_t>((1 - q) * static_cast<double>(count_));
    for (size_t i = cells_.size(); i-- > 0;) {
      above -= cells_[i];
      if (above < 0) return std::bit_cast<double>((first_cell_ + i) << kShift);
    }
    return 0;
  }

  uint64_t count_ = 0;
  double sum_ = 0;
  double min_ = 0;
  double max_ = 0;
  std::vector<uint16_t> cells_;  // from the lowest to the highest in use
  uint64_t first_cell_ = 0;
};

// The current window of each agent. A window ends with the agent's first value of the next one.
class Arrays {
 public:
  explicit Arrays(int64_t window_ns) : window_ns_(window_ns) {}

  uint64_t take(const metrics::Batch& batch) {
    Agent& agent = agents_[batch.agent_id];
    uint64_t points = 0;
    for (const metrics::Frame& frame : batch.frames) {
      const int64_t window = frame.time_ns / window_ns_;
      if (window != agent.window || agent.series.size() != batch.series.size()) {
        print(batch.agent_id, agent);
        agent.window = window;
        agent.series = batch.series;
        agent.elements.resize(batch.series.size());
      }
      for (const metrics::Point& point : frame.points) agent.elements[point.series].add(batch.value(point));
      points += frame.points.size();
    }
    return points;
  }

  void print_all() {
    for (auto& [name, agent] : agents_) print(name, agent);
  }

 private:
  struct Agent {
    int64_t window = 0;
    std::vector<metrics::Series> series;
    std::vector<Element> elements;
  };
  static void print(const std::string& name, Agent& agent) {
    for (size_t i = 0; i < agent.elements.size(); ++i) agent.elements[i].print(name, agent.window, agent.series[i]);
  }

  const int64_t window_ns_;
  std::unordered_map<std::string, Agent> agents_;
};

int aggregate(const Arguments& arguments) {
  Arrays arrays(arguments.number("window_s") * kNanosPerSecond);
  const int result = read_all(arguments, [&arrays](const metrics::Batch& batch) { return arrays.take(batch); });
  arrays.print_all();
  return result;
}

int run(const Arguments& arguments) {
  const auto words = arguments.rest();
  const int result = !words.empty() && words[0] == "aggregate" ? aggregate(arguments) : decode(arguments);
  static_cast<void>(std::fflush(stdout));
  std::_Exit(result);
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) { return monitor::bench::run(monitor::bench::Arguments(argc, argv)); }
