#include "plugins/host/elf_needs.h"

#include <elf.h>
#include <fmt/format.h>

#include <cstring>
#include <optional>

#include "base/text.h"

namespace monitor::plugin_host {

namespace {

constexpr size_t kMostSegments = 256;
constexpr size_t kMostEntries = 10'000;  // of the dynamic section
constexpr size_t kMostLibraries = 256;
constexpr size_t kMostName = 255;

Error invalid(std::string what) { return Error(Code::kInvalidArgument, std::move(what)); }

template <typename T>
std::optional<T> at(std::string_view file, uint64_t offset) {
  T value{};
  if (offset > file.size() || file.size() - offset < sizeof value) return std::nullopt;
  std::memcpy(&value, file.data() + offset, sizeof value);
  return value;
}

// The offset in the file of an address of the running program.
std::optional<uint64_t> offset_of(const std::vector<Elf64_Phdr>& segments, uint64_t address) {
  for (const Elf64_Phdr& one : segments) {
    if (one.p_type != PT_LOAD || address < one.p_vaddr || address - one.p_vaddr >= one.p_filesz) continue;
    uint64_t offset = 0;
    if (__builtin_add_overflow(one.p_offset, address - one.p_vaddr, &offset)) return std::nullopt;
    return offset;
  }
  return std::nullopt;
}

Result<std::vector<Elf64_Phdr>> segments_of(std::string_view file) {
  const auto header = at<Elf64_Ehdr>(file, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64) {
    return invalid("not a 64-bit ELF library");
  }
  if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum > kMostSegments) {
    return invalid(fmt::format("{} program headers of {} bytes", header->e_phnum, header->e_phentsize));
  }
  std::vector<Elf64_Phdr> segments;
  for (uint64_t i = 0; i < header->e_phnum; ++i) {
    uint64_t offset = 0;
    if (__builtin_add_overflow(header->e_phoff, i * sizeof(Elf64_Phdr), &offset)) return invalid("a damaged header");
    const auto segment = at<Elf64_Phdr>(file, offset);
    if (!segment) return invalid("its program headers are truncated");
    segments.push_back(*segment);
  }
  return segments;
}

// For each of these entries the loader opens a library, from any path that the file names.
const char* unwanted(int64_t tag) {
  switch (tag) {
    case DT_FILTER:
      return "a filter library (DT_FILTER)";
    case DT_AUXILIARY:
      return "an auxiliary library (DT_AUXILIARY)";
    case DT_AUDIT:
      return "an audit library (DT_AUDIT)";
    case DT_DEPAUDIT:
      return "an audit library (DT_DEPAUDIT)";
    default:
      return nullptr;
  }
}

Result<std::string> name_at(std::string_view file, uint64_t texts, uint64_t index) {
  uint64_t offset = 0;
  if (__builtin_add_overflow(texts, index, &offset) || offset >= file.size()) return invalid("a name outside the file");
  const std::string_view rest = file.substr(offset, kMostName + 1);
  const size_t end = rest.find('\0');
  if (end == std::string_view::npos || end == 0) {
    return invalid(fmt::format("it needs a library whose name is empty or has more than {} bytes", kMostName));
  }
  std::string name(rest.substr(0, end));
  if (name.find_first_of("/$") != std::string::npos) {
    return invalid(fmt::format("it needs {}; only libraries of the system's folders, by their plain names, are allowed",
                               sanitize_utf8(name)));
  }
  return name;
}

}  // namespace

Result<std::vector<std::string>> needed_libraries(std::string_view file) {
  const auto segments = segments_of(file);
  if (!segments) return segments.error();
  const Elf64_Phdr* dynamic = nullptr;
  for (const Elf64_Phdr& one : *segments) {
    if (one.p_type == PT_DYNAMIC) dynamic = &one;
    if (one.p_type == PT_GNU_STACK && (one.p_flags & PF_X) != 0) return invalid("it needs an executable stack");
  }
  std::vector<std::string> names;
  if (dynamic == nullptr) return names;
  // The loader reads the section where it is mapped, which p_offset need not match.
  const auto start = offset_of(*segments, dynamic->p_vaddr);
  if (!start) return invalid("its dynamic section is in no segment");
  std::vector<uint64_t> indexes;
  std::optional<uint64_t> texts;
  for (size_t i = 0;; ++i) {
    const auto entry = at<Elf64_Dyn>(file, *start + i * sizeof(Elf64_Dyn));
    if (!entry || i >= kMostEntries) return invalid("its dynamic section has no end");
    if (entry->d_tag == DT_NULL) break;
    if (entry->d_tag == DT_STRTAB) texts = offset_of(*segments, entry->d_un.d_ptr);
    if (entry->d_tag == DT_NEEDED) indexes.push_back(entry->d_un.d_val);
    if (const char* const what = unwanted(entry->d_tag); what != nullptr) {
      return invalid(fmt::format("it requests {}, which is not allowed for plugins", what));
    }
  }
  if (indexes.size() > kMostLibraries) return invalid(fmt::format("it needs {} libraries", indexes.size()));
  if (!indexes.empty() && !texts) return invalid("its names of libraries are in no segment");
  for (const uint64_t index : indexes) {
    auto name = name_at(file, *texts, index);
    if (!name) return name.error();
    names.push_back(std::move(*name));
  }
  return names;
}

}  // namespace monitor::plugin_host
