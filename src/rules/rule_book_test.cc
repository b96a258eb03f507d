#include "rules/rule_book.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "base/testing/temporary_folder.h"
#include "rules/rule_folder.h"

namespace monitor::rules {
namespace {

std::string file_with(const std::string& alert) {
  return "groups:\n- name: g\n  rules:\n  - alert: " + alert + "\n    expr: m > 1\n";
}

std::vector<std::string> names(const RuleBook& book) {
  std::vector<std::string> all;
  for (const Group& group : book.groups()) {
    for (const Rule& rule : group.rules) all.push_back(group.file + " " + rule.name);
  }
  return all;
}

using Names = std::vector<std::string>;

TEST(RuleBook, TakesReplacesAndRemovesFilesOfOneOrigin) {
  RuleBook book;
  auto change = book.take("files", {{"a.yml", file_with("A")}, {"b.yml", file_with("B")}});
  EXPECT_TRUE(change.groups);
  EXPECT_EQ(change.applied, (Names{"a.yml", "b.yml"}));
  (void)book.take("etcd", {{"etcd:x", file_with("X")}});
  EXPECT_EQ(names(book), (Names{"a.yml A", "b.yml B", "etcd:x X"}));
  change = book.take("files", {{"a.yml", file_with("A2")}});
  EXPECT_EQ(change.applied, Names{"a.yml"});
  EXPECT_EQ(change.removed, Names{"b.yml"});
  EXPECT_EQ(names(book), (Names{"a.yml A2", "etcd:x X"}));
  EXPECT_FALSE(book.take("files", {{"a.yml", file_with("A2")}}).any()) << "nothing has changed";
}

TEST(RuleBook, AFileThatIsNotValidLeavesItsPreviousVersionInForce) {
  RuleBook book;
  (void)book.take("files", {{"a.yml", file_with("A")}, {"b.yml", file_with("B")}});
  auto change = book.take("files", {{"a.yml", std::string("groups: 3\n")}, {"b.yml", file_with("B2")}});
  EXPECT_EQ(change.refused, Names{"a.yml"});
  EXPECT_EQ(change.applied, Names{"b.yml"}) << "other files do not wait for it";
  EXPECT_EQ(names(book), (Names{"a.yml A", "b.yml B2"}));
  EXPECT_NE(book.files().at("a.yml").fault.find("a.yml:1:9:"), std::string::npos) << book.files().at("a.yml").fault;
  EXPECT_EQ(book.refused(), 1U);
  EXPECT_FALSE(book.take("files", {{"a.yml", std::string("groups: 3\n")}, {"b.yml", file_with("B2")}}).any())
      << "said once";
  change = book.take("files", {{"a.yml", file_with("A")}, {"b.yml", file_with("B2")}});
  EXPECT_FALSE(change.groups) << "the version in force is valid again";
  EXPECT_EQ(book.refused(), 0U);
}

TEST(RuleBook, AFileThatCannotBeReadLeavesItsPreviousVersionInForce) {
  RuleBook book;
  (void)book.take("files", {{"a.yml", file_with("A")}});
  const auto change = book.take("files", {{"a.yml", Error(Code::kPermissionDenied, "reading a.yml: denied")}});
  EXPECT_EQ(change.refused, Names{"a.yml"});
  EXPECT_FALSE(change.groups);
  EXPECT_EQ(names(book), Names{"a.yml A"});
}

TEST(RuleBook, AFirstVersionThatIsNotValidHasNoRules) {
  RuleBook book;
  (void)book.take("files", {{"a.yml", std::string("groups: 3\n")}});
  EXPECT_TRUE(names(book).empty());
  EXPECT_FALSE(book.files().at("a.yml").valid);
}

TEST(RuleBook, ContinuesWithWhatWasInForce) {
  RuleBook book;
  book.restore("etcd", "etcd:x", file_with("X"));
  book.restore("files", "a.yml", "of an older version: [\n");
  EXPECT_EQ(names(book), Names{"etcd:x X"});
  EXPECT_FALSE(book.take("etcd", {{"etcd:x", file_with("X")}}).any());
  (void)book.take("etcd", {{"etcd:x", std::string("groups: 3\n")}});
  EXPECT_EQ(names(book), Names{"etcd:x X"});
}

class RuleFolderTest : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) const { std::ofstream(root_ / name) << text; }
  std::string path(const std::string& name) const { return root_ / name; }

  const TemporaryFolder folder_;
  const std::filesystem::path root_ = folder_.path();
  PosixDisk disk_;
};

TEST_F(RuleFolderTest, ReadsTheRuleFilesOfAFolderAndThoseThatAreNamed) {
  std::filesystem::create_directory(root_ / "rules");
  write("rules/a.yml", "a");
  write("rules/b.yaml", "b");
  write("rules/.hidden.yml", "-");
  write("rules/notes.txt", "-");
  write("one", "1");
  RuleFolder folder(disk_, {path("rules"), path("one"), path("missing")});
  const auto texts = folder.look();
  ASSERT_TRUE(texts);
  ASSERT_EQ(texts->size(), 4U);
  EXPECT_EQ(*texts->at(path("rules/a.yml")), "a");
  EXPECT_EQ(*texts->at(path("rules/b.yaml")), "b");
  EXPECT_EQ(*texts->at(path("one")), "1");
  EXPECT_EQ(texts->at(path("missing")).error().code(), Code::kNotFound);
  EXPECT_FALSE(folder.look()) << "nothing has changed";
}

TEST_F(RuleFolderTest, WaitsUntilAFileIsNoLongerWritten) {
  write("a.yml", "one");
  RuleFolder folder(disk_, {path("a.yml")});
  ASSERT_TRUE(folder.look());
  write("a.yml", "");
  EXPECT_FALSE(folder.look());
  write("a.yml", "two two");
  EXPECT_FALSE(folder.look());
  const auto texts = folder.look();
  ASSERT_TRUE(texts);
  EXPECT_EQ(*texts->at(path("a.yml")), "two two");
}

TEST_F(RuleFolderTest, TakesNothingForRemovedWhenAFolderIsGone) {
  std::filesystem::create_directory(root_ / "rules");
  write("rules/a.yml", "a");
  RuleFolder folder(disk_, {path("rules")});
  ASSERT_TRUE(folder.look());
  std::filesystem::rename(root_ / "rules", root_ / "away");
  EXPECT_FALSE(folder.look());
  EXPECT_FALSE(folder.look());
  EXPECT_NE(folder.trouble(), "");
  std::filesystem::rename(root_ / "away", root_ / "rules");
  (void)folder.look();
  EXPECT_EQ(folder.trouble(), "");
  std::filesystem::remove(root_ / "rules/a.yml");
  (void)folder.look();
  const auto texts = folder.look();
  ASSERT_TRUE(texts);
  EXPECT_TRUE(texts->empty());
}

}  // namespace
}  // namespace monitor::rules
