// Parsers of the files of processes, with odd names and damaged texts.
#include "inputs/proc/process_stat.h"

#include <gtest/gtest.h>

#include <string>

#include "inputs/proc/user_names.h"

namespace monitor::agent {
namespace {

const std::string kRest =
    " 1 2 2 0 -1 4194304 911 12 3 0 40 2 77 88 20 0 4 0 9001 12345678 500 18446744073709551615 1 1\n";

TEST(ProcessStat, ParsesEveryNameThatAProcessCanHave) {
  for (const std::string name : {"postgres", "two words", "a) R 9 (b", ")", "(", "((sd-pam))", "new\nline", "", " ",
                                 "\xFF\xFE)", "tab\t", "1 (x) S 2"}) {
    const std::string text = "2 (" + name + ") S" + kRest;
    const auto stat = parse_process_stat(text);
    ASSERT_TRUE(stat) << text;
    EXPECT_EQ(stat->command, name);
    EXPECT_EQ(stat->state, ProcessState::kSleeping);
    EXPECT_EQ(stat->parent, 1U);
    EXPECT_EQ(stat->cpu_ticks, 42U);
    EXPECT_EQ(stat->start_ticks, 9001U);
    EXPECT_EQ(stat->rss_pages, 500U);
    EXPECT_FALSE(stat->kernel_thread);
  }
}

TEST(ProcessStat, KnowsEveryStateAndTakesANewOneForSleeping) {
  const std::string letters = "RDTtZXxSIPKWN";
  std::string found;
  for (const char letter : letters) {
    const std::string text = std::string("2 (x) ") + letter + kRest;
    found += to_string(parse_process_stat(text)->state).front();
    found += to_string(parse_process_stat(text)->state).at(1);
  }
  EXPECT_EQ(found, "rublststdededeslslslslslsl");
}

TEST(ProcessStat, LeavesTheWorkOutOfTheNamesOfKernelWorkers) {
  const auto name = [](const std::string& given, const std::string& flags) {
    const std::string text = "2 (" + given + ") I 2 0 0 0 -1 " + flags + " 0 0 0 0 0 7 0 0 20 0 1 0 32 0 0 0\n";
    const auto stat = parse_process_stat(text);
    EXPECT_TRUE(stat && stat->kernel_thread == (flags != "4194304")) << text;
    return stat ? std::string(stat->command) : "";
  };
  EXPECT_EQ(name("kworker/0:1-events", "69238880"), "kworker/0:1");
  EXPECT_EQ(name("kworker/u8:2+flush-8:0", "69238880"), "kworker/u8:2");
  EXPECT_EQ(name("kworker/0:1H", "69238880"), "kworker/0:1H");
  EXPECT_EQ(name("kworker/R-nfsd", "69238880"), "kworker/R-nfsd");
  EXPECT_EQ(name("jbd2/sda1-8", "2129984"), "jbd2/sda1-8");
  EXPECT_EQ(name("a:b-c", "4194304"), "a:b-c") << "a user's process";
}

TEST(ProcessStat, RejectsTruncatedAndMalformedTexts) {
  const std::string whole = "2 (x) S" + kRest;
  const size_t rss_ends = whole.find(" 18446744073709551615");
  for (size_t size = 0; size < rss_ends - 3; ++size) EXPECT_FALSE(parse_process_stat(whole.substr(0, size))) << size;
  EXPECT_TRUE(parse_process_stat(whole.substr(0, rss_ends)));
  for (const std::string& text : {"2 x S" + kRest, ")2 (x S" + kRest, "2 (x) SS" + kRest, std::string("2 (x)\n"),
                                  std::string("2 (x) S -1 2 3\n")}) {
    EXPECT_FALSE(parse_process_stat(text)) << text;
  }
  std::string negative = whole;
  negative.replace(negative.find(" 40 "), 4, " -4 ");
  EXPECT_FALSE(parse_process_stat(negative));
  std::string huge = whole;
  huge.replace(huge.find(" 40 2 "), 6, " 18446744073709551615 18446744073709551615 ");
  EXPECT_EQ(parse_process_stat(huge)->cpu_ticks, UINT64_MAX) << "does not wrap around";
}

TEST(ProcessIo, NeedsBothNumbers) {
  const auto io = parse_process_io("rchar: 1\nread_bytes: 4096\nwrite_bytes: 12\ncancelled_write_bytes: 3\n");
  ASSERT_TRUE(io);
  EXPECT_EQ(io->read_bytes, 4096U);
  EXPECT_EQ(io->write_bytes, 12U);
  for (const char* const text : {"", "read_bytes: 1\n", "write_bytes: 1\n", "read_bytes: x\nwrite_bytes: 1\n",
                                 "read_bytes: 1\nwrite_bytes: -1\n", "read_bytes:1\nwrite_bytes:1\n"}) {
    EXPECT_FALSE(parse_process_io(text)) << text;
  }
}

TEST(ForkCounts, CountsProcessorsAndNamesTheMissingLine) {
  const auto counts = parse_fork_counts("cpu  1 2\ncpu0 1\ncpu3 1\nctxt 5\nprocesses 77\nprocs_running 1\n");
  ASSERT_TRUE(counts);
  EXPECT_EQ(counts->processors, 2U);
  EXPECT_EQ(counts->created, 77U);
  EXPECT_NE(parse_fork_counts("cpu  1\ncpu0 1\n").error().message().find("\"processes\""), std::string::npos);
  EXPECT_NE(parse_fork_counts("cpu  1\nprocesses 3\n").error().message().find("\"cpu0\""), std::string::npos);
  EXPECT_FALSE(parse_fork_counts("cpu0 1\nprocesses many\n"));
}

TEST(Passwd, TakesTheFirstNameOfAUserAndSkipsMalformedLines) {
  const auto names =
      parse_passwd("root:x:0:0::/:/bin/sh\ntoor:x:0:0::\n\n:x:5:\nx\na:b:c\nbig:x:4294967296:\nweb:x:33:33");
  ASSERT_EQ(names.size(), 2U);
  EXPECT_EQ(names.at(0), "root");
  EXPECT_EQ(names.at(33), "web");
}

}  // namespace
}  // namespace monitor::agent
