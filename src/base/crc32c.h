// CRC32C (Castagnoli, RFC 3720 appendix B.4); uses the processor's instruction if it has one. Pass the result of the
// first part as `seed` to continue with the next part. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace monitor {

uint32_t crc32c(std::string_view bytes, uint32_t seed = 0);

}  // namespace monitor
