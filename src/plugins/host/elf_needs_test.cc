#include "plugins/host/elf_needs.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "base/disk.h"

namespace monitor::plugin_host {
namespace {

constexpr uint64_t kTexts = 0x200;
constexpr uint64_t kDynamic = 0x300;

// A library with one segment, a dynamic section with these entries, and names at kTexts.
std::string library(const std::vector<std::pair<int64_t, uint64_t>>& entries, std::string_view names,
                    uint32_t stack_flags = PF_R | PF_W) {
  std::string file(0x400, '\0');
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 3;
  std::memcpy(file.data(), &header, sizeof header);
  // Its address differs from its offset in the file.
  const Elf64_Phdr segments[] = {{PT_LOAD, PF_R, 0, 0x10000, 0x10000, 0x400, 0x400, 0x1000},
                                 {PT_DYNAMIC, PF_R, 0, 0x10000 + kDynamic, 0, 0x100, 0x100, 8},
                                 {PT_GNU_STACK, stack_flags, 0, 0, 0, 0, 0, 16}};
  std::memcpy(file.data() + sizeof header, segments, sizeof segments);
  std::memcpy(file.data() + kTexts, names.data(), names.size());
  uint64_t at = kDynamic;
  for (const auto& [tag, value] : entries) {
    Elf64_Dyn entry{};
    entry.d_tag = tag;
    entry.d_un.d_val = value;
    std::memcpy(file.data() + at, &entry, sizeof entry);
    at += sizeof entry;
  }
  return file;
}

constexpr uint64_t kMapped = 0x10000 + kTexts;

std::string refusal(const std::string& file) {
  const auto names = needed_libraries(file);
  return names ? "" : names.error().message();
}

TEST(ElfNeeds, ReadsNamesWhereTheLoaderDoes) {
  const std::string names("\0libm.so.6\0libc.so.6\0", 21);
  const auto found = needed_libraries(library(
      {{DT_NEEDED, 1}, {DT_RUNPATH, 1}, {DT_STRTAB, kMapped}, {DT_NEEDED, 11}, {DT_NULL, 0}, {DT_NEEDED, 1}}, names));
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(*found, (std::vector<std::string>{"libm.so.6", "libc.so.6"}));
}

TEST(ElfNeeds, RejectsNamesThatAreLookedUpElsewhere) {
  for (const char* const name : {"/tmp/evil.so", "./evil.so", "$ORIGIN", "${LIB}", "a/b"}) {
    const std::string names = std::string(1, '\0') + name + std::string(1, '\0');
    EXPECT_NE(refusal(library({{DT_NEEDED, 1}, {DT_STRTAB, kMapped}, {DT_NULL, 0}}, names)).find("plain names"),
              std::string::npos)
        << name;
  }
}

TEST(ElfNeeds, RejectsLibrariesThatTheLoaderOpensForOtherReasons) {
  for (const int64_t tag : {int64_t{DT_FILTER}, int64_t{DT_AUXILIARY}, int64_t{DT_AUDIT}, int64_t{DT_DEPAUDIT}}) {
    EXPECT_NE(refusal(library({{tag, 1}, {DT_NULL, 0}}, "")).find("not allowed for plugins"), std::string::npos) << tag;
  }
  EXPECT_EQ(refusal(library({{DT_NULL, 0}}, "", PF_R | PF_W | PF_X)), "it needs an executable stack");
}

TEST(ElfNeeds, RejectsDamagedFiles) {
  EXPECT_EQ(refusal(""), "not a 64-bit ELF library");
  EXPECT_EQ(refusal("#!/bin/sh\n"), "not a 64-bit ELF library");
  EXPECT_EQ(refusal(library({{DT_NEEDED, 1}, {DT_NULL, 0}}, "")), "its names of libraries are in no segment");
  EXPECT_EQ(refusal(library({{DT_NEEDED, 1}, {DT_STRTAB, kMapped}, {DT_NULL, 0}}, std::string_view("\0\0", 2))),
            "it needs a library whose name is empty or has more than 255 bytes");
  EXPECT_EQ(refusal(library({{DT_NEEDED, ~0ULL}, {DT_STRTAB, kMapped}, {DT_NULL, 0}}, "")), "a name outside the file");
  const std::string whole = library({{DT_NEEDED, 1}, {DT_STRTAB, kMapped}, {DT_NULL, 0}}, std::string_view("\0a\0", 3));
  for (size_t size = 0; size < whole.size(); ++size) {
    const std::string cut = whole.substr(0, size);  // an exact copy, so that the sanitizers detect reads beyond it
    if (size < kDynamic + 3 * sizeof(Elf64_Dyn)) {
      EXPECT_NE(refusal(cut), "") << size;
    }
  }
  std::vector<std::pair<int64_t, uint64_t>> endless(16, {DT_SONAME, 0});
  EXPECT_EQ(refusal(library(endless, "")), "its dynamic section has no end");
}

TEST(ElfNeeds, ReadsThisProgram) {
  const auto file = PosixDisk().read_file("/proc/self/exe", size_t{1} << 30);
  ASSERT_TRUE(file);
  const auto names = needed_libraries(*file);
  ASSERT_TRUE(names) << names.error().message();
  EXPECT_NE(std::find(names->begin(), names->end(), "libc.so.6"), names->end());
}

}  // namespace
}  // namespace monitor::plugin_host
