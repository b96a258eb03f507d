// The client-side floor of many idle streams: each is a bare connection with one stream that only sends Hello.
//
//   bench-idle-client-floor port=N streams=N
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <vector>

#include "floor/arguments.h"
#include "floor/http2_writer.h"
#include "stream/messages.h"

int main(int argc, char** argv) {
  const monitor::bench::Arguments arguments(argc, argv);
  const auto port = static_cast<uint16_t>(arguments.number("port"));
  const auto count = static_cast<size_t>(arguments.number("streams"));
  std::vector<std::unique_ptr<monitor::bench::Http2Writer>> streams;
  streams.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    streams.push_back(std::make_unique<monitor::bench::Http2Writer>(port));
    streams.back()->write(
        monitor::stream::encode(monitor::stream::Hello{"idle-" + std::to_string(i), std::string(16, 'i'), "0", "h"}));
  }
  std::puts("ready");
  static_cast<void>(std::fflush(stdout));
  while (true) pause();
}
