// Files in the spool's folder: the first byte selects which file the input becomes, and how. In every case the spool
// must start, return its batches and accept new ones, and a second start must find the new ones.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/event_loop.h"
#include "base/log.h"
#include "base/testing/fake_clock.h"
#include "base/testing/fault_disk.h"
#include "base/testing/manual_worker.h"
#include "spool/file_spool.h"
#include "spool/inspect.h"

namespace {

using namespace monitor;
using namespace monitor::agent;

class Listener final : public SpoolListener {
 public:
  void on_stored(const BatchInfo&) override {}
  void on_lost(const metrics::Drop&) override {}
  void on_recovered(const PendingReports& reports, const std::vector<SettledSequences>& /*earlier*/) override {
    tellings_ = reports;
  }
  void on_log_named(std::string_view /*log*/) override {}
  PendingReports pending_reports() const override { return tellings_; }

 private:
  PendingReports tellings_;
};

void require(bool condition) {
  if (!condition) std::abort();
}

// Reads all batches, then appends a few.
size_t run(testing::FaultDisk& disk, char name, size_t own) {
  FakeTimers timers;
  ManualWorker worker;
  Listener listener;
  FileSpoolOptions options;
  options.folder = "/s";
  options.incarnation = std::string(metrics::kIncarnationBytes, name);
  options.max_bytes = FileSpoolOptions::kLeastMaxBytes;
  options.max_age_ns = INT64_MAX / 2;
  FileSpool spool(disk, timers, worker, listener, options);
  require(spool.open().ok());
  worker.run_all();
  size_t given = 0;
  while (const auto outgoing = spool.next()) {
    ++given;
    spool.acknowledged(outgoing->id);
  }
  require(!spool.has_unsent());
  for (size_t i = 1; i <= own; ++i) {
    BatchInfo info;
    info.incarnation = options.incarnation;
    info.sequence = i;
    info.appended_ns = timers.clock().wall_ns();
    require(spool.append(info, "payload").ok());
  }
  timers.advance(10 * kNanosPerSecond);
  worker.run_all();
  return given;
}

std::string segment_of(std::string_view input, bool framed) {
  if (!framed) return std::string(input);
  // Wraps the input into records with valid checksums, so that the code behind the check is reached.
  std::string content = encode_segment_header({1, std::string(metrics::kIncarnationBytes, 'f'), 1});
  uint64_t sequence = 0;
  while (!input.empty()) {
    const size_t length = static_cast<unsigned char>(input[0]);
    RecordHeader header;
    header.incarnation = std::string(metrics::kIncarnationBytes, length % 7 == 6 ? 'g' : 'f');
    sequence += 1 + length % 3;
    header.sequence = sequence;
    std::string record = encode_record(header, 1, input.substr(1, length));
    if (length % 5 == 4) record.resize(record.size() / 2);
    content += record;
    input.remove_prefix(std::min(input.size(), 1 + length));
  }
  return content;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 100'000) return 0;
  log_configure(LogLevel::kOff, LogFormat::kText);
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  testing::FaultDisk disk;
  switch (data[0] % 4) {
    case 0:
      disk.put("/s/0000000000000001.seg", segment_of(input, false));
      break;
    case 1:
      disk.put("/s/0000000000000001.seg", segment_of(input, true));
      break;
    case 2:
      disk.put("/s/checkpoint", std::string(input));
      break;
    default:
      // Adds a valid checksum, so that the parser of the content is reached.
      disk.put("/s/checkpoint", encode_checkpoint_slot(1, input.substr(0, kMaxCheckpointBytes)));
      disk.put("/s/0000000000000001.seg", segment_of("\x05hello\x03you", true));
      break;
  }
  (void)inspect_spool(disk, "/s", Inspect::kVerify);
  run(disk, 'a', 3);
  disk.restart();
  require(run(disk, 'b', 0) >= 3);
  return 0;
}
