// Checks this test program, which is an ELF file: complete, and truncated at every length that matters.
#include "plugins/host/elf_check.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/disk.h"

namespace monitor::plugin_host {
namespace {

TEST(Elf, DetectsTruncatedFiles) {
  const Fd fd(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(fd.valid());
  const auto whole = static_cast<uint64_t>(lseek(fd.get(), 0, SEEK_END));
  EXPECT_EQ(missing_of_elf(fd.get(), whole), "");
  EXPECT_NE(missing_of_elf(fd.get(), 4096).find("it is truncated: it has 4096 of "), std::string::npos);
  EXPECT_NE(missing_of_elf(fd.get(), 10).find("even its header"), std::string::npos);
}

TEST(Elf, LeavesOtherFilesToTheLoader) {
  const std::string path = testing::TempDir() + "elf_check_test";
  const Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  ASSERT_EQ(write(fd.get(), "no library", 10), 10);
  EXPECT_EQ(missing_of_elf(fd.get(), 10), "");
  unlink(path.c_str());
}

}  // namespace
}  // namespace monitor::plugin_host
