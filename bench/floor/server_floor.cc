// The floor of the server: a bare HTTP/2 sink and a bare producer in one process. It writes each batch to Kafka
// unchanged, without headers, and acknowledges it when Kafka has confirmed it. The producer has the server's settings.
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
  std::exit(69);  // NOLINT(concurrency-mt-unsafe): no other thread of ours is running
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

// As long as real headers, but constant, because the floor does not parse the batch.
rd_kafka_headers_t* make_headers(const std::string& agent) {
  const std::array<std::pair<const char*, std::string_view>, 5> all = {{
      {"agent", agent},
      {"incarnation", "0123456789abcdef0123456789abcdef"},
      {"sequence", "1234"},
      {"config-revision", "0"},
      {"content-type", "application/x-protobuf"},
  }};
  rd_kafka_headers_t* const headers = rd_kafka_headers_new(all.size());
  for (const auto& [name, value] : all) {
    rd_kafka_header_add(headers, name, -1, value.data(), static_cast<ssize_t>(value.size()));
  }
  return headers;
}

void produce(rd_kafka_t* producer, rd_kafka_topic_t* topic, Http2Sink::Stream& stream, std::string_view batch,
             bool with_headers) {
  std::array<rd_kafka_vu_t, 6> parts{};
  parts[0] = {.vtype = RD_KAFKA_VTYPE_RKT, .u = {.rkt = topic}};
  parts[1] = {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u = {.i = RD_KAFKA_MSG_F_COPY}};
  parts[2] = {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u = {.ptr = &stream}};
  // librdkafka copies the value, but takes it as void*.
  parts[3] = {.vtype = RD_KAFKA_VTYPE_VALUE, .u = {.mem = {const_cast<char*>(batch.data()), batch.size()}}};
  parts[4] = {.vtype = RD_KAFKA_VTYPE_KEY, .u = {.mem = {stream.agent.data(), stream.agent.size()}}};
  if (with_headers) parts[5] = {.vtype = RD_KAFKA_VTYPE_HEADERS, .u = {.headers = make_headers(stream.agent)}};
  if (rd_kafka_error_t* const error = rd_kafka_produceva(producer, parts.data(), with_headers ? 6 : 5)) {
    end("produce", rd_kafka_error_string(error));
  }
}

// Delivery reports arrive in order, because all batches of a stream have the same key.
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
  const bool headers = arguments.number("headers") != 0;
  Http2Sink sink([=](Http2Sink&, Http2Sink::Stream& stream, std::string_view, std::string_view batch) {
    produce(producer, topic, stream, batch, headers);
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
