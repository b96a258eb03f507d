// Exchange: one request and its reply or stream, while libmicrohttpd handles them. Internal to the web server. Loop's
// thread only.
#pragma once

#include <microhttpd.h>

#include <cstdint>
#include <optional>
#include <string>

#include "ui/web/http.h"
#include "ui/web/server.h"

namespace monitor::analysis::web {

class StreamSet;

struct Exchange {
  MHD_Connection* connection = nullptr;
  uint64_t token = 0;  // rises with each request
  Request request;
  bool body_too_large = false;
  bool bodies_full = false;  // the bodies of all requests take too much memory
  bool handled = false;      // the handler was called
  bool suspended = false;    // libmicrohttpd waits for resume
  std::optional<Reply> reply;
  bool counted = false;  // the body of its reply counts in ResponseMemoryLimit

  // For a stream only.
  bool streaming = false;
  StreamSet* streams = nullptr;
  StreamStart start;
  std::string out;  // events to send
  size_t out_at = 0;
  bool gone = false;     // the client has closed it, or it must end
  bool waiting = false;  // suspended because there was nothing to send
};

}  // namespace monitor::analysis::web
