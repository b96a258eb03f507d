#include "ui/web/mhd_messages.h"

#include <string>
#include <utility>

#include "telemetry/http/host_header.h"

namespace monitor::analysis::web {

namespace {

constexpr int kDefaultRetryAfter = 2;  // seconds to retry after a 503
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

constexpr const char* kPermissions =
    "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()";

std::string header(MHD_Connection* connection, const char* name) {
  const char* const value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? std::string() : std::string(value);
}

MHD_Result add_value(void* list, MHD_ValueKind /*kind*/, const char* name, const char* value) {
  static_cast<Parameters*>(list)->emplace_back(name, value == nullptr ? "" : value);
  return MHD_YES;
}

}  // namespace

Request read_request(MHD_Connection* connection, const char* url, const char* method, const char* version,
                     const telemetry::PeerAddress& peer) {
  Request request;
  request.method = method;
  if (auto target = telemetry::request_target(telemetry::host_headers(connection), version, url)) {
    request.host = std::move(target->host);
    request.path = std::move(target->path);
  } else {
    request.fault = target.error().message();
  }
  MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, &add_value, &request.parameters);
  MHD_get_connection_values(connection, MHD_HEADER_KIND, &add_value, &request.headers);
  request.address = peer.text;
  request.address_group = peer.group;
  // A proxy may add a line of its own behind those of the client. The last entry of the last line counts.
  for (const std::string& line : header_values(request, "X-Forwarded-For")) {
    request.forwarded_for += (request.forwarded_for.empty() ? "" : ", ") + line;
  }
  request.origin = header(connection, "Origin");
  request.site = header(connection, "Sec-Fetch-Site");
  request.authorization = header(connection, "Authorization");
  request.last_event_id = header(connection, "Last-Event-ID");
  return request;
}

size_t unescape_uri(void* /*self*/, MHD_Connection* /*connection*/, char* text) { return unescape(text); }

void add_headers(MHD_Response* response, const Reply& reply, bool tls) {
  MHD_add_response_header(response, "Content-Type", reply.content_type.c_str());
  MHD_add_response_header(response, "Cache-Control", reply.keep ? "public, max-age=31536000, immutable" : "no-store");
  MHD_add_response_header(response, "Content-Security-Policy", kPolicy);
  MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
  MHD_add_response_header(response, "X-Frame-Options", "DENY");
  MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
  MHD_add_response_header(response, "Cross-Origin-Opener-Policy", "same-origin");
  MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
  MHD_add_response_header(response, "Cross-Origin-Embedder-Policy", "require-corp");
  MHD_add_response_header(response, "Permissions-Policy", kPermissions);
  if (tls) MHD_add_response_header(response, "Strict-Transport-Security", "max-age=31536000");
  if (!reply.encoding.empty()) MHD_add_response_header(response, "Content-Encoding", reply.encoding.c_str());
  if (reply.varies) MHD_add_response_header(response, "Vary", "Accept-Encoding");
  if (!reply.location.empty()) MHD_add_response_header(response, "Location", reply.location.c_str());
  if (!reply.set_cookie.empty()) MHD_add_response_header(response, "Set-Cookie", reply.set_cookie.c_str());
  if (!reply.allow.empty()) MHD_add_response_header(response, "Allow", reply.allow.c_str());
  if (reply.status == MHD_HTTP_UNAUTHORIZED) MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
  const bool busy = reply.retry_after_s == 0 && reply.status == MHD_HTTP_SERVICE_UNAVAILABLE;
  const int retry_s = busy ? kDefaultRetryAfter : reply.retry_after_s;
  if (retry_s > 0) MHD_add_response_header(response, "Retry-After", std::to_string(retry_s).c_str());
}

MHD_Result queue_reply(MHD_Connection* connection, const Reply& reply, bool tls) {
  static const std::string kEmpty;
  const std::string& body = reply.body ? *reply.body : kEmpty;
  MHD_Response* const response =
      MHD_create_response_from_buffer(body.size(), const_cast<char*>(body.data()), MHD_RESPMEM_PERSISTENT);
  if (response == nullptr) return MHD_NO;
  add_headers(response, reply, tls);
  const MHD_Result queued = MHD_queue_response(connection, reply.status, response);
  MHD_destroy_response(response);
  return queued;
}

}  // namespace monitor::analysis::web
