// Properties of the Kafka client that an operator sets: librdkafka's names, with values that may be secret. No value
// ever appears in an error or a log line, neither ours nor librdkafka's.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace monitor::metriclog {

using KafkaProperty = std::pair<std::string, std::string>;

// Parses "NAME=VALUE". kInvalidArgument for any other form.
Result<KafkaProperty> parse_kafka_property(std::string_view text);

// Checks that librdkafka knows the name and accepts the value, and that the name is not reserved for the log.
// kInvalidArgument suggests the nearest known name.
Status check_kafka_property(const KafkaProperty& property);

struct KafkaFileProperty {
  KafkaProperty property;
  int line = 0;  // first line of the property
};

inline constexpr size_t kMaxKafkaPropertiesBytes = size_t{256} * 1024;

// The format of Java's properties files, in UTF-8. Each line is NAME=VALUE or NAME:VALUE; blanks around the separator
// are ignored. # and ! start comments. A backslash at the end continues the line. The only escapes are \\ \n \t \r \f
// \= \: \# \! "\ " \uXXXX. Each name may occur once. kInvalidArgument: "line 3: ...", which quotes nothing but the
// name.
Result<std::vector<KafkaFileProperty>> parse_kafka_properties(std::string_view text);

}  // namespace monitor::metriclog

namespace monitor::metriclog::kafka {

// Registers the value of a property as a secret if the name marks it as one. Thread-safe.
void note_secret(const KafkaProperty& property);
// Filters a message of librdkafka: drops it if it contains a registered secret. Thread-safe.
std::string without_secrets(std::string_view text);

}  // namespace monitor::metriclog::kafka
