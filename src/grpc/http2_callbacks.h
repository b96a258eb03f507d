// The callbacks that Http2 registers with nghttp2. Internal to Http2.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "grpc/http2.h"

namespace monitor::grpc {

// Output is gathered up to this size and then handed out. The size is large enough to write many frames at once, and
// small enough that data waits in its stream's queue, where unsent_bytes() counts it.
inline constexpr size_t kOutputTarget = size_t{64} * 1024;
inline constexpr uint8_t kKeepalivePing[8] = {'k', 'e', 'e', 'p', 'a', 'l', 'i', 'v'};
inline constexpr uint8_t kProbePing[8] = {'d', 'r', 'a', 'i', 'n', 'i', 'n', 'g'};

inline std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

struct Http2::Callbacks {
  static nghttp2_session_callbacks* make();
  // Reads Http2Stream::send.
  static nghttp2_data_provider data_provider();
};

}  // namespace monitor::grpc
