// The form of a record, and what is refused.
#include "config/history/change_record.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace monitor::config {
namespace {

ChangeRecord record() {
  ChangeRecord one;
  one.number = 7;
  one.note = {
      "alice", AuthorKind::kStated, "ci", "more detail\nfor a week", "set", int64_t{1767323040} * kNanosPerSecond};
  one.text = "{\"interval\": 5}\n";
  return one;
}

TEST(ChangeRecordTest, ParsesWhatItWrites) {
  const auto back = parse_record(to_json(record()));
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(back->number, 7U);
  EXPECT_EQ(back->note.author, "alice");
  EXPECT_EQ(back->note.kind, AuthorKind::kStated);
  EXPECT_EQ(back->note.account, "ci");
  EXPECT_EQ(back->note.message, "more detail\nfor a week");
  EXPECT_EQ(back->note.command, "set");
  EXPECT_EQ(back->note.at_ns, record().note.at_ns);
  EXPECT_EQ(back->text, record().text);
  EXPECT_FALSE(back->found);
  EXPECT_EQ(to_json(record()).find('\n'), std::string::npos) << "a record is one line";
}

TEST(ChangeRecordTest, KeepsDeletionsFindsAndBytesThatAreNotText) {
  ChangeRecord one = record();
  set_text(one, std::nullopt);
  ASSERT_TRUE(parse_record(to_json(one)));
  EXPECT_TRUE(parse_record(to_json(one))->deleted());
  one.found = true;
  one.revision = 12;
  set_text(one, std::string("\xff\x00{", 3));
  const auto back = parse_record(to_json(one));
  ASSERT_TRUE(back);
  EXPECT_TRUE(back->found);
  EXPECT_EQ(back->revision, 12);
  EXPECT_TRUE(back->matches(std::string("\xff\x00{", 3)));
  EXPECT_FALSE(back->matches(std::nullopt));
}

TEST(ChangeRecordTest, KeepsOnlyTheMarkOfAHugeText) {
  ChangeRecord one = record();
  const std::string huge(kMostKeptBytes + 1, 'x');
  set_text(one, huge);
  const auto back = parse_record(to_json(one));
  ASSERT_TRUE(back);
  EXPECT_FALSE(back->text);
  EXPECT_FALSE(back->deleted());
  EXPECT_TRUE(back->matches(huge));
  EXPECT_FALSE(back->matches(huge + "x"));
}

TEST(ChangeRecordTest, TheLargestTextFitsIntoARecord) {
  ChangeRecord one = record();
  for (const char c : {'"', '\n', '\x01', '\xff'}) {
    set_text(one, std::string(kMostKeptBytes, c));
    EXPECT_LE(to_json(one).size(), kMostRecordBytes);
    EXPECT_TRUE(parse_record(to_json(one)));
  }
}

TEST(ChangeRecordTest, RefusesWhatIsNotARecord) {
  const std::string good = to_json(record());
  ASSERT_TRUE(parse_record(good));
  for (const std::string& bad :
       {std::string(),
        std::string("null"),
        std::string("[]"),
        std::string("{}"),
        std::string(R"({"v":1})"),
        std::string(R"({"v":1,"number":0,"at":"2026-01-01T00:00:00Z","deleted":true})"),
        std::string(R"({"v":1,"number":-1,"at":"2026-01-01T00:00:00Z","deleted":true})"),
        std::string(R"({"v":1,"number":1,"at":"yesterday","deleted":true})"),
        std::string(R"({"v":1,"number":1,"at":"2026-01-01T00:00:00Z"})"),
        std::string(R"({"v":1,"number":1,"at":"2026-01-01T00:00:00Z","deleted":true,"text":"x"})"),
        std::string(R"({"v":1,"number":1,"at":"2026-01-01T00:00:00Z","text":"x","hex":"00"})"),
        std::string(R"({"v":1,"number":1,"at":"2026-01-01T00:00:00Z","hex":"0g"})"),
        std::string(R"({"v":1,"number":1,"at":"2026-01-01T00:00:00Z","text":5})"),
        std::string(R"({"v":1,"number":1,"at":"2026-01-01T00:00:00Z","text":"x","author":["a"]})"),
        std::string(R"({"v":1,"number":1,"at":"2026-01-01T00:00:00Z","text":"x","found":-1})"),
        R"({"v":1,"number":1,"at":"2026-01-01T00:00:00Z","text":"x","author":")" + std::string(201, 'a') + "\"}",
        std::string(10'000, '['),
        std::string(kMostRecordBytes + 1, ' '),
        good + "x",
        good.substr(0, 40)}) {
    EXPECT_FALSE(parse_record(bad)) << bad.substr(0, 100);
  }
  EXPECT_EQ(parse_record(R"({"v":2})").error().code(), Code::kUnimplemented);
}

TEST(ChangeRecordTest, ChecksAuthorsAndMessages) {
  EXPECT_TRUE(check_author("Zoë <zoe@example.org>"));
  EXPECT_TRUE(check_message("two\nlines"));
  EXPECT_TRUE(check_message(""));
  for (const std::string& bad : {std::string(), std::string("  "), std::string("a\nb"), std::string("\x1b[31m"),
                                 std::string("\xff"), std::string(kMostAuthorBytes + 1, 'a')}) {
    EXPECT_FALSE(check_author(bad)) << bad;
  }
  EXPECT_FALSE(check_message(std::string(kMostMessageBytes + 1, 'a')));
  EXPECT_FALSE(check_message("\x1b]0;x\x07"));
}

TEST(ChangeRecordTest, NamesAuthors) {
  ChangeNote note;
  EXPECT_EQ(describe_author(note), "unknown");
  note = {"alice", AuthorKind::kEtcdUser, "", "", "", 0};
  EXPECT_EQ(describe_author(note), "alice (etcd user)");
  note = {"alice", AuthorKind::kStated, "ci", "", "", 0};
  EXPECT_EQ(describe_author(note), "alice (stated by etcd user ci)");
  note.kind = AuthorKind::kExpiry;
  EXPECT_EQ(describe_author(note), "nobody (it expired)");
}

}  // namespace
}  // namespace monitor::config
