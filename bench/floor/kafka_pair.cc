// The floors of reading: a bare consumer, and a bare producer with a bare consumer. They use the same librdkafka
// settings as the server and analysis.
//
//   bench-kafka-floor read kafka=HOST:PORT topic=NAME
//       reads every partition from start to end; prints messages, bytes, and the nanoseconds since the first message
//   bench-kafka-floor pair kafka=HOST:PORT topic=NAME interval_us=N bytes=N
//       produces a record per interval, and prints the latency of each record from produce to consume
#include <librdkafka/rdkafka.h>
#include <poll.h>

#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "floor/arguments.h"

namespace monitor::bench {
namespace {

[[noreturn]] void end(const char* what, const char* why) {
  static_cast<void>(std::fprintf(stderr, "%s: %s\n", what, why));
  std::exit(69);  // NOLINT(concurrency-mt-unsafe): the library's threads are unaffected
}

int64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

using Settings = std::vector<std::pair<const char*, std::string>>;

rd_kafka_t* make(rd_kafka_type_t type, const Settings& settings) {
  std::array<char, 512> text{};
  rd_kafka_conf_t* const config = rd_kafka_conf_new();
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(config, name, value.c_str(), text.data(), text.size()) != RD_KAFKA_CONF_OK) {
      end(name, text.data());
    }
  }
  rd_kafka_t* const made = rd_kafka_new(type, config, text.data(), text.size());
  if (made == nullptr) end("client", text.data());
  return made;
}

struct Consumer {
  rd_kafka_t* handle;
  int64_t records;  // in the topic when reading began
};

// Nothing ever deletes records from the benchmark's topics, so offsets equal counts.
int64_t records_of(rd_kafka_t* consumer, const std::string& topic, int partitions) {
  int64_t records = 0;
  for (int i = 0; i < partitions; ++i) {
    int64_t begin = 0;
    int64_t past = 0;
    const auto error = rd_kafka_query_watermark_offsets(consumer, topic.c_str(), i, &begin, &past, 10'000);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) end("watermarks", rd_kafka_err2str(error));
    records += past - begin;
  }
  return records;
}

Consumer make_consumer(const std::string& brokers, const std::string& topic, int64_t from) {
  rd_kafka_t* const consumer =
      make(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers}, {"group.id", "floor"}, {"enable.auto.commit", "false"}});
  rd_kafka_poll_set_consumer(consumer);
  const rd_kafka_metadata_t* metadata = nullptr;
  rd_kafka_topic_t* const handle = rd_kafka_topic_new(consumer, topic.c_str(), nullptr);
  if (rd_kafka_metadata(consumer, 0, handle, &metadata, 10'000) != RD_KAFKA_RESP_ERR_NO_ERROR) end("metadata", "none");
  const int partitions = metadata->topics[0].partition_cnt;
  rd_kafka_topic_partition_list_t* const list = rd_kafka_topic_partition_list_new(partitions);
  for (int i = 0; i < partitions; ++i) rd_kafka_topic_partition_list_add(list, topic.c_str(), i)->offset = from;
  const int64_t records = records_of(consumer, topic, partitions);  // before fetching begins
  rd_kafka_assign(consumer, list);
  return {consumer, records};
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
