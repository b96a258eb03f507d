#include "ui/web/page_tls.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <utility>

#include "base/disk.h"
#include "base/log.h"
#include "base/trust.h"

namespace monitor::analysis::web {

namespace {

constexpr size_t kMaxFile = size_t{256} * 1024;
constexpr unsigned kMaxChain = 16;
// A handshake takes at most 5 s (ServerOptions::head_ns).
constexpr int64_t kKeptFor = 60 * kNanosPerSecond;

// Only used on the loop's thread.
PageTls* serving = nullptr;

gnutls_datum_t datum_of(const std::string& text) {
  return {reinterpret_cast<unsigned char*>(const_cast<char*>(text.data())), static_cast<unsigned>(text.size())};
}

Error tls_error(const std::string& file, int code) {
  return Error(Code::kInvalidArgument, fmt::format("{}: {}", file, gnutls_strerror(code)));
}

using KeyId = std::array<unsigned char, 64>;

// An identifier of a public key; zeros if it cannot be computed.
KeyId id_of(gnutls_pubkey_t key) {
  KeyId id{};
  size_t size = id.size();
  if (gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, id.data(), &size) != GNUTLS_E_SUCCESS) id = {};
  return id;
}

}  // namespace

struct PageTls::Pair {
  std::array<gnutls_pcert_st, kMaxChain> chain{};
  unsigned length = 0;
  gnutls_privkey_t key = nullptr;
  int64_t replaced_ns = 0;

  Pair() = default;
  ~Pair() {
    for (unsigned i = 0; i < length; ++i) gnutls_pcert_deinit(&chain[i]);
    if (key != nullptr) gnutls_privkey_deinit(key);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  bool matches() const {
    gnutls_pubkey_t own = nullptr;
    if (gnutls_pubkey_init(&own) != GNUTLS_E_SUCCESS) return false;
    const bool same = gnutls_pubkey_import_privkey(own, key, 0, 0) == GNUTLS_E_SUCCESS && id_of(own) != KeyId{} &&
                      id_of(own) == id_of(chain[0].pubkey);
    gnutls_pubkey_deinit(own);
    return same;
  }
};

PageTls::PageTls(const Clock& clock, std::string cert_file, std::string key_file)
    : clock_(clock), cert_file_(std::move(cert_file)), key_file_(std::move(key_file)) {}

PageTls::~PageTls() {
  if (serving == this) serving = nullptr;
}

Result<std::unique_ptr<PageTls>> PageTls::load(const Clock& clock, std::string cert_file, std::string key_file) {
  std::unique_ptr<PageTls> made(new PageTls(clock, std::move(cert_file), std::move(key_file)));
  made->version_ = made->version_of_files();
  auto pair = made->read();
  if (!pair) return pair.error();
  made->pairs_.push_back(std::move(*pair));
  serving = made.get();
  return made;
}

Result<std::unique_ptr<PageTls::Pair>> PageTls::read() const {
  PosixDisk disk;
  const auto cert = disk.read_file(cert_file_, kMaxFile);
  if (!cert) return cert.error();
  const auto key = read_secret_file(key_file_, kMaxFile, "the private key");
  if (!key) return key.error();
  auto pair = std::make_unique<Pair>();
  const gnutls_datum_t cert_pem = datum_of(*cert);
  unsigned length = kMaxChain;
  int code = gnutls_pcert_list_import_x509_raw(pair->chain.data(), &length, &cert_pem, GNUTLS_X509_FMT_PEM, 0);
  if (code != GNUTLS_E_SUCCESS) return tls_error(cert_file_, code);
  pair->length = length;
  code = gnutls_privkey_init(&pair->key);
  if (code != GNUTLS_E_SUCCESS) return tls_error(key_file_, code);
  const gnutls_datum_t key_pem = datum_of(*key);
  code = gnutls_privkey_import_x509_raw(pair->key, &key_pem, GNUTLS_X509_FMT_PEM, nullptr, 0);
  if (code != GNUTLS_E_SUCCESS) return tls_error(key_file_, code);
  if (pair->matches()) return pair;
  return Error(Code::kInvalidArgument,
               fmt::format("{}: it is not the private key of the first certificate in {}", key_file_, cert_file_));
}

std::string PageTls::version_of_files() const {
  std::string version;
  for (const std::string& file : {cert_file_, key_file_}) {
    struct stat info{};
    if (stat(file.c_str(), &info) != 0) continue;
    version += fmt::format("{}:{}:{}.{} ", info.st_ino, info.st_size, info.st_ctim.tv_sec, info.st_ctim.tv_nsec);
  }
  return version;
}

void PageTls::refresh() {
  const int64_t now = clock_.mono_ns();
  while (pairs_.size() > 1 && elapsed_ns(pairs_.front()->replaced_ns, now) >= kKeptFor) pairs_.pop_front();
  std::string version = version_of_files();
  if (version == version_) return;
  version_ = std::move(version);
  auto pair = read();
  if (!pair) {
    log_error("the page's new certificate cannot be used; the old one stays in force", {{"reason", pair.error()}});
    return;
  }
  pairs_.back()->replaced_ns = now;
  pairs_.push_back(std::move(*pair));
  log_info("the page's certificate was replaced", {{"file", cert_file_}});
}

int PageTls::on_handshake(gnutls_session_t /*session*/, const gnutls_datum_t* /*names*/, int /*name_count*/,
                          const gnutls_pk_algorithm_t* /*algorithms*/, int /*algorithm_count*/, gnutls_pcert_st** chain,
                          unsigned* chain_length, gnutls_privkey_t* key) {
  if (serving == nullptr) return -1;
  Pair& pair = *serving->pairs_.back();
  *chain = pair.chain.data();
  *chain_length = pair.length;
  *key = pair.key;
  return 0;
}

}  // namespace monitor::analysis::web
