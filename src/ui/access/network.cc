#include "ui/access/network.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>

#include "base/hex.h"
#include "base/text.h"

namespace monitor::access {

namespace {

constexpr unsigned kBits = 128;
constexpr unsigned kMappedBits = 96;  // before an IPv4 address
constexpr std::array<unsigned char, kMappedBits / 8> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

std::string_view text_of(std::span<const unsigned char> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::optional<std::array<unsigned char, 16>> bytes_of(std::string_view text) {
  const std::string address(text);
  std::array<unsigned char, 16> bytes{};
  if (inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1) return bytes;
  std::ranges::copy(kMappedPrefix, bytes.begin());
  if (inet_pton(AF_INET, address.c_str(), bytes.data() + kMappedBits / 8) == 1) return bytes;
  return std::nullopt;
}

// The address in "10.0.0.7:80", "[::1]:80", "[::1]", "::1" or "10.0.0.7".
std::string_view without_port(std::string_view text) {
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    return end == std::string_view::npos ? text : text.substr(1, end - 1);
  }
  return std::ranges::count(text, ':') == 1 ? text.substr(0, text.find(':')) : text;
}

}  // namespace

std::string limit_group(std::string_view address) {
  const auto bytes = bytes_of(without_port(address));
  if (!bytes) return "";
  constexpr size_t kNetworkBytes = 8;  // one customer has a whole /64
  const bool v4 = std::ranges::equal(std::span(*bytes).first(kMappedBits / 8), kMappedPrefix);
  return v4 ? hex(text_of(std::span(*bytes).subspan(kMappedBits / 8)))
            : hex(text_of(std::span(*bytes).first(kNetworkBytes)));
}

Result<Network> Network::parse(std::string_view text) {
  const Error malformed(Code::kInvalidArgument, fmt::format("got {}, expected an IP address or ADDRESS/PREFIX",
                                                            json_quote(text.substr(0, 64))));
  const size_t slash = text.find('/');
  const auto bytes = bytes_of(text.substr(0, slash));
  if (!bytes) return malformed;
  const bool v4 = text.substr(0, slash).find(':') == std::string_view::npos;
  unsigned prefix = kBits;
  if (slash != std::string_view::npos) {
    const auto given = parse_u64(text.substr(slash + 1));
    if (!given || *given > (v4 ? kBits - kMappedBits : kBits)) return malformed;
    prefix = static_cast<unsigned>(*given) + (v4 ? kMappedBits : 0);
  }
  const Network network(*bytes, prefix);
  for (unsigned bit = prefix; bit < kBits; ++bit) {
    if (((*bytes)[bit / 8] >> (7 - bit % 8) & 1U) == 0) continue;
    return Error(Code::kInvalidArgument,
                 fmt::format("got {}, whose address has bits behind its prefix; expected the network's first address",
                             json_quote(text.substr(0, 64))));
  }
  return network;
}

bool Network::contains(std::string_view address) const {
  const auto bytes = bytes_of(without_port(address));
  return bytes && contains(*bytes);
}

bool Network::contains(const Bytes& address) const {
  for (unsigned bit = 0; bit < prefix_; ++bit) {
    const unsigned shift = 7 - bit % 8;
    if ((address[bit / 8] >> shift & 1U) != (bytes_[bit / 8] >> shift & 1U)) return false;
  }
  return true;
}

}  // namespace monitor::access
