#include "identity/ca/authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "base/testing/fake_clock.h"
#include "base/testing/fault_disk.h"
#include "identity/ca/openssl.h"

namespace monitor::identity {
namespace {

using ::monitor::testing::DiskCall;
using ::monitor::testing::DiskFault;
using ::monitor::testing::DiskOp;
using ::monitor::testing::FaultDisk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class AuthorityTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Authority>> open(Authority::Create create = Authority::Create::kIfMissing) {
    return Authority::open(disk_, clock_, random_, {.folder = "/ca", .trust_domain = "example.org"}, create);
  }
  static std::string request() { return PrivateKey::generate()->request().value(); }

  FaultDisk disk_;
  FakeClock clock_;
  SeededRandom random_{7};
};

TEST_F(AuthorityTest, CreatesItsFilesOnceAndKeepsThem) {
  const auto first = open();
  ASSERT_TRUE(first) << first.error().message();
  const auto files = disk_.contents();
  EXPECT_THAT(files.at("/ca/ca.key"), HasSubstr("BEGIN PRIVATE KEY"));
  EXPECT_THAT(files.at("/ca/ca.pem"), HasSubstr("BEGIN CERTIFICATE"));
  const auto again = open();
  ASSERT_TRUE(again);
  EXPECT_EQ((*first)->pin(), (*again)->pin());
  EXPECT_EQ(disk_.contents(), files);
}

TEST_F(AuthorityTest, ACrashBetweenItsFilesKeepsThePin) {
  const auto first = open();
  const std::string pin = (*first)->pin();
  ASSERT_TRUE(disk_.remove_file("/ca/ca.pem"));
  const auto again = open();
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ((*again)->pin(), pin);
}

TEST_F(AuthorityTest, NeverOverwritesACertificateWithoutItsKey) {
  ASSERT_TRUE(open());
  ASSERT_TRUE(disk_.remove_file("/ca/ca.key"));
  const auto files = disk_.contents();
  const auto opened = open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Code::kFailedPrecondition);
  EXPECT_THAT(opened.error().message(), HasSubstr("restore the key"));
  EXPECT_EQ(disk_.contents(), files);
}

TEST_F(AuthorityTest, RejectsTheCertificateOfAnotherKey) {
  ASSERT_TRUE(open());
  disk_.put("/ca/ca.key", PrivateKey::generate()->private_pem());
  const auto opened = open();
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message(), HasSubstr("is not the CA certificate of /ca/ca.key"));
}

TEST_F(AuthorityTest, RejectsADamagedKeyWithoutRepeatingIt) {
  ASSERT_TRUE(open());
  disk_.put("/ca/ca.key", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n");
  const auto opened = open();
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message(), HasSubstr("/ca/ca.key"));
  EXPECT_THAT(opened.error().message(), Not(HasSubstr("c2VjcmV0")));
}

TEST_F(AuthorityTest, CreatesNothingUnlessAsked) {
  const auto opened = open(Authority::Create::kNever);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Code::kNotFound);
  EXPECT_TRUE(disk_.contents().empty());
}

TEST_F(AuthorityTest, AFullDiskLeavesNoHalfOfACa) {
  disk_.set_judge([](const DiskCall& call) {
    return call.op == DiskOp::kWrite ? std::optional(DiskFault::kNoSpace) : std::nullopt;
  });
  EXPECT_FALSE(open());
  EXPECT_TRUE(disk_.contents().empty());
  disk_.set_judge(nullptr);
  EXPECT_TRUE(open());
}

TEST_F(AuthorityTest, AnAgentsCertificateHasOnlyWhatTheCaDecides) {
  const auto ca = open();
  const auto issued = (*ca)->issue_agent("web-1", request());
  ASSERT_TRUE(issued) << issued.error().message();
  const auto facts = read_certificate(issued->der);
  ASSERT_TRUE(facts);
  EXPECT_THAT(facts->uris, ElementsAre("spiffe://example.org/agent/web-1"));
  EXPECT_TRUE(facts->names.empty());
  EXPECT_FALSE(facts->is_ca);
  EXPECT_EQ(facts->serial.size(), 32U);
  EXPECT_EQ(facts->serial, issued->serial);
  EXPECT_EQ(facts->not_after_ns, clock_.wall_ns() + 7 * kDay);
  EXPECT_EQ(facts->not_before_ns, clock_.wall_ns() - 300 * kNanosPerSecond);
  EXPECT_TRUE(is_signed_by(issued->der, (*ca)->certificate()));
  EXPECT_FALSE(is_signed_by((*ca)->certificate(), issued->der));
  const Owned<X509> certificate = parse_certificate(issued->der);
  EXPECT_EQ(X509_get_extended_key_usage(certificate.get()), static_cast<uint32_t>(XKU_SSL_CLIENT));
  EXPECT_EQ(X509_get_key_usage(certificate.get()), static_cast<uint32_t>(KU_DIGITAL_SIGNATURE));
}

