// HTTP and SMTP with libcurl. Thread-safe: every call has a connection of its own.
//
// Redirects are not followed and proxies of the environment are not used: a notification and its secrets go where the
// configuration says. Of an answer, 4 KiB are kept, and reading ends after 64 KiB.
#pragma once

#include <memory>

#include "notify/senders.h"

namespace monitor::notify {

std::shared_ptr<Transport> make_curl_transport();

}  // namespace monitor::notify
