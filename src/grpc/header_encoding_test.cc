#include "grpc/header_encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <climits>
#include <string>

namespace monitor::grpc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(HeaderEncodingTest, EncodesTimeoutsInEightDigitsWithoutShorteningThem) {
  EXPECT_EQ(encode_timeout(0), "0n");
  EXPECT_EQ(encode_timeout(-5), "0n");
  EXPECT_EQ(encode_timeout(99'999'999), "99999999n");
  EXPECT_EQ(encode_timeout(100'000'001), "100001u");
  EXPECT_EQ(encode_timeout(1'000'000'000'000), "1000000m");
  for (const int64_t ns : {int64_t{1}, int64_t{123'456'789'012}, int64_t{99'999'999'999'999'999}, INT64_MAX}) {
    const std::string text = encode_timeout(ns);
    EXPECT_LE(text.size(), 9U);
    EXPECT_GE(parse_timeout(text).value(), ns);
  }
}

TEST(HeaderEncodingTest, ParsesTimeoutsStrictly) {
  EXPECT_EQ(parse_timeout("1H"), 3'600'000'000'000);
  EXPECT_EQ(parse_timeout("2M"), 120'000'000'000);
  EXPECT_EQ(parse_timeout("3S"), 3'000'000'000);
  EXPECT_EQ(parse_timeout("4m"), 4'000'000);
  EXPECT_EQ(parse_timeout("5u"), 5'000);
  EXPECT_EQ(parse_timeout("6n"), 6);
  EXPECT_EQ(parse_timeout("99999999H"), INT64_MAX);
  for (const char* bad : {"", "S", "1", "1s", "-1S", "+1S", "1.5S", " 1S", "123456789n", "1HH"}) {
    EXPECT_FALSE(parse_timeout(bad).has_value()) << bad;
  }
}

TEST(HeaderEncodingTest, PercentEncodesMessages) {
  EXPECT_EQ(percent_encode("plain text, ~!"), "plain text, ~!");
  EXPECT_EQ(percent_encode("100 %\n\xc3\xa9\x7f"), "100 %25%0A%C3%A9%7F");
  EXPECT_EQ(percent_decode("100 %25%0a%C3%A9"), "100 %\n\xc3\xa9");
  EXPECT_EQ(percent_decode("%4 %zz %"), "%4 %zz %");  // invalid escapes are left as they are
}

TEST(HeaderEncodingTest, ConvertsToAndFromBase64) {
  // RFC 4648, 10, without padding.
  EXPECT_EQ(base64_encode(""), "");
  EXPECT_EQ(base64_encode("f"), "Zg");
  EXPECT_EQ(base64_encode("foob"), "Zm9vYg");
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64_decode("Zm9vYg=="), "foob");
  EXPECT_EQ(base64_decode("Zm9vYg"), "foob");
  EXPECT_FALSE(base64_decode("Zm9vY").has_value());
  EXPECT_FALSE(base64_decode("Zm 9").has_value());
}

TEST(HeaderEncodingTest, MapsHttpAndHttp2CodesToStatuses) {
  EXPECT_EQ(parse_status_code("0"), Code::kOk);
  EXPECT_EQ(parse_status_code("16"), Code::kUnauthenticated);
  EXPECT_EQ(parse_status_code("17"), Code::kUnknown);
  EXPECT_EQ(parse_status_code("ok"), Code::kUnknown);
  EXPECT_EQ(code_of_http_status(503), Code::kUnavailable);
  EXPECT_EQ(code_of_http_status(404), Code::kUnimplemented);
  EXPECT_EQ(code_of_http_status(418), Code::kUnknown);
  EXPECT_EQ(code_of_h2_error(0x7), Code::kUnavailable);
  EXPECT_EQ(code_of_h2_error(0x8), Code::kCancelled);
  EXPECT_EQ(code_of_h2_error(0xb), Code::kResourceExhausted);
  EXPECT_EQ(code_of_h2_error(0x1234), Code::kUnknown);
  EXPECT_EQ(h2_error_name(0xd), "HTTP_1_1_REQUIRED");
}

TEST(HeaderEncodingTest, RecognizesGrpcContentTypes) {
  for (const char* good : {"application/grpc", "application/grpc+proto", "application/grpc;charset=x"}) {
    EXPECT_TRUE(is_grpc_content_type(good)) << good;
  }
  for (const char* bad : {"", "application/grpcx", "application/grpc-web", "text/html"}) {
    EXPECT_FALSE(is_grpc_content_type(bad)) << bad;
  }
}

TEST(HeaderEncodingTest, ChecksMetadata) {
  EXPECT_TRUE(check_metadata({{"a-key_1.x", "some value"}, {"b-bin", std::string("\0\xff", 2)}}).ok());
  for (const Metadata& bad : {Metadata{{"", "x"}}, Metadata{{"Key", "x"}}, Metadata{{":path", "x"}},
                              Metadata{{"grpc-status", "0"}}, Metadata{{"te", "x"}}, Metadata{{"key", "a\nb"}}}) {
    EXPECT_FALSE(check_metadata(bad).ok()) << bad[0].first;
  }
  EXPECT_THAT(check_metadata({{"key", "\xc3\xa9"}}).error().message(), HasSubstr("-bin"));
}

TEST(HeaderEncodingTest, DecodesAndSplitsBinaryMetadata) {
  Metadata metadata;
  EXPECT_TRUE(append_metadata(metadata, "key", "a,b"));
  EXPECT_TRUE(append_metadata(metadata, "key-bin", "AAE=, Zg"));
  EXPECT_THAT(metadata, ElementsAre(Pair("key", "a,b"), Pair("key-bin", std::string("\0\1", 2)), Pair("key-bin", "f")));
  EXPECT_FALSE(append_metadata(metadata, "key-bin", "!"));
  EXPECT_EQ(*find_metadata(metadata, "key"), "a,b");
  EXPECT_EQ(find_metadata(metadata, "other"), nullptr);
}

}  // namespace
}  // namespace monitor::grpc
