// Converts requests and replies from and to libmicrohttpd's form.
#pragma once

#include <microhttpd.h>

#include "telemetry/http/loop_daemon.h"
#include "ui/web/http.h"

namespace monitor::analysis::web {

// Everything of a request except its body. `fault` is set if the request must be rejected.
Request read_request(MHD_Connection* connection, const char* url, const char* method, const char* version,
                     const telemetry::PeerAddress& peer);

// Decodes percent-encoding with unescape(); an MHD_OPTION_UNESCAPE_CALLBACK.
size_t unescape_uri(void* self, MHD_Connection* connection, char* text);

// Content type, caching, and the security headers of every response. `tls`: also tells browsers to use TLS only.
void add_headers(MHD_Response* response, const Reply& reply, bool tls);

// Queues the reply, whose body must live until the request is completed.
MHD_Result queue_reply(MHD_Connection* connection, const Reply& reply, bool tls);

}  // namespace monitor::analysis::web
