// The certificates and revocation lists in files of this host.
#include <fmt/format.h>

#include "doctor/certificate.h"
#include "doctor/checks.h"
#include "doctor/checks/days_left.h"

namespace monitor::doctor {

namespace {

constexpr size_t kMaxBytes = size_t{1} << 20;

// What a file may contain.
struct Kind {
  const char* name;
  Result<std::vector<CertificateFacts>> (*parse)(std::string_view pem);
};

constexpr Kind kCertificate = {"certificate", parse_certificates};
constexpr Kind kRevocationList = {"revocation list", parse_revocation_lists};

void look_at_file(const Context& context, const std::string& path, const Kind& kind, Findings& findings) {
  const auto text = context.host.read_file(path, kMaxBytes);
  if (!text) {
    findings.push_back(
        fail(text.error().message(), "correct the option that names it, or run this as the programs' user"));
    return;
  }
  const auto found = kind.parse(*text);
  if (!found) {
    findings.push_back(
        fail(fmt::format("{}: {}", path, found.error().message()), fmt::format("put a PEM {} there", kind.name)));
    return;
  }
  for (const CertificateFacts& one : *found) {
    Finding finding = judge_validity(fmt::format("the {} in {}", kind.name, path), one, context.host.wall_ns());
    if (&kind == &kRevocationList && finding.verdict > Verdict::kOk) {
      finding.remedy =
          "make a new list with the CA, and put it in place of this file; until then, connections are refused";
    }
    if (one.authority && finding.verdict > Verdict::kOk) {
      finding.remedy +=
          "; if it is the server's built-in CA, move the file away and start the server again: it makes a new one for "
          "the same key";
    }
    findings.push_back(std::move(finding));
  }
}

void look_at_key(const Context& context, const TlsFiles& files, Findings& findings) {
  if (files.certificate.empty() || files.key.empty()) return;
  const auto certificate = context.host.read_file(files.certificate, kMaxBytes);
  const auto key = context.host.read_file(files.key, kMaxBytes);
  if (!certificate) return;  // reported above
  if (!key) {
    findings.push_back(fail(key.error().message(), "run this as the user of the programs, or as root"));
    return;
  }
  const auto matches = key_matches(*certificate, *key);
  if (!matches) {
    findings.push_back(
        fail(fmt::format("{}: {}", files.key, matches.error().message()), "put a PEM private key there"));
  } else if (!*matches) {
    findings.push_back(
        fail(fmt::format("the key {} does not belong to the certificate {}", files.key, files.certificate),
             "replace both files together"));
  } else {
    findings.push_back(ok(fmt::format("the key {} belongs to its certificate", files.key)));
  }
}

Findings run(const Context& context) {
  Findings findings;
  for (const std::string& path : context.setup.certificates) look_at_file(context, path, kCertificate, findings);
  for (const std::string& path : context.setup.crls) look_at_file(context, path, kRevocationList, findings);
  for (const TlsFiles* files : {&context.setup.server_tls, &context.setup.etcd.tls})
    look_at_key(context, *files, findings);
  if (findings.empty()) findings.push_back(skipped("no certificate is configured"));
  return findings;
}

}  // namespace

const Check kCertificatesCheck = {
    "certificates", "files of certificates and revocation lists: days left; keys that belong to certificates", run};

}  // namespace monitor::doctor
