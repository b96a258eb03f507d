// Files that the kernel returns in pieces, as it does for a seq_file, and tables that change between two pieces.
#include "inputs/proc/kernel_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "inputs/proc/net.h"
#include "inputs/proc/testing/folder.h"

namespace monitor::agent {
namespace {

// Serves lines like a seq_file: whole records, at most a page per read, however large the buffer is.
class PagedFile {
 public:
  explicit PagedFile(std::string text) : text_(std::move(text)) {}

  // `between` runs before every piece of a reading except the first.
  KernelFile::Pread pread(std::function<void(PagedFile&)> between = {}) {
    return [this, between](int, char* into, size_t size, off_t offset) -> ssize_t {
      ++calls_;
      if (offset > 0 && between) between(*this);
      const std::string_view rest = std::string_view(text_).substr(std::min(text_.size(), static_cast<size_t>(offset)));
      std::string_view piece = rest.substr(0, std::min<size_t>(size, 4096));
      if (piece.size() < rest.size()) piece = piece.substr(0, piece.rfind('\n') + 1);
      std::memcpy(into, piece.data(), piece.size());
      return static_cast<ssize_t>(piece.size());
    };
  }
  void set(std::string text) { text_ = std::move(text); }
  int calls() const { return calls_; }

 private:
  std::string text_;
  int calls_ = 0;
};

std::string net_dev(int first, int last) {
  std::string text = "head\nhead\n";
  for (int i = first; i <= last; ++i) {
    text += "pod" + std::to_string(i) + ": 1000 0 0 0 0 0 0 0 2000 0 0 0 0 0 0 0" + std::string(60, ' ') + "\n";
  }
  return text;
}

std::string text_of(const Result<std::string_view>& text) { return text ? std::string(*text) : text.error().message(); }

TEST(KernelFile, ReadsEveryPieceInEveryReading) {
  const std::string text = net_dev(1, 200);
  PagedFile paged(text);
  KernelFile file("/dev/null", paged.pread());
  for (int reading = 0; reading < 5; ++reading) {
    const auto got = file.read();
    ASSERT_TRUE(got);
    EXPECT_EQ(*got, text);
    EXPECT_GT(file.pieces(), 4U);
  }
}

TEST(KernelFile, FollowsATextThatGrowsAndShrinks) {
  PagedFile paged("");
  KernelFile file("/dev/null", paged.pread());
  for (const int last : {0, 1, 30, 31, 2'000, 3, 600, 1}) {
    paged.set(net_dev(1, last));
    const auto got = file.read();
    ASSERT_TRUE(got);
    EXPECT_EQ(*got, net_dev(1, last));
  }
}

TEST(KernelFile, ContinuesAfterAnInterruptedReadAndReopensAfterAFailedOne) {
  std::vector<int> errors = {EINTR, 0, EIO};
  PagedFile paged(net_dev(1, 100));
  const auto pread = paged.pread();
  KernelFile file("/dev/null", [&](int fd, char* into, size_t size, off_t offset) -> ssize_t {
    const int error = errors.empty() ? 0 : errors.front();
    if (!errors.empty()) errors.erase(errors.begin());
    errno = error;
    return error == 0 ? pread(fd, into, size, offset) : -1;
  });
  const auto failed = file.read();
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message().find("/dev/null"), std::string::npos);
  EXPECT_EQ(text_of(file.read()), net_dev(1, 100));
  errors = {ENOTCONN};
  EXPECT_EQ(text_of(file.read()), net_dev(1, 100)) << "a failed file must be opened again at once";
}

TEST(KernelFile, RereadsATornTable) {
  // An interface before the read position disappears: every later line moves up, and one line is missed.
  PagedFile paged(net_dev(1, 100));
  int changes = 1;
  KernelFile file("/dev/null", paged.pread([&](PagedFile& served) {
    if (changes > 0 && changes-- > 0) served.set(net_dev(2, 100));
  }));
  const auto torn = file.read();
  ASSERT_TRUE(torn);
  EXPECT_NE(*torn, net_dev(2, 100)) << "the fake must return a torn table";
  changes = 1;
  paged.set(net_dev(1, 100));
  EXPECT_EQ(text_of(file.read_table(net_dev_shape)), net_dev(2, 100));
}

TEST(KernelFile, ReadsAnUnchangedTableOnce) {
  PagedFile paged(net_dev(1, 100));
  KernelFile file("/dev/null", paged.pread());
  ASSERT_TRUE(file.read_table(net_dev_shape));
  const int before = paged.calls();
  ASSERT_TRUE(file.read_table(net_dev_shape));
  EXPECT_EQ(paged.calls() - before, static_cast<int>(file.pieces()) + 1);
}

TEST(KernelFile, GivesUpOnATableThatKeepsChanging) {
  PagedFile paged(net_dev(1, 100));
  int first = 1;
  KernelFile file("/dev/null", paged.pread([&](PagedFile& served) {
    ++first;
    served.set(net_dev(first, first + 99));
  }));
  EXPECT_TRUE(file.read_table(net_dev_shape)) << "the last reading counts";
}

TEST(Roots, ReadTheFirstProcessOfAForeignProcfs) {
  const Roots own;
  EXPECT_EQ(own.host_namespace_path("net/dev"), "/proc/net/dev");
  EXPECT_EQ(own.host_namespace_path("mountinfo"), "/proc/self/mountinfo");
  EXPECT_EQ((Roots{"/proc/", "/sys", ""}).host_namespace_path("mountinfo"), "/proc//self/mountinfo");
  Folder folder;
  const Roots copied = folder.roots();
  EXPECT_EQ(copied.host_namespace_path("net/dev"), copied.procfs + "/net/dev") << "a tree without processes";
  folder.write("proc/1/net/dev", "");
  EXPECT_EQ(copied.host_namespace_path("net/dev"), copied.procfs + "/1/net/dev");
  EXPECT_EQ(copied.host_namespace_path("mountinfo"), copied.procfs + "/self/mountinfo");
}

}  // namespace
}  // namespace monitor::agent
