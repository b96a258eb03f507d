#include "identity/ca/authority.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "base/net/address.h"
#include "base/text.h"
#include "base/time_format.h"
#include "base/trust.h"
#include "base/written_file.h"
#include "identity/ca/openssl.h"
#include "identity/ca/private_key.h"
#include "identity/peer.h"

namespace monitor::identity {

namespace {

constexpr size_t kMaxFileBytes = size_t{64} * 1024;
constexpr size_t kSerialBytes = 16;
constexpr mode_t kOthers = S_IRWXG | S_IRWXO;
// A certificate becomes valid slightly in the past, because a peer's clock may be behind. A short life gets a smaller
// margin, so that the renewal time, at two thirds of the life, is in the future.
constexpr int64_t kMostBackdate = 5 * 60 * kNanosPerSecond;
constexpr int64_t kExpiresSoon = 30 * kDay;

std::string key_file(const std::string& folder) { return folder + "/ca.key"; }
std::string certificate_file(const std::string& folder) { return folder + "/ca.pem"; }

bool is_address(const std::string& name) { return !name.starts_with('[') && parse_socket_address(name, 1).ok(); }

bool valid_dns_name(std::string_view name) {
  if (name.empty() || name.size() > 253 || name.starts_with('.') || name.starts_with('-')) return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
  });
}

// OpenSSL's notation of a subjectAltName. Only names that cannot contain its separators get here.
Result<std::string> names_text(std::span<const std::string> names) {
  std::string text;
  for (const std::string& name : names) {
    if (const Status valid = check_server_name(name); !valid) return valid.error();
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", is_address(name) ? "IP" : "DNS", name);
  }
  if (text.empty()) return Error(Code::kInvalidArgument, "server name: none is given");
  return text;
}

Status add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  if (extension == nullptr || X509_add_ext(certificate, extension.get(), -1) != 1) {
    return openssl_error(Code::kInternal, "extension of a certificate");
  }
  return {};
}

void set_name(X509_NAME* name, const char* field, const std::string& value) {
  X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC, reinterpret_cast<const unsigned char*>(value.c_str()), -1, -1,
                             0);
}

void set_version_and_serial(X509* certificate, const std::string& serial) {
  const Owned<BIGNUM> number(
      BN_bin2bn(reinterpret_cast<const unsigned char*>(serial.data()), static_cast<int>(serial.size()), nullptr));
  X509_set_version(certificate, X509_VERSION_3);
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate));
}

void set_times(X509* certificate, int64_t from_ns, int64_t to_ns) {
  ASN1_TIME_set(X509_getm_notBefore(certificate), from_ns / kNanosPerSecond);
  ASN1_TIME_set(X509_getm_notAfter(certificate), to_ns / kNanosPerSecond);
}

Error key_is_open(const std::string& path, mode_t mode) {
  return Error(Code::kPermissionDenied,
               fmt::format("the CA's key {} may be read or written by others (mode {:04o}): anyone who has read it can "
                           "issue certificates; chmod 600 it, or create a new CA in another folder",
                           path, mode & 07777));
}

}  // namespace

Status check_server_name(const std::string& name) {
  if (is_address(name) || valid_dns_name(name)) return {};
  return Error(Code::kInvalidArgument,
               fmt::format("got {}, expected a host name or a numeric address", json_quote(name.substr(0, 260))));
}

Status check_private_folder(Disk& disk, const std::string& folder) {
  if (const Status trusted = make_trusted_folder(disk, folder, "the CA's folder"); !trusted) return trusted;
  struct stat info{};
  if (stat(folder.c_str(), &info) != 0) return errno_error(errno, "the CA's folder " + folder);
  if ((info.st_mode & kOthers) != 0) {
    return Error(Code::kPermissionDenied,
                 fmt::format("the CA's folder {} may be read by others (mode {:04o}): chmod 700 it", folder,
                             info.st_mode & 07777));
  }
  const std::string key = key_file(folder);
  if (lstat(key.c_str(), &info) != 0) {
    return errno == ENOENT ? Status() : Status(errno_error(errno, "the CA's key " + key));
  }
  if (const Status good = check_written_file(info, key, true); !good) return good;
  return (info.st_mode & kOthers) != 0 ? Status(key_is_open(key, info.st_mode)) : Status();
}

struct Authority::Template {
  EVP_PKEY* key = nullptr;
  std::string organization;
  std::string extended_usage;
  std::string names;  // in OpenSSL's notation
  int64_t life_ns = 0;
};

Authority::Authority(const Clock& clock, Random& random, AuthorityOptions options, PrivateKey key)
    : clock_(clock), random_(random), options_(std::move(options)), key_(std::move(key)), pin_(key_.public_hash()) {}

Authority::~Authority() = default;

