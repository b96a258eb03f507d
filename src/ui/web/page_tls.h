// PageTls: the certificate of the page's server, for libmicrohttpd's GnuTLS. New connections use the newest version of
// the files. A version that cannot be used is reported, and the previous one stays in use.
//
// On the loop's thread. A process has at most one PageTls that serves, since GnuTLS asks for the certificate without
// saying for which server.
#pragma once

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace monitor::analysis::web {

class PageTls {
 public:
  // Reads a certificate with its chain, and its private key, in PEM. The errors name the file.
  static Result<std::unique_ptr<PageTls>> load(const Clock& clock, std::string cert_file, std::string key_file);
  ~PageTls();
  PageTls(const PageTls&) = delete;
  PageTls& operator=(const PageTls&) = delete;

  // Reads the files again if they have changed, and logs the outcome.
  void refresh();

  // For MHD_OPTION_HTTPS_CERT_CALLBACK: the certificate of the PageTls that was loaded last.
  static int on_handshake(gnutls_session_t session, const gnutls_datum_t* names, int name_count,
                          const gnutls_pk_algorithm_t* algorithms, int algorithm_count, gnutls_pcert_st** chain,
                          unsigned* chain_length, gnutls_privkey_t* key);
  // TLS 1.2 and 1.3, and only ciphers that both GnuTLS and browsers consider secure.
  static constexpr const char* kPriorities = "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE";

 private:
  struct Pair;  // a certificate chain and its key

  PageTls(const Clock& clock, std::string cert_file, std::string key_file);
  Result<std::unique_ptr<Pair>> read() const;
  std::string version_of_files() const;

  const Clock& clock_;
  const std::string cert_file_;
  const std::string key_file_;
  std::string version_;
  std::deque<std::unique_ptr<Pair>> pairs_;  // the newest last; older ones may still be in use by handshakes
};

}  // namespace monitor::analysis::web
