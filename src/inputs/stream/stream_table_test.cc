#include "inputs/stream/stream_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace monitor::server {
namespace {

std::shared_ptr<LiveStream> stream(const std::string& agent, const std::string& certificate,
                                   std::optional<Error>& ended) {
  auto made = std::make_shared<LiveStream>();
  made->agent_id = agent;
  made->incarnation = agent + certificate;
  made->certificate.serial = certificate;
  made->end = [&ended](Error error) { ended = std::move(error); };
  return made;
}

TEST(StreamTableTest, EndsTheStreamsOfSomeCertificates) {
  StreamTable table;
  std::optional<Error> revoked;
  std::optional<Error> renewed;
  std::optional<Error> other;
  std::optional<Error> without;
  ASSERT_TRUE(table.add(stream("web-1", "0a", revoked), 16));
  ASSERT_TRUE(table.add(stream("web-1", "0b", renewed), 16));
  ASSERT_TRUE(table.add(stream("web-2", "0c", other), 16));
  ASSERT_TRUE(table.add(stream("web-3", "", without), 16));
  const auto ends = [](const LiveStream& one) {
    return one.certificate.serial.empty() || one.certificate.serial == "0a";
  };
  EXPECT_EQ(table.end_if(ends, Error(Code::kPermissionDenied, "revoked")), 1U);
  ASSERT_TRUE(revoked);
  EXPECT_EQ(revoked->message(), "revoked");
  EXPECT_FALSE(renewed);
  EXPECT_FALSE(other);
  EXPECT_FALSE(without) << "a stream without a certificate is not a matter of serial numbers";
}

}  // namespace
}  // namespace monitor::server