Result<std::unique_ptr<Authority>> Authority::open(FileDisk& disk, const Clock& clock, Random& random,
                                                   AuthorityOptions options, Create create) {
  const std::string path = key_file(options.folder);
  std::unique_ptr<DiskLock> held;  // only one process may create the files
  if (create == Create::kIfMissing) {
    auto lock = disk.lock_file(options.folder + "/ca.lock", "the CA's folder " + options.folder);
    if (!lock) return lock.error();
    held = std::move(*lock);
  }
  auto pem = disk.read_file(path, kMaxFileBytes);
  if (!pem && pem.error().code() != Code::kNotFound) return pem.error();
  if (!pem) {
    if (create == Create::kNever) {
      return Error(Code::kNotFound, "no CA in " + options.folder + ": `monitor-server --ca-dir " + options.folder +
                                        "` creates it, or choose another folder");
    }
    if (disk.read_file(certificate_file(options.folder), kMaxFileBytes)) {
      return Error(Code::kFailedPrecondition, fmt::format("{} exists, but its key {} does not: restore the key, or "
                                                          "choose another folder",
                                                          certificate_file(options.folder), path));
    }
    const auto made = PrivateKey::generate();
    if (!made) return made.error();
    pem = made->private_pem();
    if (const Status written = disk.write_file(path, *pem); !written) return written.error();
  }
  auto key = PrivateKey::from_pem(*pem);
  if (!key) return key.error().with_context("the CA's key " + path);
  std::unique_ptr<Authority> made(new Authority(clock, random, std::move(options), std::move(*key)));
  if (const Status ready = made->load_or_make_certificate(disk); !ready) return ready.error();
  return made;
}

// A crash between writing the two files leaves a key without a certificate. The key is used again, so that a pin that
// somebody has already copied stays valid.
Status Authority::load_or_make_certificate(FileDisk& disk) {
  const std::string path = certificate_file(options_.folder);
  const auto pem = disk.read_file(path, kMaxFileBytes);
  if (!pem && pem.error().code() != Code::kNotFound) return pem.error();
  if (!pem) {
    auto made = self_sign();
    if (!made) return made.error();
    certificate_ = std::move(*made);
    expires_ns_ = read_certificate(certificate_)->not_after_ns;
    return disk.write_file(path, certificate_pem(certificate_));
  }
  auto found = certificates_of(*pem);
  if (!found) return found.error().with_context(path);
  const auto facts = read_certificate(found->front());
  if (!facts || !facts->is_ca || facts->key_hash != pin_) {
    return Error(Code::kFailedPrecondition,
                 fmt::format("{} is not the CA certificate of {}: restore both files from one backup", path,
                             key_file(options_.folder)));
  }
  certificate_ = std::move(found->front());
  expires_ns_ = facts->not_after_ns;
  return {};
}

bool Authority::expires_soon() const {
  return elapsed_ns(clock_.wall_ns(), expires_ns_) < std::max(options_.agent_life_ns, kExpiresSoon);
}

// 128 random bits, except for the two highest: they make the number positive and keep its length constant.
std::string Authority::new_serial() const {
  std::string serial(kSerialBytes, '\0');
  {
    const std::lock_guard lock(mutex_);
    random_.fill(serial.data(), serial.size());
  }
  serial[0] = static_cast<char>((static_cast<unsigned char>(serial[0]) & 0x3FU) | 0x40U);
  return serial;
}