TEST_F(AuthorityTest, SerialsDiffer) {
  const auto ca = open();
  const std::string one = request();
  EXPECT_NE((*ca)->issue_agent("a", one)->serial, (*ca)->issue_agent("a", one)->serial);
}

TEST_F(AuthorityTest, AShortLifeIsBackdatedLess) {
  const auto ca = Authority::open(disk_, clock_, random_,
                                  {.folder = "/ca", .trust_domain = "d", .agent_life_ns = 10 * kNanosPerSecond});
  const auto facts = read_certificate((*ca)->issue_agent("a", request())->der);
  EXPECT_EQ(facts->not_before_ns, clock_.wall_ns() - 1 * kNanosPerSecond);
}

TEST_F(AuthorityTest, NoCertificateOutlivesTheCa) {
  const auto ca =
      Authority::open(disk_, clock_, random_, {.folder = "/ca", .trust_domain = "d", .authority_life_ns = 40 * kDay});
  ASSERT_TRUE(ca);
  const int64_t end = (*ca)->expires_ns();
  EXPECT_EQ(end, read_certificate((*ca)->certificate())->not_after_ns);
  EXPECT_FALSE((*ca)->expires_soon());
  const auto key = PrivateKey::generate();
  const std::vector<std::string> names = {"localhost"};
  clock_.advance(11 * kDay);
  EXPECT_TRUE((*ca)->expires_soon()) << "29 days are left";
  EXPECT_EQ((*ca)->issue_agent("a", request())->expires_ns, clock_.wall_ns() + 7 * kDay);
  EXPECT_EQ(read_certificate((*ca)->issue_server(*key, names)->der)->not_after_ns, end) << "30 days would be too long";
  clock_.advance(28 * kDay);
  const auto last = (*ca)->issue_agent("a", request());
  ASSERT_TRUE(last);
  EXPECT_EQ(last->expires_ns, end);
  const auto facts = read_certificate(last->der);
  EXPECT_EQ(facts->not_after_ns, end);
  EXPECT_LT(facts->not_before_ns, clock_.wall_ns());
  clock_.advance(kDay);
  for (const auto& refused : {(*ca)->issue_agent("a", request()), (*ca)->issue_server(*key, names)}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::kFailedPrecondition);
    EXPECT_THAT(refused.error().message(), HasSubstr("/ca/ca.pem has expired at "));
  }
}

TEST_F(AuthorityTest, AMissingCertificateIsMadeAgainForTheSameKey) {
  const auto old = open();
  const std::string before = (*old)->issue_agent("a", request())->der;
  clock_.advance(3640 * kDay);
  ASSERT_TRUE(disk_.remove_file("/ca/ca.pem"));
  const auto renewed = open();
  ASSERT_TRUE(renewed) << renewed.error().message();
  EXPECT_EQ((*renewed)->pin(), (*old)->pin());
  EXPECT_FALSE((*renewed)->expires_soon());
  const std::string after = (*renewed)->issue_agent("a", request())->der;
  // Whoever has the one accepts what the other has signed.
  EXPECT_TRUE(is_signed_by(before, (*renewed)->certificate()));
  EXPECT_TRUE(is_signed_by(after, (*old)->certificate()));
}

TEST_F(AuthorityTest, AServersCertificateHasItsNames) {
  const auto ca = open();
  const auto key = PrivateKey::generate();
  const std::vector<std::string> names = {"server.example.org", "10.0.0.7", "::1"};
  const auto issued = (*ca)->issue_server(*key, names);
  ASSERT_TRUE(issued) << issued.error().message();
  EXPECT_THAT(read_certificate(issued->der)->names, ElementsAre("server.example.org", "10.0.0.7", "::1"));
  const Owned<X509> certificate = parse_certificate(issued->der);
  EXPECT_EQ(X509_get_extended_key_usage(certificate.get()), static_cast<uint32_t>(XKU_SSL_SERVER));
}

TEST_F(AuthorityTest, RejectsNamesThatCouldAddOthers) {
  const auto ca = open();
  const auto key = PrivateKey::generate();
  for (const char* bad : {"", "a,DNS:b", "a b", "email:copy", "*.example.org", "a\nb", "-a", "a/b"}) {
    const std::vector<std::string> names = {bad};
    EXPECT_FALSE((*ca)->issue_server(*key, names)) << bad;
  }
  EXPECT_FALSE((*ca)->issue_server(*key, {}));
  EXPECT_FALSE((*ca)->issue_agent("a/../b", request()));
  EXPECT_FALSE((*ca)->issue_agent("a,URI:spiffe://example.org/agent/b", request()));
}

