// Settings of the Kafka client as an operator gives them: names are librdkafka's, values may be secrets. No value is
// ever part of an error or a log line: neither ours nor one of librdkafka's.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace monitor::metriclog {

using KafkaProperty = std::pair<std::string, std::string>;

// "NAME=VALUE". kInvalidArgument: no such form.
Result<KafkaProperty> parse_kafka_property(std::string_view text);

// Whether librdkafka knows the name and takes the value, and the name is not one on which the log's promises rest.
// kInvalidArgument, with the nearest name that it knows.
Status check_kafka_property(const KafkaProperty& property);

struct KafkaFileProperty {
  KafkaProperty property;
  int line = 0;  // where it begins
};

inline constexpr size_t kMaxKafkaPropertiesBytes = size_t{256} * 1024;

// As Java's properties, in UTF-8: a NAME=VALUE or NAME:VALUE a line, blanks around the separator left out; # and !
// begin comments; a backslash at the end continues the line; \\ \n \t \r \f \= \: \# \! "\ " \uXXXX are escapes, and no
// other. Each name once. kInvalidArgument: "line 3: ...", without a word of what stands there but the name.
Result<std::vector<KafkaFileProperty>> parse_kafka_properties(std::string_view text);

}  // namespace monitor::metriclog

namespace monitor::metriclog::kafka {

// Notes the value of a property whose name says that it is a secret. Thread-safe.
void note_secret(const KafkaProperty& property);
// What librdkafka says, without the secrets that were noted: a text that has one in it is left out altogether.
// Thread-safe.
std::string without_secrets(std::string_view text);

}  // namespace monitor::metriclog::kafka
