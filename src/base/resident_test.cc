#include "base/resident.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace monitor {
namespace {

int twice(int value) { return 2 * value; }
int thrice(int value) { return 3 * value; }

// Addresses: the loader writes them when it relocates the program, and makes their pages read-only.
const std::array<int (*)(int), 2> kRelocated = {twice, thrice};
const std::array<const char*, 3> kTexts = {"one", "two", "three"};

TEST(Resident, CodeConstantsAndRelocatedTablesAreStillThere) {
  const std::vector<std::string> before(kTexts.begin(), kTexts.end());
  for (int i = 0; i < 3; ++i) {
    release_program_pages();
    release_free_heap();
    EXPECT_EQ(kRelocated[0](4), 8);
    EXPECT_EQ(kRelocated[1](4), 12);
    EXPECT_EQ(std::vector<std::string>(kTexts.begin(), kTexts.end()), before);
  }
  EXPECT_THROW(static_cast<void>(std::stoi("not a number")), std::invalid_argument);  // reads the unwind tables
}

}  // namespace
}  // namespace monitor
