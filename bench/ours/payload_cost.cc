// What the versions of the payload cost: microseconds of CPU time for making, checking and decoding a batch, when the
// batch before had the same series. Prints NAME v1=N v2=N for each.
//
//   bench-payload-cost series=N ticks=N batches=N
#include <time.h>

#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "base/random.h"
#include "floor/arguments.h"
#include "metrics/check.h"
#include "metrics/decode.h"
#include "metrics/encode.h"
#include "payload/batch_decoder.h"
#include "payload/check.h"
#include "payload/table.h"
#include "payload/tick_encoder.h"

namespace monitor::bench {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStart = 1'790'000'000 * kSecond;
constexpr size_t kFixedRows = 8;  // the default selection

// The default selection, and then the modes of one processor after the other.
std::vector<metrics::Series> series_of(size_t count) {
  constexpr uint32_t kFirstOfProcessor = 16;
  constexpr uint32_t kModes = 9;
  std::vector<metrics::Series> all;
  for (size_t i = 0; i < count; ++i) {
    if (i < kFixedRows) {
      all.push_back(payload::table()[i].series);
      continue;
    }
    const std::vector<std::string> processor = {std::to_string((i - kFixedRows) / kModes)};
    all.push_back(payload::series_of(payload::table()[kFirstOfProcessor + (i - kFixedRows) % kModes], processor));
  }
  return all;
}

class Host {
 public:
  explicit Host(size_t count) {
    for (const auto& series : series_of(count)) {
      tick_.points.push_back({.series = table_.intern(series).value_or(0)});
      levels_.push_back(random_.below(10'000));
    }
    tick_.time_ns = kStart;
  }
  const metrics::Tick& read() {
    tick_.rates_since_ns = tick_.time_ns;
    tick_.time_ns += kSecond;
    for (size_t i = 0; i < levels_.size(); ++i) {
      levels_[i] = (levels_[i] + random_.below(40)) % 10'000;
      tick_.points[i].integer =
          static_cast<int64_t>(levels_[i]) * (table_.at(tick_.points[i].series).unit == "1" ? 1 : 4096);
    }
    return tick_;
  }
  const metrics::SeriesTable& table() const { return table_; }

 private:
  metrics::SeriesTable table_;
  metrics::Tick tick_;
  std::vector<uint64_t> levels_;
  SeededRandom random_{1};
};

double cpu_us() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

struct Costs {
  double encode = 0;
  double check = 0;
  double decode = 0;
  double bytes = 0;
};

double each_us(const std::vector<std::string>& records, const std::function<bool(const std::string&)>& use) {
  constexpr int kRounds = 5;
  const double begin = cpu_us();
  for (int round = 0; round < kRounds; ++round) {
    for (const std::string& record : records) {
      if (!use(record)) std::exit(1);  // NOLINT(concurrency-mt-unsafe): there is one thread
    }
  }
  return (cpu_us() - begin) / kRounds / static_cast<double>(records.size());
}

template <typename Writer>
Costs measure(size_t series, size_t ticks, size_t batches, const std::function<bool(const std::string&)>& check,
              const std::function<bool(const std::string&)>& decode) {
  Host host(series);
  Writer writer(host.table());
  metrics::Envelope envelope;
  envelope.agent_id = envelope.hostname = "web-017";
  envelope.incarnation = std::string(8, 'i') + std::string(8, '\0');
  envelope.agent_version = "0.2.0";
  envelope.send_every_ns = static_cast<uint64_t>(kSecond) * ticks;
  std::vector<std::string> records;
  Costs costs;
  for (size_t i = 0; i < batches; ++i) {
    envelope.first_unacked = ++envelope.sequence;
    envelope.counters.ticks_due += ticks;
    envelope.counters.points_made += ticks * series;
    for (size_t tick = 0; tick < ticks; ++tick) {
      const metrics::Tick& read = host.read();
      envelope.appended_ns = read.time_ns;
      const double begin = cpu_us();
      writer.add(read);
      costs.encode += cpu_us() - begin;
    }
    const double begin = cpu_us();
    records.push_back(writer.close(envelope).value());
    costs.encode += cpu_us() - begin;
    costs.bytes += static_cast<double>(records.back().size());
  }
  costs.encode /= static_cast<double>(batches);
  costs.bytes /= static_cast<double>(batches * series * ticks);
  costs.check = each_us(records, check);
  costs.decode = each_us(records, decode);
  return costs;
}

int run(const Arguments& arguments) {
  const auto series = static_cast<size_t>(arguments.number("series"));
  const auto ticks = static_cast<size_t>(arguments.number("ticks"));
  const auto batches = static_cast<size_t>(arguments.number("batches"));
  metrics::BatchChecker check_v1({});
  metrics::BatchDecoder decode_v1;
  payload::BatchChecker check_v2({});
  payload::BatchDecoder decode_v2;
  const Costs v1 = measure<metrics::BatchEncoder>(
      series, ticks, batches, [&](const std::string& record) { return check_v1.check(record).ok(); },
      [&](const std::string& record) { return decode_v1.decode(record).ok(); });
  const Costs v2 = measure<payload::TickEncoder>(
      series, ticks, batches, [&](const std::string& record) { return check_v2.check(record, "web-017").ok(); },
      [&](const std::string& record) { return decode_v2.decode(record, "web-017").ok(); });
  std::printf("encode v1=%.3f v2=%.3f\n", v1.encode, v2.encode);
  std::printf("check v1=%.3f v2=%.3f\n", v1.check, v2.check);
  std::printf("decode v1=%.3f v2=%.3f\n", v1.decode, v2.decode);
  std::printf("bytes v1=%.3f v2=%.3f\n", v1.bytes, v2.bytes);
  return 0;
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) { return monitor::bench::run(monitor::bench::Arguments(argc, argv)); }
