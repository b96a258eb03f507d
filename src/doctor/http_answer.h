// Parses the answer to an HTTP/1.x GET with `Connection: close`. Pure functions on foreign bytes.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"
#include "doctor/peers.h"

namespace monitor::doctor {

inline constexpr size_t kMaxHttpHeaderBytes = size_t{32} * 1024;

// `bytes` is everything that the peer sent. A chunked body is decoded; a body that ends early is an error. Times are
// left alone. kInvalidArgument: not HTTP; kDataLoss: cut off; kResourceExhausted: headers above the limit.
Result<HttpAnswer> parse_http_answer(std::string_view bytes);

// True if `bytes` contain the whole answer, so that reading may end before the peer closes.
bool http_answer_complete(std::string_view bytes);

}  // namespace monitor::doctor
