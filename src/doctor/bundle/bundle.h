// BundleBuilder: the entries of a support bundle. Everything passes through the redactor, and has a limit. Not
// thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "doctor/bundle/archive.h"
#include "doctor/bundle/redactor.h"

namespace monitor::doctor {

struct BundleLimits {
  size_t entry_bytes = size_t{2} << 20;  // of a longer entry, the end is kept: logs end with what happened last
  size_t total_bytes = size_t{64} << 20;
  size_t entries = 500;
};

struct Bundle {
  std::string bytes;     // .tar.gz
  std::string contents;  // a line for each entry, also in the bundle as contents.txt
  uint64_t removed = 0;  // replaced secrets
};

class BundleBuilder {
 public:
  // Entries are below `folder`, so that unpacking makes one folder.
  BundleBuilder(std::string folder, int64_t time_ns, Redactor redactor, BundleLimits limits = {});

  // A name with characters that an archive does not take gets '_' in their place.
  void add(std::string_view name, std::string_view content);
  // Something that was not collected, and why.
  void miss(std::string_view name, std::string_view reason);
  Result<Bundle> finish();

 private:
  std::string folder_;
  Redactor redactor_;
  BundleLimits limits_;
  Archive archive_;
  std::string contents_;
  size_t bytes_ = 0;
  size_t entries_ = 0;
};

// The last bytes of a regular file directly in `folder`; of a longer one, from the start of a line. Follows no link.
// kPermissionDenied: a link, a folder or a device.
Result<std::string> read_tail(const std::string& folder, const std::string& name, size_t max_bytes);

// Sizes, modes and owners of the files below a folder, as text: no content. Follows no link and enters no other file
// system; at most `max_lines` lines.
std::string list_files(const std::string& folder, size_t max_lines);

}  // namespace monitor::doctor
