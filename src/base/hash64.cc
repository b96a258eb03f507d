#include "base/hash64.h"

#include <bit>
#include <cstring>

namespace monitor {

namespace {

// Digits of pi and e: nothing-up-my-sleeve numbers.
constexpr uint64_t kPi = 0x243F6A8885A308D3;
constexpr uint64_t kE = 0xB7E151628AED2A6A;

uint64_t fold(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t load(const char* from) {
  uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

}  // namespace

uint64_t hash64(const HashKey& key, std::string_view text) {
  const uint64_t left = key.first ^ kPi;
  const uint64_t right = key.second ^ kE;
  uint64_t a = left;
  uint64_t b = right;
  const char* at = text.data();
  size_t rest = text.size();
  for (; rest >= 32; at += 32, rest -= 32) {
    a = fold(load(at) ^ right, load(at + 8) ^ a);
    b = fold(load(at + 16) ^ left, load(at + 24) ^ b);
  }
  char last[32] = {};  // the remaining bytes, padded with zeros; the length, which is mixed in, distinguishes paddings
  if (rest > 0) std::memcpy(last, at, rest);
  a = fold(load(last) ^ right, load(last + 8) ^ a);
  b = fold(load(last + 16) ^ left, load(last + 24) ^ b);
  return fold(a ^ left, fold(b ^ right, text.size() ^ kPi) ^ kE);
}

}  // namespace monitor
