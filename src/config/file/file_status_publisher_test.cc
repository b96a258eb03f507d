// Status and inventory as files in a real folder; the worker runs on the test's request.
#include "config/file/file_status_publisher.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/testing/manual_worker.h"

namespace monitor::config {
namespace {

namespace fs = std::filesystem;

struct World {
  World() { fs::remove_all(folder); }
  ~World() { fs::remove_all(folder); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  std::string text(const std::string& name) const {
    std::ifstream file(folder + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const std::string folder = testing::TempDir() + "file_status_publisher_test";
  ManualWorker worker;
  FileStatusPublisher publisher{worker, folder, "a"};
};

TEST(FileStatusPublisher, WritesTheNewestContent) {
  World w;
  w.publisher.put_status("1");
  w.publisher.put_status("2");
  w.publisher.put_status("3");
  w.publisher.put_inventory("i");
  EXPECT_FALSE(fs::exists(w.folder)) << "the loop must not wait for the disk";
  w.worker.run_all();
  EXPECT_EQ(w.text("status/a.json"), "3\n");
  EXPECT_EQ(w.text("inventory/a.json"), "i\n");
}

TEST(FileStatusPublisher, StopDeletesTheStatusAndKeepsTheInventory) {
  World w;
  w.publisher.put_inventory("i");
  w.publisher.put_status("1");
  w.publisher.put_status("2");
  bool done = false;
  w.publisher.stop(R"({"last":"words"})", [&] { done = true; });
  w.worker.run_all();
  EXPECT_TRUE(done);
  EXPECT_FALSE(fs::exists(w.folder + "/status/a.json"));
  EXPECT_EQ(w.text("inventory/a.json"), "{\"last\":\"words\"}\n");
}

TEST(FileStatusPublisher, LogsAFailedWriteOnceAndKeepsTheOldFile) {
  World w;
  w.publisher.put_status("1");
  w.worker.run_all();
  fs::create_directory(w.folder + "/status/a.json.new");  // makes the write fail
  testing::internal::CaptureStderr();
  for (const char* const text : {"2", "3"}) {
    w.publisher.put_status(text);
    w.worker.run_all();
  }
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(w.text("status/a.json"), "1\n");
  const size_t first = said.find("status cannot be written");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(said.find("status cannot be written", first + 1), std::string::npos);
  fs::remove(w.folder + "/status/a.json.new");
  w.publisher.put_status("4");
  w.worker.run_all();
  EXPECT_EQ(w.text("status/a.json"), "4\n");
}

}  // namespace
}  // namespace monitor::config
