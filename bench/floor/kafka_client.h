// A bare client of librdkafka, for the floors of reading and for filling topics. Exits on every error.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace monitor::bench {

// Prints "what: why" and exits.
[[noreturn]] void end(const char* what, const char* why);

using Settings = std::vector<std::pair<const char*, std::string>>;
rd_kafka_t* make(rd_kafka_type_t type, const Settings& settings);

struct Consumer {
  rd_kafka_t* handle;
  int64_t records;  // in the topic when reading began
};
// Reads all partitions of the topic, from RD_KAFKA_OFFSET_BEGINNING or RD_KAFKA_OFFSET_END. Nothing ever deletes
// records from the benchmark's topics, so the number of records is known, and nobody waits for librdkafka's event at
// the end of a partition, which comes half a second (fetch.wait.max.ms) late.
Consumer make_consumer(const std::string& brokers, const std::string& topic, int64_t from);

}  // namespace monitor::bench
