// Archive: writes a .tar.gz (POSIX ustar, gzip) into memory. Entries are files of root with mode 0600 and one time, so
// equal content gives equal bytes. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace monitor::doctor {

class Archive {
 public:
  // `time_ns`: of all entries.
  explicit Archive(int64_t time_ns);
  ~Archive();
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  // `name` is relative, without "..", at most 99 bytes of [A-Za-z0-9._/-]; kInvalidArgument otherwise.
  Status add(std::string_view name, std::string_view content);
  // The whole archive. Nothing can be added afterwards.
  Result<std::string> finish();

 private:
  Status deflate_bytes(std::string_view bytes, bool last);

  struct Stream;
  int64_t time_ns_;
  std::string out_;
  std::unique_ptr<Stream> stream_;
};

}  // namespace monitor::doctor
