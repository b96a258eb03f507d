// The parsers of what peers and files say.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doctor/env_file.h"
#include "doctor/http_answer.h"
#include "doctor/skew.h"
#include "doctor/testing/fake_world.h"
#include "doctor/url.h"

namespace monitor::doctor {
namespace {

using testing::HasSubstr;

TEST(HttpAnswer, ReadsStatusHeadersAndBody) {
  const auto answer = parse_http_answer("HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 2\r\n\r\nhi and more");
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->headers.at("date"), "x");
  EXPECT_EQ(answer->body, "hi");
}

TEST(HttpAnswer, DecodesChunks) {
  const auto answer =
      parse_http_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=1\r\nde\r\n0\r\n\r\n");
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->body, "abcde");
}

TEST(HttpAnswer, RejectsWhatIsNotHttpOrIsCutOff) {
  for (const char* const bytes :
       {"", "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi",
        "HTTP/1.1 999 X\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nabc"}) {
    EXPECT_FALSE(parse_http_answer(bytes).ok()) << bytes;
  }
  EXPECT_EQ(parse_http_answer("HTTP/1.1 200 OK\r\nA: " + std::string(kMaxHttpHeaderBytes, 'x')).error().code(),
            Code::kResourceExhausted);
}

TEST(HttpAnswer, KnowsWhenItIsComplete) {
  EXPECT_FALSE(http_answer_complete("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi"));
  EXPECT_TRUE(http_answer_complete("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"));
  EXPECT_FALSE(http_answer_complete("HTTP/1.1 200 OK\r\n\r\nuntil the end")) << "ends with the connection";
  EXPECT_TRUE(http_answer_complete("SSH-2.0-OpenSSH_9.2\r\n")) << "waiting for more is pointless";
}

TEST(HttpDate, AcceptsOneFormOnly) {
  const auto date = parse_http_date("Tue, 14 Nov 2023 22:13:20 GMT");
  ASSERT_TRUE(date.ok());
  EXPECT_EQ(*date, kFakeNow);
  for (const char* const text : {"", "now", "Tue, 14 Nov 2023 22:13:20 UTC", "Tuesday, 14-Nov-23 22:13:20 GMT",
                                 "Tue, 14 Nov 2023 22:13:20 GMT and more", "Tue, 99 Nov 2023 22:13:20 GMT"}) {
    EXPECT_FALSE(parse_http_date(text).ok()) << text;
  }
}

TEST(Skew, BoundsTheDifferenceByTheExchange) {
  const Skew skew = skew_of({.peer_ns = 1000, .resolution_ns = 0, .asked_ns = 900, .answered_ns = 940});
  EXPECT_EQ(skew.offset_ns, 80);
  EXPECT_EQ(skew.precision_ns, 20);
}

TEST(Skew, NeverOverflows) {
  for (const int64_t peer : {INT64_MIN, int64_t{0}, INT64_MAX}) {
    const Skew skew = skew_of({peer, kNanosPerSecond, kFakeNow, kFakeNow + 1});
    EXPECT_GE(skew.precision_ns, 0) << peer;
    EXPECT_GE(skew.offset_ns, -INT64_MAX) << peer;
  }
}

TEST(Url, SplitsSchemeAddressAndPath) {
  const auto url = parse_url("https://page.example:8443/x/y");
  ASSERT_TRUE(url.ok());
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->address.to_string(), "page.example:8443");
  EXPECT_EQ(url->path, "/x/y");
  EXPECT_EQ(parse_url("http://[::1]")->address.port, 80);
  for (const char* const text :
       {"", "page.example", "http://", "http://h:99999/", "http://h/a b", "http://h/\r\nX: y"}) {
    EXPECT_FALSE(parse_url(text).ok()) << text;
  }
}

TEST(EnvFile, ReadsWhatSystemdReads) {
  const auto values =
      parse_env_file("# comment\n; too\n\nA=1\n B = two words \nC=\"a \\\"b\\\" $c\"\nD='x # y'\nA=2\nE=\nF=a\\ b\n");
  ASSERT_TRUE(values.ok());
  EXPECT_EQ(*values,
            (std::map<std::string, std::string>{
                {"A", "2"}, {"B", "two words"}, {"C", "a \"b\" $c"}, {"D", "x # y"}, {"E", ""}, {"F", "a b"}}));
}

TEST(EnvFile, NamesTheLineButNoValue) {
  for (const char* const text :
       {"A=1\nhunter2\n", "A=1\n=hunter2\n", "A=1\nB=\"hunter2\n", "A=1\n1B=hunter2\n", "A=1\nB=hunter2\\"}) {
    const auto values = parse_env_file(text);
    ASSERT_FALSE(values.ok()) << text;
    EXPECT_THAT(values.error().message(), HasSubstr("line 2")) << text;
    EXPECT_EQ(values.error().message().find("hunter2"), std::string::npos) << text;
  }
}

TEST(EnvFile, WritesWhatItReads) {
  for (const std::string value :
       {"", "plain", "a b", "quote\"s'", "back\\slash", "$HOME `x`", "#no comment", "h:1,i:2", "ä"}) {
    const auto text = env_value(value);
    ASSERT_TRUE(text.ok()) << value;
    const auto read = parse_env_file("V=" + *text + "\n");
    ASSERT_TRUE(read.ok()) << *text;
    EXPECT_EQ(read->at("V"), value);
  }
  EXPECT_FALSE(env_value("two\nlines").ok());
}

}  // namespace
}  // namespace monitor::doctor
