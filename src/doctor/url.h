// http://HOST[:PORT][/PATH] and https://... Pure function.
#pragma once

#include <string_view>

#include "base/result.h"
#include "doctor/peers.h"

namespace monitor::doctor {

Result<HttpTarget> parse_url(std::string_view url);

}  // namespace monitor::doctor
