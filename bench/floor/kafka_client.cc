#include "floor/kafka_client.h"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace monitor::bench {

void end(const char* what, const char* why) {
  static_cast<void>(std::fprintf(stderr, "%s: %s\n", what, why));
  std::exit(69);  // NOLINT(concurrency-mt-unsafe): the library's threads are unaffected
}

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

namespace {

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

}  // namespace

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

}  // namespace monitor::bench
