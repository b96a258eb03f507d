#include "metriclog/kafka/properties.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace monitor::metriclog {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::string_literals;

constexpr const char* kSecret = "hunter2secret";

std::vector<KafkaProperty> parsed(const std::string& text) {
  const auto found = parse_kafka_properties(text);
  EXPECT_TRUE(found) << found.error().message();
  std::vector<KafkaProperty> result;
  if (found) {
    for (const auto& one : *found) result.push_back(one.property);
  }
  return result;
}

std::string fault(const std::string& text) {
  const auto found = parse_kafka_properties(text);
  EXPECT_FALSE(found);
  return found ? "" : found.error().message();
}

TEST(KafkaPropertiesFile, AcceptsTheFormatOfJavasProperties) {
  const std::vector<KafkaProperty> expected = {{"security.protocol", "SASL_SSL"},
                                               {"sasl.mechanisms", "PLAIN"},
                                               {"sasl.username", "alice"},
                                               {"sasl.password", "a=b:c #d!"},
                                               {"client.id", ""},
                                               {"ssl.ca.location", "/etc/one,two"}};
  EXPECT_EQ(parsed("\xEF\xBB\xBF# a comment\n"
                   "! another\r\n"
                   "\n   \t\n"
                   "security.protocol=SASL_SSL\r\n"
                   "  sasl.mechanisms = PLAIN\n"
                   "sasl.username: alice\n"
                   "sasl.password=a=b:c #d!\n"
                   "client.id=\n"
                   "ssl.ca.location=/etc/one,\\\n"
                   "    two"),
            expected);
  EXPECT_TRUE(parsed("").empty());
}

TEST(KafkaPropertiesFile, ResolvesEscapes) {
  EXPECT_EQ(parsed(R"(sasl.password=a\\b\=c\:\#\!\ \u00e9\u20ac\t)")[0].second, "a\\b=c:#! \xC3\xA9\xE2\x82\xAC\t");
  EXPECT_EQ(parsed("sasl.password=ends\\\\\n")[0].second, "ends\\")
      << "an escaped backslash must not continue the line";
  EXPECT_EQ(parsed("sasl.password=blank  \n")[0].second, "blank  ") << "trailing blanks count, as in Java";
}

TEST(KafkaPropertiesFile, ReportsTheLineAndNeverTheValue) {
  for (const auto& [text, said] : std::vector<std::pair<std::string, std::string>>{
           {"a=b\n"s + kSecret + "\n", "line 2: expected NAME=VALUE"},
           {"a=b\n\n#x\nsasl password="s + kSecret, "line 4: expected a name"},
           {"="s + kSecret, "line 1: expected a name"},
           {"sasl.password=\\q"s + kSecret, "line 1: sasl.password: a backslash in its value starts no valid escape"},
           {"sasl.password=\\u12"s + kSecret, "line 1: sasl.password: a backslash"},
           {"sasl.password=\\ud800"s + kSecret, "line 1: sasl.password: a backslash"},
           {"x=1\nsasl.password="s + kSecret + "\\", "line 2: a backslash continues it, but the file ends"},
           {"a="s + kSecret + "\nb=1\na=2", "line 3: a was already set in line 1"},
           {"a="s + kSecret + "\0"s, "line 1: it contains a NUL"},
           {"a="s + kSecret + "\xff", "line 1: it is not UTF-8"},
           {std::string(kMaxKafkaPropertiesBytes + 1, ' '), "the limit is 262144"}}) {
    EXPECT_THAT(fault(text), HasSubstr(said));
    EXPECT_THAT(fault(text), Not(HasSubstr(kSecret)));
  }
}

TEST(KafkaProperty, NeverQuotesWhatItRejects) {
  for (const std::string& text : {"sasl.password:"s + kSecret, std::string(kSecret), "="s + kSecret,
                                  "sasl password="s + kSecret, "\n="s + kSecret}) {
    const auto got = parse_kafka_property(text);
    ASSERT_FALSE(got) << text;
    EXPECT_THAT(got.error().message(), HasSubstr("NAME=VALUE"));
    EXPECT_THAT(got.error().message(), Not(HasSubstr(kSecret)));
  }
}

TEST(KafkaProperty, ReportsTyposWithoutTheirValues) {
  for (const std::string name : {"sasl.pasword", "linger.ms", "security.protocol", "sasl.mechanism", "debug", "acks",
                                 "sasl.password\n", "socket.timeout.ms", "topic.metadata.propagation.max.ms"}) {
    for (const std::string& value : {std::string(kSecret), "all,"s + kSecret, kSecret + "\0x"s}) {
      const Status checked = check_kafka_property({name, value});
      EXPECT_THAT(checked ? "" : checked.error().message(), Not(HasSubstr(kSecret)));
    }
  }
  EXPECT_THAT(check_kafka_property({"sasl.pasword", kSecret}).error().message(),
              HasSubstr("sasl.pasword: the Kafka client has no such setting; did you mean sasl.password?"));
  const Status range = check_kafka_property({"linger.ms", "987654321"});
  EXPECT_THAT(range.error().message(), HasSubstr("allowed range"));
  EXPECT_THAT(range.error().message(), Not(HasSubstr("987654321")));
  EXPECT_TRUE(check_kafka_property({"sasl.password", kSecret}));
}

TEST(KafkaProperty, OmitsMessagesOfTheClientThatContainASecret) {
  kafka::note_secret({"sasl.password", "s3cr3t-of-the-client"});
  kafka::note_secret({"client.id", "plain"});
  EXPECT_THAT(kafka::without_secrets("login with s3cr3t-of-the-client failed"), Not(HasSubstr("s3cr3t")));
  EXPECT_EQ(kafka::without_secrets("client plain failed"), "client plain failed");
}

}  // namespace
}  // namespace monitor::metriclog
