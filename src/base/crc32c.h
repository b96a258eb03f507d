// CRC32C (Castagnoli, RFC 3720 appendix B.4), with the processor's instruction where it has one.
#pragma once

#include <cstdint>
#include <string_view>

namespace monitor {

uint32_t crc32c(std::string_view bytes, uint32_t seed = 0);

}  // namespace monitor
