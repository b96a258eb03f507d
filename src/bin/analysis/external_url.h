// --external-url: where people find the page of `serve`, for links in notifications.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace monitor {

void declare_external_url(CLI::App& app, std::string& url);
// Checks it, and cuts the slash at its end. kInvalidArgument: it is no URL of http or https, or has a user, a query or
// a fragment.
Result<std::string> parse_external_url(std::string_view text);
// The host in a URL that parse_external_url() has accepted, without its port.
std::string host_of_external_url(std::string_view url);
// This host's name and the page's port.
std::string default_external_url(bool tls, uint16_t port);

}  // namespace monitor
