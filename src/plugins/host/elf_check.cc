#include "plugins/host/elf_check.h"

#include <elf.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/counted.h"

namespace monitor::plugin_host {

std::string missing_of_elf(int fd, uint64_t size) {
  Elf64_Ehdr header{};
  if (pread(fd, &header, sizeof header, 0) != static_cast<ssize_t>(sizeof header)) return "";
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64) return "";
  if (header.e_phentsize != sizeof(Elf64_Phdr)) return "";
  uint64_t end = 0;
  for (uint64_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr part{};
    const uint64_t at = header.e_phoff + i * sizeof part;
    if (at > size || pread(fd, &part, sizeof part, static_cast<off_t>(at)) != static_cast<ssize_t>(sizeof part)) {
      return fmt::format("it is truncated: it has {}, and even its header is incomplete", counted(size, "byte"));
    }
    uint64_t part_end = 0;
    if (__builtin_add_overflow(part.p_offset, part.p_filesz, &part_end)) part_end = UINT64_MAX;
    if (part.p_type == PT_LOAD) end = std::max(end, part_end);
  }
  if (end <= size) return "";
  return fmt::format("it is truncated: it has {} of {} bytes; copy it to another name first, then rename it", size,
                     end);
}

}  // namespace monitor::plugin_host