TEST_F(AuthorityTest, TheRevocationListNamesSerials) {
  const auto ca = open();
  const auto issued = (*ca)->issue_agent("a", request());
  const std::vector<RevokedSerial> revoked = {{issued->serial, clock_.wall_ns()}};
  const auto pem = (*ca)->revocation_list(revoked, 5);
  ASSERT_TRUE(pem) << pem.error().message();
  const auto bio = bio_over(*pem);
  const Owned<X509_CRL> list(PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr));
  ASSERT_NE(list, nullptr);
  const Owned<X509> authority = parse_certificate((*ca)->certificate());
  EXPECT_EQ(X509_CRL_verify(list.get(), X509_get0_pubkey(authority.get())), 1);
  X509_REVOKED* entry = nullptr;
  const Owned<X509> certificate = parse_certificate(issued->der);
  EXPECT_EQ(X509_CRL_get0_by_cert(list.get(), &entry, certificate.get()), 1);
  EXPECT_NE(X509_CRL_get0_nextUpdate(list.get()), nullptr);
}

// A request for a key of this kind, signed by it.
std::string request_of(EVP_PKEY* key, const EVP_MD* digest) {
  const Owned<X509_REQ> request(X509_REQ_new());
  X509_REQ_set_pubkey(request.get(), key);
  X509_REQ_sign(request.get(), key, digest);
  unsigned char* bytes = nullptr;
  const int size = i2d_X509_REQ(request.get(), &bytes);
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

TEST(CertificateRequest, AcceptsOnlyStrongKeys) {
  const auto check = [](EVP_PKEY* raw, const EVP_MD* digest) {
    const Owned<EVP_PKEY> key(raw);
    return check_request(request_of(key.get(), digest));
  };
  EXPECT_TRUE(check(EVP_EC_gen("P-256"), EVP_sha256()));
  EXPECT_TRUE(check(EVP_EC_gen("P-384"), EVP_sha384()));
  EXPECT_TRUE(check(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), nullptr));
  EXPECT_TRUE(check(EVP_RSA_gen(2048), EVP_sha256()));
  const auto weak = check(EVP_RSA_gen(1024), EVP_sha256());
  ASSERT_FALSE(weak);
  EXPECT_THAT(weak.error().message(), HasSubstr("1024 bits, expected 2048 to 4096"));
  EXPECT_FALSE(check(EVP_EC_gen("secp224r1"), EVP_sha256()));
  EXPECT_FALSE(check(EVP_EC_gen("secp256k1"), EVP_sha256()));
  EXPECT_FALSE(check(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448"), nullptr));
}

TEST(CertificateRequest, RejectsWhatItsKeyHasNotSigned) {
  std::string der = PrivateKey::generate()->request().value();
  ASSERT_TRUE(check_request(der));
  der[der.size() - 3] = static_cast<char>(der[der.size() - 3] ^ 1);
  const auto checked = check_request(der);
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message(), HasSubstr("not signed by its key"));
}

TEST(CertificateRequest, RejectsOtherBytes) {
  const std::string der = PrivateKey::generate()->request().value();
  EXPECT_FALSE(check_request(""));
  EXPECT_FALSE(check_request("nonsense"));
  EXPECT_FALSE(check_request(der.substr(0, der.size() - 1)));
  EXPECT_THAT(check_request(der + "x").error().message(), HasSubstr("bytes follow"));
  EXPECT_THAT(check_request(std::string(kMaxRequestBytes + 1, 'x')).error().message(), HasSubstr("the limit is 8192"));
}

TEST(PrivateFolder, RejectsWhatOthersCanRead) {
  std::string pattern = (std::filesystem::temp_directory_path() / "ca-XXXXXX").string();
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  const std::string folder = pattern + "/ca";
  PosixDisk disk;
  umask(077);
  ASSERT_TRUE(check_private_folder(disk, folder));  // creates it
  ASSERT_TRUE(disk.write_file(folder + "/ca.key", "x"));
  EXPECT_TRUE(check_private_folder(disk, folder));
  for (const mode_t mode : {0640, 0604, 0660, 0602}) {
    ASSERT_EQ(chmod((folder + "/ca.key").c_str(), mode), 0);
    const Status checked = check_private_folder(disk, folder);
    ASSERT_FALSE(checked) << mode;
    EXPECT_THAT(checked.error().message(), HasSubstr("chmod 600 it"));
  }
  ASSERT_EQ(chmod((folder + "/ca.key").c_str(), 0600), 0);
  ASSERT_EQ(chmod(folder.c_str(), 0750), 0);
  EXPECT_THAT(check_private_folder(disk, folder).error().message(), HasSubstr("chmod 700 it"));
  ASSERT_EQ(chmod(folder.c_str(), 0700), 0);
  ASSERT_EQ(rename((folder + "/ca.key").c_str(), (folder + "/elsewhere").c_str()), 0);
  ASSERT_EQ(symlink("elsewhere", (folder + "/ca.key").c_str()), 0);
  EXPECT_FALSE(check_private_folder(disk, folder));
  std::filesystem::remove_all(pattern);
}

}  // namespace
}  // namespace monitor::identity
