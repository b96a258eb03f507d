#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "config/file/file_source.h"
#include "config/testing/source_contract.h"

namespace monitor::config {
namespace {

namespace fs = std::filesystem;

class FileHarness final : public SourceHarness {
 public:
  FileHarness() {
    std::string pattern = fs::temp_directory_path().string() + "/source-contract-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) ADD_FAILURE() << "no temporary folder";
    folder_ = pattern;
    source_ = std::make_unique<FileSource>(loop_, disk_, worker_, FileSourceOptions{folder_ + "/c", {}, ""});
  }
  ~FileHarness() override {
    source_.reset();
    fs::remove_all(folder_);
  }
  ConfigSource& source() override { return *source_; }
  void put(const std::string& key, const std::string& text) override {
    const std::string path = source_->describe(key);
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << text;
  }
  void remove(const std::string& key) override { fs::remove(source_->describe(key)); }
  bool until(const std::function<bool()>& condition) override {
    const int64_t end = clock_.mono_ns() + 5 * kNanosPerSecond;
    while (!condition() && clock_.mono_ns() < end) loop_.run_once(50 * kNanosPerMilli);
    return condition();
  }

 private:
  SystemClock clock_;
  EventLoop loop_{clock_};
  PosixDisk disk_;
  ThreadWorker worker_{loop_};
  std::string folder_;
  std::unique_ptr<FileSource> source_;
};

INSTANTIATE_TEST_SUITE_P(File, SourceContract,
                         ::testing::Values(Backend{"file", [] { return std::make_unique<FileHarness>(); }}));

}  // namespace
}  // namespace monitor::config
