// Requests and replies in libmicrohttpd's form.
#pragma once

#include <microhttpd.h>

#include "telemetry/http/loop_daemon.h"
#include "ui/web/http.h"

namespace monitor::analysis::web {

// All of a request but its body. A request that must be refused has `fault` set.
Request read_request(MHD_Connection* connection, const char* url, const char* method, const char* version,
                     const telemetry::PeerAddress& peer);

// Undoes percent-encoding as unescape() does (an MHD_OPTION_UNESCAPE_CALLBACK).
size_t unescape_uri(void* self, MHD_Connection* connection, char* text);

// Content type, caching, and the security headers of every response.
void add_headers(MHD_Response* response, const Reply& reply);

// Queues the reply, whose body must live until the request is completed.
MHD_Result queue_reply(MHD_Connection* connection, const Reply& reply);

}  // namespace monitor::analysis::web
