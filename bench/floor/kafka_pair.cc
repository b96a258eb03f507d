// The floors of reading: a bare consumer, and a bare producer with a bare consumer. They use the same librdkafka
// settings as the server and analysis.
//
//   bench-kafka-floor read kafka=HOST:PORT topic=NAME
//       reads every partition from start to end; prints messages, bytes, and the nanoseconds since the first message
//   bench-kafka-floor pair kafka=HOST:PORT topic=NAME interval_us=N bytes=N
//       produces a record per interval, and prints the latency of each record from produce to consume
#include <librdkafka/rdkafka.h>
#include <poll.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <thread>

#include "floor/arguments.h"
#include "floor/kafka_client.h"

namespace monitor::bench {
namespace {

int64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

int read_all(const Arguments& arguments) {
  const Consumer consumer = make_consumer(arguments.text("kafka"), arguments.text("topic"), RD_KAFKA_OFFSET_BEGINNING);
  // Does not wait for librdkafka's end-of-partition event, which comes half a second (fetch.wait.max.ms) late.
  int64_t left = consumer.records;
  int64_t messages = 0;
  int64_t bytes = 0;
  int64_t first = 0;
  int64_t last = 0;
  while (left > 0) {
    rd_kafka_message_t* const message = rd_kafka_consumer_poll(consumer.handle, 10'000);
    if (message == nullptr) end("read", "no message for 10 s");
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      --left;
      if (first == 0) first = now_ns();
      ++messages;
      bytes += static_cast<int64_t>(message->len);
      last = now_ns();
    }
    rd_kafka_message_destroy(message);
  }
  std::printf("messages=%" PRId64 "\nbytes=%" PRId64 "\nns=%" PRId64 "\n", messages, bytes, last - first);
  static_cast<void>(std::fflush(stdout));
  std::_Exit(0);
}

[[noreturn]] void produce(rd_kafka_t* producer, const std::string& topic, int64_t interval_ns, size_t bytes) {
  rd_kafka_topic_t* const handle = rd_kafka_topic_new(producer, topic.c_str(), nullptr);
  std::string value(bytes, 'x');
  for (int64_t due = now_ns();; due += interval_ns) {
    const timespec until = {due / 1'000'000'000, due % 1'000'000'000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) != 0) {
    }
    const int64_t now = now_ns();
    std::memcpy(value.data(), &now, sizeof now);
    rd_kafka_produce(handle, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, value.data(), value.size(), "key", 3, nullptr);
    rd_kafka_poll(producer, 0);
  }
}

[[noreturn]] void pair(const Arguments& arguments) {
  const std::string brokers = arguments.text("kafka");
  const std::string topic = arguments.text("topic");
  const Consumer consumer = make_consumer(brokers, topic, RD_KAFKA_OFFSET_END);
  rd_kafka_t* const producer = make(RD_KAFKA_PRODUCER, {{"bootstrap.servers", brokers},
                                                        {"enable.idempotence", "true"},
                                                        {"acks", "all"},
                                                        {"linger.ms", "5"},
                                                        {"compression.codec", "zstd"},
                                                        {"partitioner", "murmur2_random"}});
  std::thread([&] {
    produce(producer, topic, arguments.number("interval_us") * 1000, static_cast<size_t>(arguments.number("bytes")));
  }).detach();
  while (true) {
    rd_kafka_message_t* const message = rd_kafka_consumer_poll(consumer.handle, 1000);
    if (message == nullptr) continue;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && message->len >= sizeof(int64_t)) {
      int64_t then = 0;
      std::memcpy(&then, message->payload, sizeof then);
      std::printf("delay_us=%" PRId64 "\n", (now_ns() - then) / 1000);
      static_cast<void>(std::fflush(stdout));
    }
    rd_kafka_message_destroy(message);
  }
}

int run(const Arguments& arguments) {
  const auto words = arguments.rest();
  if (!words.empty() && words[0] == "read") return read_all(arguments);
  pair(arguments);
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) { return monitor::bench::run(monitor::bench::Arguments(argc, argv)); }
