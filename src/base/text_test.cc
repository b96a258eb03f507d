// Text, times, checksums, randomness and log lines.
#include "base/text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/audit.h"
#include "base/crc32c.h"
#include "base/escape.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/net/backoff.h"
#include "base/protowire.h"
#include "base/random.h"
#include "base/time_format.h"

namespace monitor {
namespace {

TEST(Text, QuotesJsonStrings) {
  EXPECT_EQ(json_quote("a\"b\\c\n\t\x01"), R"("a\"b\\c\n\t\u0001")");
  EXPECT_EQ(json_quote("\xC3\xBC \xFF"), "\"\xC3\xBC \xEF\xBF\xBD\"");
}

TEST(Text, PrintsNumbersThatParseBack) {
  EXPECT_EQ(json_number(0.1), "0.1");
  EXPECT_EQ(json_number(std::nan("")), "null");
  EXPECT_EQ(json_number(INFINITY), "null");
  SeededRandom random(1);
  for (int i = 0; i < 1000; ++i) {
    const double value = random.unit() * 1e6;
    EXPECT_EQ(parse_double(json_number(value)), value);
  }
}

TEST(Text, ValidatesAndSanitizesUtf8) {
  EXPECT_TRUE(valid_utf8("plain \xC3\xBC \xE2\x82\xAC \xF0\x9F\x98\x80"));
  for (const char* bad :
       {"\x80", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xC3", "\xF0\x9F\x98"}) {
    EXPECT_FALSE(valid_utf8(bad));
    EXPECT_TRUE(valid_utf8(sanitize_utf8(bad)));
  }
  EXPECT_EQ(sanitize_utf8("a\x1b[31mb"), "a\xEF\xBF\xBD[31mb") << "no escape reaches a terminal";
}

TEST(Text, ConvertsToAndFromHex) {
  EXPECT_EQ(hex(std::string("\x00\xff\x10", 3)), "00ff10");
  EXPECT_EQ(unhex("00FF10"), std::string("\x00\xff\x10", 3));
  EXPECT_FALSE(unhex("0"));
  EXPECT_FALSE(unhex("0g"));
}

TEST(Text, FindsTheNearestName) {
  const std::vector<std::string> known = {"cpu", "memory", "disk read", "disk write"};
  EXPECT_EQ(nearest("cpuu", known), "cpu");
  EXPECT_EQ(nearest("dsk read", known), "disk read");
  EXPECT_FALSE(nearest("temperature", known));
  EXPECT_FALSE(nearest(std::string(10'000, 'x'), known));
  EXPECT_EQ(nearest("cpa", known), "cpu");
  EXPECT_FALSE(nearest("cat", known)) << "two of three letters differ";
}

TEST(Text, MatchesGlobsInLinearTime) {
  EXPECT_TRUE(glob_match("system.*", "system.cpu"));
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("a?c*e", "abcde"));
  EXPECT_FALSE(glob_match("a?c", "ac"));
  EXPECT_FALSE(glob_match("", "x"));
  EXPECT_FALSE(glob_match(std::string(50, '*') + "b", std::string(20'000, 'a')));
}

TEST(Text, ParsesOnlyWholeTextsAsNumbers) {
  EXPECT_EQ(parse_u64("18446744073709551615"), UINT64_MAX);
  for (const char* bad : {"", " 1", "1 ", "-1", "+1", "18446744073709551616", "1x"})
    EXPECT_FALSE(parse_u64(bad)) << bad;
  EXPECT_EQ(parse_i64("-5"), -5);
}

TEST(Text, ValidatesNames) {
  EXPECT_TRUE(valid_name("agent-001.eu_1"));
  for (const std::string bad : {"", ".", "..", "a/b", "a b", "\xC3\xBC"}) EXPECT_FALSE(valid_name(bad)) << bad;
  EXPECT_TRUE(valid_name(std::string(128, 'a')));
  EXPECT_FALSE(valid_name(std::string(129, 'a')));
}

TEST(Time, ParsesAndPrintsRfc3339) {
  EXPECT_EQ(format_rfc3339(1'700'000'000'123'456'789), "2023-11-14T22:13:20.123456789Z");
  EXPECT_EQ(format_rfc3339(-1, 3), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(*parse_rfc3339("2023-11-14T23:13:20.5+01:00"), 1'700'000'000'500'000'000);
  SeededRandom random(2);
  for (int i = 0; i < 1000; ++i) {
    const auto time = static_cast<int64_t>(random.below(4'000'000'000'000'000'000));
    EXPECT_EQ(*parse_rfc3339(format_rfc3339(time)), time);
  }
  for (const char* bad : {"", "2023-11-14", "2023-02-30T00:00:00Z", "2023-11-14T22:13:20", "2023-11-14T25:00:00Z",
                          "yesterday", "9999-01-01T00:00:00Z", "2023-11-14T22:13:20.1234567890Z"}) {
    EXPECT_FALSE(parse_rfc3339(bad)) << bad;
  }
}

TEST(Time, ParsesAndPrintsDurations) {
  EXPECT_EQ(*parse_duration("5"), 5 * kNanosPerSecond);
  EXPECT_EQ(*parse_duration("0.1"), 100 * kNanosPerMilli);
  EXPECT_EQ(*parse_duration("250ms"), 250 * kNanosPerMilli);
  EXPECT_EQ(*parse_duration("1h30m"), 5400 * kNanosPerSecond);
  for (const char* bad : {"", "-1", "5 s", "s", "1x", "1e3", "nan", "inf", "9999999d", "1m5"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
  for (const int64_t ns : {INT64_C(0), INT64_C(1), 1500 * kNanosPerMilli, 90'061 * kNanosPerSecond}) {
    EXPECT_EQ(*parse_duration(format_duration(ns)), ns);
  }
}

// RFC 3720, appendix B.4.
TEST(Crc32c, MatchesTheVectorsOfTheRfc) {
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43U);
  std::string rising;
  for (int i = 0; i < 32; ++i) rising += static_cast<char>(i);
  EXPECT_EQ(crc32c(rising), 0x46DD794EU);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c("6789", crc32c("12345")), 0xE3069283U) << "in parts";
}

TEST(Protowire, FailsOnMalformedBytesAndEnds) {
  using namespace std::string_literals;
  const std::vector<std::string> malformed = {"\x08"s, "\x0A\x05"s + "ab",         "\x09"s + "1234567",
                                              "\x0B"s, std::string("\x00\x01", 2), std::string(10, '\xFF') + "\x01"};
  for (const std::string& bytes : malformed) {
    protowire::Reader reader(bytes);
    while (reader.next()) {
    }
    EXPECT_TRUE(reader.failed());
  }
  EXPECT_EQ(protowire::unzigzag(protowire::zigzag(INT64_MIN)), INT64_MIN);
}

TEST(Backoff, IsJitteredAndBounded) {
  SeededRandom random(3);
  Backoff backoff(random, 100, 1000);
  int64_t longest = 0;
  for (int i = 0; i < 1000; ++i) {
    const int64_t wait = backoff.next_ns();
    if (i == 0) {
      EXPECT_LE(wait, 100);
    }
    EXPECT_LE(wait, 1000);
    longest = std::max(longest, wait);
  }
  EXPECT_GT(longest, 900);
  backoff.reset();
  EXPECT_LE(backoff.next_ns(), 100);
}

TEST(Random, BelowIsUniformWithinItsRange) {
  SeededRandom random(4);
  std::vector<int> seen(7);
  for (int i = 0; i < 7000; ++i) ++seen[random.below(7)];
  for (const int count : seen) EXPECT_NEAR(count, 1000, 200);
}

TEST(Log, PrintsTextAndJson) {
  constexpr int64_t kTime = 1'700'000'000'123'000'000;
  EXPECT_EQ(format_log_line(LogFormat::kText, kTime, LogLevel::kInfo, "configuration applied",
                            {{"revision", 7}, {"source", "/a b"}, {"got", LogJson{"\"cpuu\""}}, {"ok", true}}),
            R"(2023-11-14T22:13:20.123Z INFO configuration applied revision=7 source="/a b" got="cpuu" ok=true)");
  EXPECT_EQ(format_log_line(LogFormat::kText, kTime, LogLevel::kInfo, "e\x1b[31m",
                            {{"s", "a\nb\xc2\x9b"}, {"t", "\xe2\x80\xae"}}),
            format_log_line(LogFormat::kText, kTime, LogLevel::kInfo, "e\\u001b[31m",
                            {{"s", LogJson{R"("a\nb\u009b")"}}, {"t", LogJson{R"("\u202e")"}}}));
  EXPECT_EQ(format_log_line(LogFormat::kJson, kTime, LogLevel::kWarning, "x", {{"n", 0.5}, {"s", "a"}}, 3),
            R"({"time":"2023-11-14T22:13:20.123Z","level":"warning","event":"x","n":0.5,"s":"a","repeated":3})");
  EXPECT_FALSE(parse_log_level("loud"));
  EXPECT_TRUE(parse_log_format("json"));
}

// Otherwise many changes could hide one of them.
TEST(Log, NeverRateLimitsAuditLines) {
  constexpr int kMany = 2000;
  testing::internal::CaptureStderr();
  for (int i = 0; i < kMany; ++i) log_audit("configuration changed by a test", {{"number", i}});
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), kMany);
  EXPECT_NE(said.find("number=1999"), std::string::npos);
}

TEST(Log, EscapesForeignJsonInBothFormats) {
  for (const LogFormat format : {LogFormat::kText, LogFormat::kJson}) {
    const std::string line = format_log_line(format, 0, LogLevel::kInfo, "e", {{"got", LogJson{"\"\xc2\x9b\x7f\""}}});
    EXPECT_NE(line.find(R"("\u009b\u007f")"), std::string::npos) << line;
  }
}

TEST(Log, QuotesValuesThatLookLikeFields) {
  EXPECT_NE(format_log_line(LogFormat::kText, 0, LogLevel::kInfo, "e", {{"a", "x\xc2\xa0who=me"}})
                .find("a=\"x\xc2\xa0who=me\""),
            std::string::npos)
      << "a no-break space looks like a space";
}

TEST(Printable, EscapesTerminalControlsAndDeceptiveCharacters) {
  EXPECT_EQ(printable("a\x1b[31mb\x07\x7f"), "a\\u001b[31mb\\u0007\\u007f");
  EXPECT_EQ(printable("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\u0000b");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\u009b31m")
      << "C1, encoded";
  EXPECT_EQ(printable("\x9b"
                      "31m"),
            "\xEF\xBF\xBD"
            "31m")
      << "a bare C1 byte is not UTF-8";
  EXPECT_EQ(printable("a\xe2\x80\xae"
                      "b"),
            "a\\u202eb")
      << "right-to-left override";
  EXPECT_EQ(printable("\xe2\x81\xa6\xd8\x9c\xe2\x80\xa8\xef\xbb\xbf"), "\\u2066\\u061c\\u2028\\ufeff");
  EXPECT_EQ(printable("\xf3\xa0\x81\x81"), "\\udb40\\udc41") << "a tag";
  EXPECT_EQ(printable("C:\\x \"q\" \xc3\xa4\xe2\x82\xac"), "C:\\x \"q\" \xc3\xa4\xe2\x82\xac")
      << "harmless characters stay";
  EXPECT_EQ(printable_lines("a\n\tb\x1b"), "a\n\tb\\u001b");
}

TEST(JsonQuote, EscapesTheSameCharactersAsPrintable) {
  EXPECT_EQ(json_quote("\xc2\x9b\xe2\x80\xae\x1b\xf3\xa0\x81\x81"), R"("\u009b\u202e\u001b\udb40\udc41")");
}

TEST(CsvField, QuotesAndDisarmsFormulas) {
  EXPECT_EQ(csv_field("plain a=b"), "plain a=b");
  EXPECT_EQ(csv_field("x,y"), "\"x,y\"");
  EXPECT_EQ(csv_field("q\"q"), "\"q\"\"q\"");
  EXPECT_EQ(csv_field("a\nb"), "\"a\\nb\"") << "a record must stay on one line";
  EXPECT_EQ(csv_field("\x1b[2J"), "\\u001b[2J");
  for (const char* const formula : {"=1+1", "+1", "-1", "@SUM(A1)"})
    EXPECT_EQ(csv_field(formula), std::string("'") + formula);
  EXPECT_EQ(csv_field("=HYPERLINK(\"http://x\",\"y\")"), "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"");
  EXPECT_EQ(csv_field("\t=1"), "'\\t=1");
}

}  // namespace
}  // namespace monitor
