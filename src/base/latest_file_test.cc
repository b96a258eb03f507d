// Only the newest content is written, and the loop never waits for the disk.
#include "base/latest_file.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/testing/manual_worker.h"

namespace monitor {
namespace {

struct World {
  ManualWorker worker;
  std::vector<std::string> written;
  std::vector<bool> told;
  bool full = false;
  std::optional<LatestFile> file{std::in_place, worker,
                                 [this](const std::string& content) -> Status {
                                   if (full) return Error(Code::kResourceExhausted, "disk full");
                                   written.push_back(content);
                                   return {};
                                 },
                                 [this](const Status& status) { told.push_back(status.ok()); }};
};

TEST(LatestFile, WritesNothingItself) {
  World w;
  w.file->put("a");
  EXPECT_TRUE(w.written.empty());
  w.worker.run_all();
  EXPECT_EQ(w.written, (std::vector<std::string>{"a"}));
  EXPECT_EQ(w.told, (std::vector<bool>{true}));
}

TEST(LatestFile, NewContentReplacesWaitingContent) {
  World w;
  for (const char* content : {"a", "b", "c", "d"}) w.file->put(content);
  w.worker.run_all();
  EXPECT_EQ(w.written, (std::vector<std::string>{"a", "d"}));
  w.file->put("e");
  w.worker.run_all();
  EXPECT_EQ(w.written.back(), "e");
}

TEST(LatestFile, ContinuesAfterAFailure) {
  World w;
  w.full = true;
  w.file->put("a");
  w.file->put("b");
  ASSERT_TRUE(w.worker.run_one());
  w.full = false;
  w.worker.run_all();
  EXPECT_EQ(w.told, (std::vector<bool>{false, true}));
  EXPECT_EQ(w.written, (std::vector<std::string>{"b"}));
}

TEST(LatestFile, WritesTheLastContentAfterDestruction) {
  World w;
  w.file->put("a");
  w.file->put("b");
  w.file.reset();
  w.worker.run_all();
  EXPECT_EQ(w.written, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(w.told.empty());
}

TEST(LatestFile, WritesNoForgottenContent) {
  World w;
  w.file->put("a");
  w.file->put("b");
  w.file->forget();
  w.worker.run_all();
  EXPECT_EQ(w.written, (std::vector<std::string>{"a"}));
  w.file->put("c");
  w.worker.run_all();
  EXPECT_EQ(w.written.back(), "c");
}

}  // namespace
}  // namespace monitor
