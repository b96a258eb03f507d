// HTTP and SMTP with libcurl. Thread-safe: every call has a connection of its own.
//
// It follows no redirects and ignores proxies in the environment, so a notification and its secrets only go where the
// configuration says. It keeps 4 KiB of an answer, and stops reading after 64 KiB.
#pragma once

#include <memory>

#include "notify/senders.h"

namespace monitor::notify {

std::shared_ptr<Transport> make_curl_transport();

}  // namespace monitor::notify
