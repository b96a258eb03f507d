// The floor of the server: a bare HTTP/2 sink and a bare producer in one process. A batch goes to Kafka as it is,
// without headers, and is acknowledged when Kafka has confirmed it; the producer is set as the server's is.
//
//   bench-server-floor kafka=HOST:PORT topic=NAME
#include <librdkafka/rdkafka.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "floor/arguments.h"
#include "floor/http2_sink.h"

namespace monitor::bench {
namespace {

[[noreturn]] void end(const char* what, const char* why) {
  static_cast<void>(std::fprintf(stderr, "%s: %s\n", what, why));
  std::exit(69);  // NOLINT(concurrency-mt-unsafe): nothing of ours runs beside it
}

rd_kafka_t* make_producer(const std::string& brokers) {
  const std::array<std::pair<const char*, std::string>, 8> settings = {{
      {"bootstrap.servers", brokers},
      {"enable.idempotence", "true"},
      {"acks", "all"},
      {"linger.ms", "5"},
      {"queue.buffering.max.messages", "100000"},
      {"queue.buffering.max.kbytes", "131072"},
      {"compression.codec", "zstd"},
      {"partitioner", "murmur2_random"},
  }};
  std::array<char, 512> text{};
  rd_kafka_conf_t* const config = rd_kafka_conf_new();
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(config, name, value.c_str(), text.data(), text.size()) != RD_KAFKA_CONF_OK) {
      end(name, text.data());
    }
  }
  rd_kafka_conf_set_events(config, RD_KAFKA_EVENT_DR);
  rd_kafka_t* const producer = rd_kafka_new(RD_KAFKA_PRODUCER, config, text.data(), text.size());
  if (producer == nullptr) end("producer", text.data());
  return producer;
}

// Confirmed: in order, since all batches of a stream are of one key.
void take_deliveries(rd_kafka_queue_t* queue, Http2Sink& sink) {
  while (rd_kafka_event_t* const event = rd_kafka_queue_poll(queue, 0)) {
    while (const rd_kafka_message_t* const message = rd_kafka_event_message_next(event)) {
      if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) end("delivery", rd_kafka_err2str(message->err));
      sink.acknowledge(*static_cast<Http2Sink::Stream*>(message->_private));
    }
    rd_kafka_event_destroy(event);
  }
}

int run(const Arguments& arguments) {
  rd_kafka_t* const producer = make_producer(arguments.text("kafka"));
  rd_kafka_topic_t* const topic = rd_kafka_topic_new(producer, arguments.text("topic").c_str(), nullptr);
  Http2Sink sink([topic](Http2Sink&, Http2Sink::Stream& stream, std::string_view, std::string_view batch) {
    // librdkafka takes what it copies as void*.
    if (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, const_cast<char*>(batch.data()),
                         batch.size(), stream.agent.data(), stream.agent.size(), &stream) != 0) {
      end("produce", rd_kafka_err2str(rd_kafka_last_error()));
    }
  });
  rd_kafka_queue_t* const deliveries = rd_kafka_queue_get_main(producer);
  const int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const uint64_t one = 1;
  rd_kafka_queue_io_event_enable(deliveries, wake, &one, sizeof one);
  sink.watch(wake, [&] {
    uint64_t count = 0;
    if (read(wake, &count, sizeof count) > 0) take_deliveries(deliveries, sink);
  });
  std::printf("port %u\n", sink.listen());
  static_cast<void>(std::fflush(stdout));
  sink.run();
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) { return monitor::bench::run(monitor::bench::Arguments(argc, argv)); }
