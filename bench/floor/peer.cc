// The server for a measured agent, floor or ours: acknowledges every batch at once. With save=FILE it stores the third
// batch unchanged, for the floor to send.
//
//   bench-peer [save=FILE]
#include <cstdio>
#include <fstream>

#include "floor/arguments.h"
#include "floor/http2_sink.h"

int main(int argc, char** argv) {
  using monitor::bench::Http2Sink;
  const monitor::bench::Arguments arguments(argc, argv);
  const std::string save = arguments.has("save") ? arguments.text("save") : "";
  uint64_t batches = 0;
  Http2Sink sink([&](Http2Sink& self, Http2Sink::Stream& stream, std::string_view message, std::string_view /*batch*/) {
    // The first batches of an agent carry additional data and do not represent the steady state.
    if (++batches == 3 && !save.empty()) {
      std::ofstream(save + ".new", std::ios::binary)
          .write(message.data(), static_cast<std::streamsize>(message.size()));
      std::rename((save + ".new").c_str(), save.c_str());
    }
    self.acknowledge(stream);
  });
  std::printf("port %u\n", sink.listen());
  static_cast<void>(std::fflush(stdout));
  sink.run();
}
