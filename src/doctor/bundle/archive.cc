#include "doctor/bundle/archive.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/clock.h"
#include "base/text.h"

namespace monitor::doctor {

namespace {

constexpr size_t kBlock = 512;
constexpr int kGzip = 16 + MAX_WBITS;  // zlib.h: add 16 for a gzip header

bool is_name(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-' || c == '/';
  };
  return !name.empty() && name.size() < 100 && name[0] != '/' && name.find("..") == std::string_view::npos &&
         std::ranges::all_of(name, plain);
}

// Field offsets and sizes: POSIX.1-1988, ustar.
std::string header_of(std::string_view name, size_t size, int64_t seconds) {
  std::string header(kBlock, '\0');
  const auto put = [&header](size_t at, std::string_view text) { header.replace(at, text.size(), text); };
  put(0, name);
  put(100, "0000600");
  put(108, "0000000");
  put(116, "0000000");
  put(124, fmt::format("{:011o}", size));
  put(136, fmt::format("{:011o}", std::clamp<int64_t>(seconds, 0, 077777777777)));
  put(148, "        ");  // the checksum counts as spaces
  put(156, "0");
  put(257, std::string_view("ustar\00000", 8));
  put(265, "root");
  put(297, "root");
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum));
  header[154] = '\0';
  return header;
}

}  // namespace

struct Archive::Stream {
  z_stream z{};
};

Archive::Archive(int64_t time_ns) : time_ns_(time_ns), stream_(std::make_unique<Stream>()) {
  // Fails only without memory; deflate() then reports it.
  deflateInit2(&stream_->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY);
}

Archive::~Archive() { deflateEnd(&stream_->z); }

Status Archive::deflate_bytes(std::string_view bytes, bool last) {
  z_stream& z = stream_->z;
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib's signature; it does not write
  z.avail_in = static_cast<uInt>(bytes.size());
  std::array<char, 65536> buffer{};
  do {
    z.next_out = reinterpret_cast<Bytef*>(buffer.data());
    z.avail_out = static_cast<uInt>(buffer.size());
    const int result = deflate(&z, last ? Z_FINISH : Z_NO_FLUSH);
    if (result == Z_STREAM_ERROR) return Error(Code::kInternal, "zlib cannot compress the archive");
    out_.append(buffer.data(), buffer.size() - z.avail_out);
  } while (z.avail_out == 0);
  return {};
}

Status Archive::add(std::string_view name, std::string_view content) {
  constexpr size_t kMost = size_t{1} << 30;
  if (!is_name(name)) return Error(Code::kInvalidArgument, "not a name for an archive: " + json_quote(name));
  if (content.size() > kMost) return Error(Code::kResourceExhausted, "an entry exceeds 1 GiB");
  if (Status done = deflate_bytes(header_of(name, content.size(), time_ns_ / kNanosPerSecond), false); !done)
    return done;
  if (Status done = deflate_bytes(content, false); !done) return done;
  return deflate_bytes(std::string((kBlock - content.size() % kBlock) % kBlock, '\0'), false);
}

Result<std::string> Archive::finish() {
  if (Status done = deflate_bytes(std::string(2 * kBlock, '\0'), true); !done) return done.error();
  return std::move(out_);
}

}  // namespace monitor::doctor
