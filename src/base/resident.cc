#include "base/resident.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace monitor {

namespace {

// A library with relocations in its code would lose them.
bool relocates_code(const dl_phdr_info& object) {
  for (size_t i = 0; i < object.dlpi_phnum; ++i) {
    const auto& header = object.dlpi_phdr[i];
    if (header.p_type != PT_DYNAMIC) continue;
    // The addresses are those of the loaded object.
    for (const auto* entry = reinterpret_cast<const ElfW(Dyn)*>(object.dlpi_addr + header.p_vaddr);
         entry->d_tag != DT_NULL; ++entry) {
      if (entry->d_tag == DT_TEXTREL) return true;
      if (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL) != 0) return true;
    }
    return false;
  }
  return true;  // not dynamic: the kernel's vDSO in some versions; leave it alone
}

int release(dl_phdr_info* object, size_t /*size*/, void* page_size) {
  const uintptr_t page = *static_cast<const uintptr_t*>(page_size);
  if (relocates_code(*object)) return 0;
  for (size_t i = 0; i < object->dlpi_phnum; ++i) {
    const auto& header = object->dlpi_phdr[i];
    // A segment that may be written has private pages, also where it is read-only after its relocation.
    if (header.p_type != PT_LOAD || (header.p_flags & PF_W) != 0) continue;
    const uintptr_t begin = (object->dlpi_addr + header.p_vaddr) / page * page;
    const uintptr_t end = (object->dlpi_addr + header.p_vaddr + header.p_memsz) / page * page;
    // Fails for the vDSO, which is no file. NOLINTNEXTLINE(performance-no-int-to-ptr)
    if (end > begin) static_cast<void>(madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED));
  }
  return 0;
}

}  // namespace

void release_program_pages() {
  auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  dl_iterate_phdr(release, &page);
}

void release_free_heap() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace monitor