Result<std::string> Authority::self_sign() const {
  EVP_PKEY* const key = key_.impl_->key.get();
  const Owned<X509> certificate(X509_new());
  X509* const raw = certificate.get();
  const int64_t now = clock_.wall_ns();
  set_version_and_serial(raw, new_serial());
  set_times(raw, now - kMostBackdate, now + options_.authority_life_ns);
  set_name(X509_get_subject_name(raw), "O", "monitor");
  set_name(X509_get_subject_name(raw), "CN", "monitor CA " + pin_.substr(0, 16));
  X509_set_issuer_name(raw, X509_get_subject_name(raw));
  X509_set_pubkey(raw, key);
  for (const auto& [nid, value] : {std::pair<int, std::string>{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                   {NID_key_usage, "critical,keyCertSign,cRLSign"},
                                   {NID_subject_key_identifier, "hash"}}) {
    if (const Status added = add_extension(raw, raw, nid, value); !added) return added.error();
  }
  if (X509_sign(raw, key, EVP_sha256()) == 0) return openssl_error(Code::kInternal, "signing the CA's certificate");
  return der_of(raw);
}

Result<IssuedCertificate> Authority::sign(const Template& what) const {
  const Owned<X509> issuer = parse_certificate(certificate_);
  const Owned<X509> certificate(X509_new());
  X509* const raw = certificate.get();
  const int64_t now = clock_.wall_ns();
  const int64_t life = std::min(what.life_ns, elapsed_ns(now, expires_ns_));
  if (life < kNanosPerSecond) {
    return Error(
        Code::kFailedPrecondition,
        fmt::format("the CA's certificate {} has expired at {}: move it away, and start the server again, which "
                    "makes a new one for the same key; agents must join again",
                    certificate_file(options_.folder), format_rfc3339(expires_ns_, 0)));
  }
  set_version_and_serial(raw, new_serial());
  set_times(raw, now - std::min(kMostBackdate, life / 10), now + life);
  set_name(X509_get_subject_name(raw), "O", what.organization);
  X509_set_issuer_name(raw, X509_get_subject_name(issuer.get()));
  if (X509_set_pubkey(raw, what.key) != 1) return openssl_error(Code::kInvalidArgument, "key of a certificate");
  for (const auto& [nid, value] : {std::pair<int, std::string>{NID_basic_constraints, "critical,CA:FALSE"},
                                   {NID_key_usage, "critical,digitalSignature"},
                                   {NID_ext_key_usage, what.extended_usage},
                                   {NID_subject_key_identifier, "hash"},
                                   {NID_authority_key_identifier, "keyid:always"},
                                   {NID_subject_alt_name, what.names}}) {
    if (const Status added = add_extension(raw, issuer.get(), nid, value); !added) return added.error();
  }
  if (X509_sign(raw, key_.impl_->key.get(), EVP_sha256()) == 0) {
    return openssl_error(Code::kInternal, "signing a certificate");
  }
  return IssuedCertificate{der_of(raw), serial_of(raw), key_hash_of(X509_get_X509_PUBKEY(raw)), now + life};
}

Result<IssuedCertificate> Authority::issue_agent(const std::string& agent_id, std::string_view request) const {
  if (!valid_name(agent_id))
    return Error(Code::kInvalidArgument, "agent id: got " + json_quote(agent_id.substr(0, 160)));
  if (const auto good = check_request(request); !good) return good.error();
  const auto* at = reinterpret_cast<const unsigned char*>(request.data());
  const Owned<X509_REQ> parsed(d2i_X509_REQ(nullptr, &at, static_cast<long>(request.size())));
  return sign({.key = X509_REQ_get0_pubkey(parsed.get()),
               .organization = "monitor agent",
               .extended_usage = "clientAuth",
               .names = "URI:" + agent_uri(options_.trust_domain, agent_id),
               .life_ns = options_.agent_life_ns});
}

Result<IssuedCertificate> Authority::issue_server(const PrivateKey& key, std::span<const std::string> names) const {
  const auto text = names_text(names);
  if (!text) return text.error();
  return sign({.key = key.impl_->key.get(),
               .organization = "monitor server",
               .extended_usage = "serverAuth",
               .names = *text,
               .life_ns = options_.server_life_ns});
}

Result<std::string> Authority::revocation_list(std::span<const RevokedSerial> revoked, uint64_t number) const {
  const Owned<X509> issuer = parse_certificate(certificate_);
  const Owned<X509_CRL> list(X509_CRL_new());
  X509_CRL* const raw = list.get();
  const int64_t now = clock_.wall_ns();
  const Owned<ASN1_TIME> updated(ASN1_TIME_set(nullptr, now / kNanosPerSecond));
  const Owned<ASN1_TIME> next(ASN1_TIME_set(nullptr, (now + options_.agent_life_ns) / kNanosPerSecond));
  X509_CRL_set_version(raw, X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(raw, X509_get_subject_name(issuer.get()));
  X509_CRL_set1_lastUpdate(raw, updated.get());
  X509_CRL_set1_nextUpdate(raw, next.get());
  for (const RevokedSerial& one : revoked) {
    BIGNUM* digits = nullptr;
    BN_hex2bn(&digits, one.serial.c_str());
    const Owned<BIGNUM> owner(digits);
    const Owned<ASN1_INTEGER> serial(BN_to_ASN1_INTEGER(digits, nullptr));
    const Owned<ASN1_TIME> since(ASN1_TIME_set(nullptr, one.revoked_ns / kNanosPerSecond));
    Owned<X509_REVOKED> entry(X509_REVOKED_new());
    X509_REVOKED_set_serialNumber(entry.get(), serial.get());
    X509_REVOKED_set_revocationDate(entry.get(), since.get());
    if (X509_CRL_add0_revoked(raw, entry.get()) == 1) (void)entry.release();
  }
  const Owned<ASN1_INTEGER> count(ASN1_INTEGER_new());
  ASN1_INTEGER_set_uint64(count.get(), number);
  X509_CRL_add1_ext_i2d(raw, NID_crl_number, count.get(), 0, 0);
  X509_CRL_sort(raw);
  if (X509_CRL_sign(raw, key_.impl_->key.get(), EVP_sha256()) == 0) {
    return openssl_error(Code::kInternal, "signing the list of revoked certificates");
  }
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_CRL(bio.get(), raw);
  return bio_text(bio.get());
}

}  // namespace monitor::identity
