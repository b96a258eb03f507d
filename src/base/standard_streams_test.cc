#include "base/standard_streams.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <ostream>
#include <string>

#include "base/disk.h"

namespace monitor {
namespace {

TEST(OutputBuffer, WritesEverythingInOrder) {
  std::string path = testing::TempDir() + "output-XXXXXX";
  const Fd file(mkstemp(path.data()));
  OutputBuffer buffer(file.get());
  std::ostream out(&buffer);
  std::string expected;
  for (int i = 0; i < 5'000; ++i) {
    out << i << '\n';
    expected += std::to_string(i) + "\n";
  }
  out.flush();
  EXPECT_TRUE(out.good());
  EXPECT_EQ(buffer.error_number(), 0);
  std::string got(expected.size() + 1, '\0');
  got.resize(static_cast<size_t>(pread(file.get(), got.data(), got.size(), 0)));
  EXPECT_EQ(got, expected);
  unlink(path.c_str());
}

TEST(OutputBuffer, RemembersWhyTheFirstWriteFailed) {
  const Fd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  OutputBuffer buffer(full.get());
  std::ostream out(&buffer);
  out << std::string(20'000, 'x');
  errno = EINTR;  // later calls overwrite errno before the failure is reported
  EXPECT_FALSE(out.good());
  EXPECT_EQ(buffer.error_number(), ENOSPC);
  EXPECT_EQ(output_error(buffer.error_number()).message(), "writing the output: No space left on device");
}

TEST(OutputBuffer, ReportsAFailureThatOnlyTheFlushSees) {
  const Fd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  OutputBuffer buffer(full.get());
  std::ostream out(&buffer);
  out << "short";
  EXPECT_TRUE(out.good()) << "the text is still in the buffer";
  out.flush();
  EXPECT_FALSE(out.good());
  EXPECT_EQ(buffer.error_number(), ENOSPC);
}

TEST(OutputBuffer, NamesAClosedStandardOutput) {
  const Fd readable(open("/dev/null", O_RDONLY | O_CLOEXEC));
  OutputBuffer buffer(readable.get());
  std::ostream out(&buffer);
  out << "x" << std::flush;
  EXPECT_NE(output_error(buffer.error_number()).message().find("standard output is closed"), std::string::npos);
}

}  // namespace
}  // namespace monitor
