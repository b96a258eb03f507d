// Properties of the Kafka client from an operator: librdkafka's names, with values that may be secret. No value ever
// appears in an error or a log line, neither in ours nor in librdkafka's.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace monitor::metriclog {

using KafkaProperty = std::pair<std::string, std::string>;

// Parses "NAME=VALUE". kInvalidArgument for another form.
Result<KafkaProperty> parse_kafka_property(std::string_view text);

// Checks that librdkafka knows the name and accepts the value, and that the name is not reserved for the log.
// kInvalidArgument with the nearest known name.
Status check_kafka_property(const KafkaProperty& property);

struct KafkaFileProperty {
  KafkaProperty property;
  int line = 0;  // first line of the property
};

inline constexpr size_t kMaxKafkaPropertiesBytes = size_t{256} * 1024;

// As Java's properties, in UTF-8: a NAME=VALUE or NAME:VALUE a line, blanks around the separator left out; # and !
// begin comments; a backslash at the end continues the line; \\ \n \t \r \f \= \: \# \! "\ " \uXXXX are escapes, and no
// other. Each name once. kInvalidArgument: "line 3: ...", without a word of what stands there but the name.
Result<std::vector<KafkaFileProperty>> parse_kafka_properties(std::string_view text);

}  // namespace monitor::metriclog

namespace monitor::metriclog::kafka {

// Registers the value of a property whose name marks it as a secret. Thread-safe.
void note_secret(const KafkaProperty& property);
// Filters librdkafka's messages: a message that contains a registered secret is dropped. Thread-safe.
std::string without_secrets(std::string_view text);

}  // namespace monitor::metriclog::kafka
