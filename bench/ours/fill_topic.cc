// Writes a topic as a server would have written it while a fleet was sending: every agent one batch a second, whose
// record has the time at which the log would have stored it. So readers meet an hour of data, and not one moment.
//
//   bench-fill-topic kafka=HOST:PORT topic=NAME agents=N seconds=N series=N
//
// Creates the topic, with 6 partitions. Prints messages=N.
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/hex.h"
#include "floor/arguments.h"
#include "floor/kafka_client.h"
#include "load/batches.h"

namespace monitor::bench {
namespace {

constexpr int kPartitions = 6;
constexpr int kWaitMs = 10'000;
constexpr int64_t kOnTheWayMs = 10;  // from the reading to the log

void check(rd_kafka_resp_err_t error, const char* what) {
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) end(what, rd_kafka_err2str(error));
}

void create(rd_kafka_t* client, const std::string& topic) {
  std::array<char, 256> text{};
  rd_kafka_NewTopic_t* made = rd_kafka_NewTopic_new(topic.c_str(), kPartitions, 1, text.data(), text.size());
  if (made == nullptr) end("topic", text.data());
  check(rd_kafka_NewTopic_set_config(made, "message.timestamp.type", "CreateTime"), "topic");
  rd_kafka_queue_t* const answers = rd_kafka_queue_new(client);
  rd_kafka_CreateTopics(client, &made, 1, nullptr, answers);
  rd_kafka_event_t* const answer = rd_kafka_queue_poll(answers, kWaitMs);
  if (answer == nullptr) end("topic", "no answer");
  check(rd_kafka_event_error(answer), "topic");
  rd_kafka_event_destroy(answer);
  rd_kafka_queue_destroy(answers);
  rd_kafka_NewTopic_destroy(made);
}

// The headers that a server writes (docs/payload.md).
rd_kafka_headers_t* headers_of(const load::BatchMaker& maker, uint64_t sequence) {
  rd_kafka_headers_t* const headers = rd_kafka_headers_new(5);
  const auto add = [headers](std::string_view name, const std::string& value) {
    check(rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                              static_cast<ssize_t>(value.size())),
          "header");
  };
  add("agent", maker.agent_id());
  add("incarnation", hex(maker.incarnation()));
  add("sequence", std::to_string(sequence));
  add("config-revision", "0");
  add("content-type", "application/x-protobuf");
  return headers;
}

void produce(rd_kafka_t* producer, const std::string& topic, load::BatchMaker& maker, uint64_t sequence,
             int64_t time_ms) {
  const std::string value = maker.next();
  rd_kafka_headers_t* const headers = headers_of(maker, sequence);
  while (true) {
    const auto error =
        rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_KEY(maker.agent_id().data(), maker.agent_id().size()),
                          RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),  // NOLINT: it is copied
                          RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_TIMESTAMP(time_ms), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) break;
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) check(error, "produce");
    rd_kafka_poll(producer, kWaitMs);
  }
  rd_kafka_poll(producer, 0);
}

int run(const Arguments& arguments) {
  const std::string topic = arguments.text("topic");
  const int64_t seconds = arguments.number("seconds");
  rd_kafka_t* const producer = make(RD_KAFKA_PRODUCER, {{"bootstrap.servers", arguments.text("kafka")},
                                                        {"enable.idempotence", "true"},
                                                        {"acks", "all"},
                                                        {"linger.ms", "5"},
                                                        {"compression.codec", "zstd"},
                                                        {"partitioner", "murmur2_random"}});
  create(producer, topic);
  const int64_t begin_ns = SystemClock().wall_ns() - seconds * kNanosPerSecond;
  std::vector<std::unique_ptr<load::BatchMaker>> fleet;
  for (int64_t i = 0; i < arguments.number("agents"); ++i) {
    const load::BatchShape shape{.series = static_cast<size_t>(arguments.number("series")), .begin_ns = begin_ns};
    fleet.push_back(
        std::make_unique<load::BatchMaker>("agent-" + std::to_string(i), static_cast<uint64_t>(i) + 1, shape));
  }
  for (int64_t second = 1; second <= seconds; ++second) {
    const int64_t time_ms = begin_ns / kNanosPerMilli + second * 1000 + kOnTheWayMs;
    for (const auto& maker : fleet) produce(producer, topic, *maker, static_cast<uint64_t>(second), time_ms);
  }
  check(rd_kafka_flush(producer, 6 * kWaitMs), "flush");
  std::printf("messages=%lld\n", static_cast<long long>(seconds) * static_cast<long long>(fleet.size()));
  rd_kafka_destroy(producer);
  return 0;
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) { return monitor::bench::run(monitor::bench::Arguments(argc, argv)); }
