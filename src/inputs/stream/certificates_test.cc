// Which certificates open a stream: real TLS on loopback between the server's code and clients that offer anything. No
// bad certificate is accepted, and each refusal has a reason that an operator understands. The agent's side verifies
// servers; those cases are at the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "grpc/channel.h"
#include "grpc/crl.h"
#include "grpc/server.h"
#include "grpc/testing/forge.h"
#include "grpc/tls.h"
#include "inputs/stream/ingest.h"
#include "metriclog/testing/memory_log.h"
#include "metrics/encode.h"
#include "stream/messages.h"

namespace monitor::server {
namespace {

using grpc::CertificateSpec;
using grpc::Credentials;
using grpc::issue;
using grpc::make_ca;
using grpc::make_crl;
using grpc::Reckless;
using grpc::reckless_client;
using grpc::reckless_server;
using identity::IdentityFrom;
using ::testing::HasSubstr;

constexpr const char* kUri = "spiffe://example.org/agent/web-1";
constexpr int kTls11 = 0x0302;
constexpr int kTls12 = 0x0303;
constexpr int kTls13 = 0x0304;

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "certificates-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file(const std::string& name, const std::string& content) const {
    const std::string path = path_ + "/" + name;
    std::ofstream(path) << content;
    return path;
  }

 private:
  std::string path_;
};

std::string encoded_batch(const std::string& agent) {
  metrics::Batch batch;
  batch.agent_id = agent;
  batch.hostname = "host";
  batch.incarnation = std::string(metrics::kIncarnationBytes, 'i');
  batch.sequence = 1;
  return metrics::encode_batch(batch);
}

// What became of a stream.
struct Outcome {
  bool stored = false;
  std::string server;  // why the server refused, as it logs it; "" if it did not
  std::string client;  // what the agent got
};

// An agent's stream: Hello and one batch.
class Stream final : public grpc::ClientCallHandler {
 public:
  Stream(grpc::Channel& channel, const std::string& hello, const std::string& batch) {
    call_ = channel.start(Ingest::kPublishPath, {}, *this);
    call_->write(stream::encode(stream::Hello{hello, std::string(metrics::kIncarnationBytes, 'i'), "1.0", "host"}));
    call_->write(stream::encode(stream::Publish{1, encoded_batch(batch)}));
  }
  void on_message(std::string_view message) override {
    const auto parsed = stream::parse_server_message(message);
    ASSERT_TRUE(parsed.ok());
    if (std::get_if<stream::Ack>(&*parsed) != nullptr) acknowledged = true;
    if (const auto* reject = std::get_if<stream::Reject>(&*parsed)) rejected = reject->reason;
  }
  void on_done(const grpc::CallStatus& status, const grpc::Metadata& /*trailers*/) override { ended = status; }

  bool acknowledged = false;
  std::string rejected;
  std::optional<grpc::CallStatus> ended;

 private:
  std::unique_ptr<grpc::ClientCall> call_;
};

struct ServerSpec {
  grpc::ClientAuth auth = grpc::ClientAuth::kRequire;
  identity::IdentityRule rule = {};
  std::string crl = "";                    // PEM
  const Credentials* authority = nullptr;  // nullptr: the test CA
};

class CertificatesTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    root_ = new Credentials(make_ca("test CA"));
    server_ = new Credentials(issue({.common_names = {"localhost"}, .dns_names = {"localhost"}}, root_));
  }
  static void TearDownTestSuite() {
    delete root_;
    delete server_;
  }

  // A client certificate that is valid, but for what `spec` says.
  static Credentials agent(CertificateSpec spec = {}, const Credentials* issuer = root_) {
    if (spec.uris.empty()) spec.uris = {kUri};
    return issue(spec, issuer);
  }

  grpc::TlsServerOptions tls_options(const ServerSpec& spec) const {
    const Credentials& authority = spec.authority == nullptr ? *root_ : *spec.authority;
    return {.certificate_file = folder_.file("server.pem", server_->certificate_pem()),
            .key_file = folder_.file("server.key", server_->key_pem()),
            .client_ca_file = folder_.file("ca.pem", authority.certificate_pem()),
            .client_auth = spec.auth,
            .crl_file = spec.crl.empty() ? "" : folder_.file("crl.pem", spec.crl)};
  }

  void serve(const ServerSpec& spec) {
    refusal_.clear();
    endpoint_.reset();
    auto security = grpc::TlsServerContext::load(tls_options(spec));
    ASSERT_TRUE(security.ok()) << security.error().message();
    IngestOptions options;
    options.identity = spec.rule;
    ingest_ = std::make_unique<Ingest>(
        IngestEnvironment{loop_, [this](std::function<void()> work) { loop_.post(std::move(work)); }, log_.writer(),
                          streams_, memory_, held_, identities_, registry_, random_},
        options);
    grpc::ServerOptions server;
    server.security = *security;
    server.on_handshake_failed = [this](const std::string& /*peer*/, const Error& error) {
      refusal_ = error.message();
    };
    endpoint_ = std::make_unique<grpc::Server>(loop_, std::move(server));
    endpoint_->add_method(Ingest::kPublishPath, ingest_->factory(), ingest_->method_options());
    const auto port = endpoint_->listen("127.0.0.1", 0);
    ASSERT_TRUE(port.ok());
    port_ = *port;
  }

  Outcome attempt(std::shared_ptr<const grpc::SecurityContext> client, const std::string& hello = "web-1",
                  const std::string& batch = "web-1") {
    refusal_.clear();
    grpc::ChannelOptions options;
    options.host = "127.0.0.1";
    options.port = port_;
    options.security = std::move(client);
    grpc::Channel channel(loop_, resolver_, options);
    Stream stream(channel, hello, batch);
    const int64_t end = clock_.mono_ns() + 10 * kNanosPerSecond;
    // A refused client may notice before the server: its reason counts.
    const auto over = [&] {
      return stream.acknowledged || !stream.rejected.empty() ||
             (stream.ended && (stream.ended->code == Code::kPermissionDenied || !refusal_.empty()));
    };
    while (!over() && clock_.mono_ns() < end) loop_.run_once(100 * kNanosPerMilli);
    EXPECT_TRUE(over()) << "the stream neither ended nor was answered";
    Outcome out{
        .stored = stream.acknowledged && stream.rejected.empty(), .server = refusal_, .client = stream.rejected};
    if (stream.ended) {
      out.client = code_name(stream.ended->code) + ": " + stream.ended->message;
      // The same text is in the server's log.
      if (out.server.empty() && stream.ended->code == Code::kPermissionDenied) out.server = out.client;
    }
    if (!stream.rejected.empty()) out.server = stream.rejected;
    return out;
  }
  // What a server knows of a client after the handshake.
  std::optional<PeerCertificate> proven_by(const Credentials& credentials) {
    const auto security = grpc::TlsServerContext::load(tls_options({}));
    if (!security) return std::nullopt;
    const auto server = (*security)->new_connection();
    const auto client = reckless_client({.credentials = &credentials})->new_connection();
    std::string plain;
    for (int i = 0; i < 10 && !server->ready(); ++i) {
      std::string bytes;
      client->take_output(bytes);
      if (!server->receive(bytes, plain)) return std::nullopt;
      bytes.clear();
      server->take_output(bytes);
      (void)client->receive(bytes, plain);
    }
    if (server->peer_certificate() == nullptr) return std::nullopt;
    return *server->peer_certificate();
  }
  Outcome attempt(const Credentials& credentials, const std::string& hello = "web-1") {
    return attempt(reckless_client({.credentials = &credentials}), hello, hello);
  }

  void refuses(const std::string& what, const Credentials& credentials, const std::string& why,
               const std::string& hello = "web-1") {
    refuses(what, attempt(credentials, hello), why);
  }
  void refuses(const std::string& what, const Outcome& outcome, const std::string& why) {
    EXPECT_FALSE(outcome.stored) << what;
    EXPECT_THAT(outcome.server, HasSubstr(why)) << what << "; the agent got: " << outcome.client;
    EXPECT_NE(outcome.client, "") << what;
  }
  void accepts(const std::string& what, const Outcome& outcome) {
    EXPECT_TRUE(outcome.stored) << what << ": " << outcome.server << "; the agent got: " << outcome.client;
  }

  static Credentials* root_;
  static Credentials* server_;
  Folder folder_;
  SystemClock clock_;
  EventLoop loop_{clock_};
  grpc::ThreadResolver resolver_{loop_};
  metriclog::MemoryLog log_{clock_};
  StreamTable streams_;
  MemoryBudget memory_{MemoryBudget::kDefault};
  telemetry::Registry registry_;
  SeededRandom random_{1};
  HeldBatches held_{random_};
  IdentityTable identities_{{}, random_};
  std::unique_ptr<Ingest> ingest_;
  std::unique_ptr<grpc::Server> endpoint_;
  uint16_t port_ = 0;
  std::string refusal_;
};
Credentials* CertificatesTest::root_ = nullptr;
Credentials* CertificatesTest::server_ = nullptr;

TEST_F(CertificatesTest, AcceptsValidCertificates) {
  serve({.rule = {.trust_domain = "example.org"}});
  accepts("plain", attempt(agent()));
  accepts("for clients only", attempt(agent({.extended_key_usage = "clientAuth"})));
  accepts("for both sides", attempt(agent({.extended_key_usage = "clientAuth,serverAuth"})));
  accepts("with other names", attempt(agent({.common_names = {"anything", "else"}, .dns_names = {"a", "b"}})));
  accepts("RSA of 2048 bits", attempt(agent({.rsa_bits = 2048})));
  const Credentials intermediate = make_ca("intermediate", root_);
  accepts("through an intermediate CA", attempt(agent({}, &intermediate)));
  const Credentials good = agent();
  for (const int version : {kTls12, kTls13}) {
    accepts("version",
            attempt(reckless_client({.credentials = &good, .min_version = version, .max_version = version})));
  }
}

TEST_F(CertificatesTest, RefusesInvalidChains) {
  serve({});
  refuses("no certificate", attempt(reckless_client({})), "did not return a certificate, and one is required");
  refuses("self-signed", issue({.uris = {kUri}}, nullptr), "self-signed certificate");
  const Credentials stranger = make_ca("another CA");
  refuses("unknown CA", agent({}, &stranger), "unable to get local issuer certificate");
  const Credentials namesake = make_ca("test CA");
  refuses("a CA of the same name", agent({}, &namesake), "certificate signature failure");
  const Credentials hidden = make_ca("intermediate", root_);
  Credentials without_chain = agent({}, &hidden);
  without_chain.chain.clear();
  refuses("intermediate CA not sent", without_chain, "unable to get local issuer certificate");
  refuses("expired", agent({.not_before = -7200, .not_after = -3600}), "certificate has expired");
  refuses("expired a second ago", agent({.not_after = -1}), "certificate has expired");
  refuses("not yet valid", agent({.not_before = 3600, .not_after = 7200}), "certificate is not yet valid");
  refuses("expired, with its names", agent({.common_names = {"w"}, .not_after = -1}), "subject CN=w, serial 10");
  const Credentials expired =
      issue({.common_names = {"old"}, .not_after = -1, .basic_constraints = "critical,CA:TRUE"}, root_);
  refuses("expired intermediate CA", agent({}, &expired),
          "certificate has expired (of the CA above it: subject CN=old");
  const Credentials no_ca = issue({.common_names = {"no CA"}}, root_);
  refuses("intermediate without the CA flag", agent({}, &no_ca), "invalid CA certificate");
  const Credentials bare = issue({.common_names = {"bare"}, .basic_constraints = ""}, root_);
  refuses("intermediate without constraints", agent({}, &bare), "invalid CA certificate");
  const Credentials other_agent = agent({.common_names = {"web-2"}});
  refuses("signed by an agent", agent({.common_names = {"web-1"}}, &other_agent), "invalid CA certificate");
  const Credentials no_sign = issue(
      {.common_names = {"no sign"}, .basic_constraints = "critical,CA:TRUE", .key_usage = "critical,digitalSignature"},
      root_);
  refuses("intermediate that may not sign", agent({}, &no_sign), "invalid CA certificate");
  const Credentials last = issue({.common_names = {"last"}, .basic_constraints = "critical,CA:TRUE,pathlen:0"}, root_);
  const Credentials beyond = make_ca("beyond", &last);
  refuses("too long a path", agent({}, &beyond), "path length constraint exceeded");
  const Credentials narrow = issue({.common_names = {"narrow"},
                                    .basic_constraints = "critical,CA:TRUE",
                                    .name_constraints = "critical,permitted;URI:elsewhere.org"},
                                   root_);
  refuses("outside the CA's name constraints", agent({}, &narrow), "permitted subtree violation");
}

// A root that both sides have as their CA, outside its validity.
Credentials root_valid_between(int64_t not_before, int64_t not_after) {
  return issue({.common_names = {"root"},
                .not_before = not_before,
                .not_after = not_after,
                .basic_constraints = "critical,CA:TRUE",
                .key_usage = "critical,keyCertSign,cRLSign"},
               nullptr);
}

TEST_F(CertificatesTest, RefusesWhatAnExpiredRootHasSigned) {
  const Credentials old = root_valid_between(-7200, -1);
  serve({.authority = &old});
  refuses("expired root CA", agent({}, &old), "certificate has expired (of the CA above it: subject CN=root");
  const Credentials intermediate = make_ca("intermediate", &old);
  refuses("expired root above an intermediate CA", agent({}, &intermediate),
          "certificate has expired (of the CA above it: subject CN=root");
  refuses("self-signed under the root's name", issue({.common_names = {"root"}, .uris = {kUri}}, nullptr),
          "self-signed certificate");
  const Credentials early = root_valid_between(3600, 7200);
  serve({.authority = &early});
  refuses("root CA that is not yet valid", agent({}, &early),
          "certificate is not yet valid (of the CA above it: subject CN=root");
}

TEST_F(CertificatesTest, RefusesForgeriesAndOtherPurposes) {
  serve({});
  const Credentials good = agent({.common_names = {"web-1"}});
  refuses("altered agent id", grpc::altered(good, "agent/web-1", "agent/web-2"), "certificate signature failure",
          "web-2");
  refuses("altered serial", grpc::altered(good, "\x02\x03\x10", "\x02\x03\x11"), "certificate signature failure");
  refuses("stolen, without its key", grpc::stolen(good), "bad signature");
  refuses("a server's certificate", agent({.extended_key_usage = "serverAuth"}), "certificate purpose");
  refuses("for code signing", agent({.extended_key_usage = "codeSigning"}), "certificate purpose");
  refuses("for e-mail", agent({.extended_key_usage = "emailProtection"}), "certificate purpose");
  refuses("a key for encryption only", agent({.key_usage = "critical,keyEncipherment"}), "certificate purpose");
  refuses("an unknown critical extension", agent({.unknown_critical_extension = true}), "unhandled critical extension");
  refuses("a CA's own certificate", issue({.uris = {kUri}, .basic_constraints = "critical,CA:TRUE"}, root_),
          "it is the certificate of a CA");
}

TEST_F(CertificatesTest, RefusesWeakCryptography) {
  serve({});
  refuses("SHA-1", agent({.digest = "SHA1"}), "digest algorithm too weak");
  const Credentials rsa =
      issue({.common_names = {"RSA"}, .basic_constraints = "critical,CA:TRUE", .rsa_bits = 2048}, root_);
  refuses("MD5", agent({.digest = "MD5"}, &rsa), "digest algorithm too weak");
  refuses("RSA of 1024 bits", agent({.rsa_bits = 1024}), "key too weak");
  const Credentials weak =
      issue({.common_names = {"weak"}, .basic_constraints = "critical,CA:TRUE", .rsa_bits = 1024}, root_);
  refuses("intermediate CA of 1024 bits", agent({}, &weak), "CA certificate key too weak");
  const Credentials good = agent();
  const auto client = [&good](int least, int most, const std::string& ciphers, bool alpn = true) {
    return reckless_client(
        {.credentials = &good, .min_version = least, .max_version = most, .ciphers = ciphers, .alpn = alpn});
  };
  const std::string all = "ALL:@SECLEVEL=0";
  refuses("TLS 1.1", attempt(client(kTls11, kTls11, all)), "unsupported protocol: TLS 1.2 or 1.3 is required");
  refuses("TLS 1.0", attempt(client(0x0301, 0x0301, all)), "unsupported protocol: TLS 1.2 or 1.3 is required");
  refuses("no encryption", attempt(client(kTls12, kTls12, "eNULL:@SECLEVEL=0")), "no shared cipher");
  refuses("CBC", attempt(client(kTls12, kTls12, "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")), "no shared cipher");
  refuses("no forward secrecy", attempt(client(kTls12, kTls12, "AES128-GCM-SHA256:@SECLEVEL=0")), "no shared cipher");
  refuses("no HTTP/2", attempt(client(kTls13, kTls13, all, false)), "does not offer HTTP/2");
  refuses("plain text", attempt(nullptr), "the peer does not use TLS");
}

TEST_F(CertificatesTest, RefusesRevokedCertificates) {
  const Credentials intermediate = make_ca("intermediate", root_);
  const Credentials revoked = agent();
  const Credentials good = agent();
  const Credentials below = agent({}, &intermediate);
  const std::string of_root = make_crl(*root_, {&revoked});
  const std::string of_intermediate = make_crl(intermediate, {});
  serve({.crl = of_root});
  accepts("not revoked", attempt(good));
  refuses("revoked", revoked, "certificate revoked");
  refuses("no CRL of the CA that issued it", below, "unable to get certificate CRL");
  serve({.crl = of_root + of_intermediate});
  accepts("with the CRLs of both CAs", attempt(below));
  serve({.crl = of_intermediate});
  accepts("without the root's CRL", attempt(below));
  serve({.crl = make_crl(*root_, {&intermediate}) + of_intermediate});
  refuses("revoked CA", below, "certificate revoked (of the CA above it: subject CN=intermediate");
  serve({.crl = make_crl(*root_, {}, -7200, -3600)});
  refuses("expired CRL", good, "CRL has expired");
  serve({.crl = make_crl(*root_, {}, 3600, 7200)});
  refuses("CRL not yet valid", good, "CRL is not yet valid");
  const Credentials namesake = make_ca("test CA");
  serve({.crl = make_crl(namesake, {})});
  refuses("CRL of another CA", good, "CRL signature failure");
}

TEST_F(CertificatesTest, ReadsTheEntriesOfAllLists) {
  const Credentials intermediate = make_ca("intermediate", root_);
  const Credentials one = agent();
  const Credentials below = agent({}, &intermediate);
  const auto entries = grpc::read_crl(folder_.file(
      "lists.pem", "a comment\n" + make_crl(*root_, {&one, &intermediate}) + make_crl(intermediate, {&below})));
  ASSERT_TRUE(entries);
  EXPECT_EQ(entries->size(), 3U);
  EXPECT_EQ(std::ranges::count(*entries, "CN=intermediate", &CertificateNumber::issuer), 1);
  const auto none = grpc::read_crl(folder_.file("none.pem", ""));
  EXPECT_TRUE(none && none->empty());
  EXPECT_FALSE(grpc::read_crl("/nonexistent/crl.pem"));
}

// For streams that began before a list changed.
TEST_F(CertificatesTest, AListAppliesToWhatARevokedCaHasIssued) {
  const Credentials intermediate = make_ca("intermediate", root_);
  const Credentials lower = make_ca("lower", &intermediate);
  const Credentials below = agent({}, &lower);
  const auto seen = proven_by(below);
  ASSERT_TRUE(seen);
  ASSERT_EQ(seen->authorities.size(), 3U) << "lower, intermediate, root";
  EXPECT_EQ(seen->authorities[0].issuer, "CN=intermediate");
  EXPECT_EQ(seen->authorities[1].issuer, "CN=test CA");
  const auto other = proven_by(agent());
  ASSERT_TRUE(other);
  const auto lists = [&](const std::string& pem) {
    const auto entries = grpc::read_crl(folder_.file("now.pem", pem));
    EXPECT_TRUE(entries);
    grpc::RevokedByCrl revoked;
    revoked.set(*entries);
    return std::pair(revoked.contains(*seen), revoked.contains(*other));
  };
  const std::pair neither(false, false);
  const std::pair only_below(true, false);
  EXPECT_EQ(lists(make_crl(*root_, {}) + make_crl(intermediate, {}) + make_crl(lower, {})), neither);
  EXPECT_EQ(lists(make_crl(lower, {&below})), only_below);
  EXPECT_EQ(lists(make_crl(intermediate, {&lower})), only_below);
  EXPECT_EQ(lists(make_crl(*root_, {&intermediate})), only_below);
  EXPECT_EQ(lists(make_crl(make_ca("another CA"), {&intermediate, &lower, &below})), neither);
}

TEST_F(CertificatesTest, RefusesOtherIdentities) {
  using namespace std::string_literals;
  serve({.rule = {.trust_domain = "example.org"}});
  const auto uri = [this](const std::string& text, const std::string& why, const std::string& hello = "web-1") {
    refuses("URI " + text, agent({.uris = {text}}), why, hello);
  };
  const std::string prefix = "spiffe://example.org/agent/";
  uri("spiffe://example.com/agent/web-1", "is of trust domain example.com; expected example.org");
  uri("spiffe://sub.example.org/agent/web-1", "is of trust domain sub.example.org");
  for (const char* const domain : {"Example.org", "*", "example.org:443", "user@example.org", "example.org\\", ""}) {
    uri("spiffe://"s + domain + "/agent/web-1", "its trust domain is not");
  }
  uri("spiffe://example.org\0.evil/agent/web-1"s, "its trust domain is not");
  for (const char* const scheme : {"SPIFFE", "http", "xspiffe"}) {
    uri(std::string(scheme) + "://example.org/agent/web-1", "its scheme is not spiffe");
  }
  uri("web-1", "its scheme is not spiffe");
  for (const char* const path :
       {"/agent/a/../web-1", "/agent/web-1/", "/agent//web-1", "//agent/web-1", "/server/web-1", "/AGENT/web-1",
        "/web-1", "/agent", "/agent/web-1/x", "/ns/x/agent/web-1"}) {
    uri("spiffe://example.org"s + path, "its path is not /agent/ID");
  }
  for (const std::string& id : {"web%2d1"s, "web-1?a=b"s, "web-1#x"s, "web-1;v"s, "*"s, "web-*"s, "web-1 "s, "."s,
                                ".."s, ""s, "web-1\n"s, "web-1\0"s, "web-1\0x"s,
                                "w\xC3\xA4"
                                "b"s,
                                std::string(129, 'x')}) {
    uri(prefix + id, "its agent id is not");
  }
  uri(prefix + std::string(3000, 'x'), "it is longer than 2048 bytes");
  refuses("two URIs", agent({.uris = {kUri, prefix + "web-2"}}), "it has 2 URI SANs");
  refuses("two equal URIs", agent({.uris = {kUri, kUri}}), "it has 2 URI SANs");
  refuses("a second URI of another kind", agent({.uris = {kUri, "https://example.org/"}}), "it has 2 URI SANs");
  refuses("common name only", issue({.common_names = {"web-1"}}, root_), "--identity-from cn is not set");
  refuses("DNS name only", issue({.dns_names = {"web-1"}}, root_), "it has no URI SAN");
  refuses("URI as DNS name", issue({.dns_names = {kUri}}, root_), "it has no URI SAN");
  refuses("e-mail only", issue({.emails = {"web-1@example.org"}}, root_), "it has no URI SAN");
  refuses("no name", issue({}, root_), "it has no URI SAN");
  for (const char* const id : {"web-2", "WEB-1", "web-10", "web", "example.org"}) {
    refuses("Hello of another agent", agent(), "is agent web-1's, and Hello names agent "s + id, id);
  }
  const Credentials good = agent();
  const Outcome relayed = attempt(reckless_client({.credentials = &good}), "web-1", "web-2");
  refuses("batch of another agent", relayed, "the batch is of agent web-2, the stream of agent web-1");
  EXPECT_EQ(log_.records(0).size(), 0U);
}

TEST_F(CertificatesTest, CommonNamesCountOnlyIfChosen) {
  serve({.rule = {.from = IdentityFrom::kCn}});
  accepts("common name", attempt(issue({.common_names = {"web-1"}}, root_)));
  refuses("URI only", issue({.uris = {kUri}}, root_), "it has no common name");
  refuses("two common names", issue({.common_names = {"web-1", "web-2"}}, root_), "it has 2 common names");
  refuses("wildcard", issue({.common_names = {"*"}}, root_), "is no agent id");
  refuses("path", issue({.common_names = {"../web-1"}}, root_), "is no agent id");
  refuses("NUL", issue({.common_names = {std::string("web-1\0x", 7)}}, root_), "is no agent id");
  refuses("another agent's", issue({.common_names = {"web-2"}}, root_),
          "is agent web-2's, and Hello names agent web-1");
  serve({.rule = {.from = IdentityFrom::kNone}});
  accepts("any id with a certificate", attempt(issue({}, root_), "whatever"));
  refuses("none without", attempt(reckless_client({})), "did not return a certificate");
}

TEST_F(CertificatesTest, VerifiesACertificateThatIsNotRequired) {
  serve({.auth = grpc::ClientAuth::kVerifyIfGiven});
  accepts("no certificate", attempt(reckless_client({}), "anything", "anything"));
  accepts("a valid one", attempt(agent()));
  refuses("self-signed", issue({.uris = {kUri}}, nullptr), "self-signed certificate");
  refuses("expired", agent({.not_after = -1}), "certificate has expired");
  refuses("another agent's", agent(), "is agent web-1's", "web-2");
  refuses("no identity", issue({.common_names = {"web-1"}}, root_), "it has no URI SAN");
  serve({.auth = grpc::ClientAuth::kOff, .rule = {.from = IdentityFrom::kNone}});
  accepts("not asked for", attempt(issue({}, nullptr), "anything"));
}

// --- The agent's side: it talks to no server that cannot prove its name.

class ServerCertificatesTest : public CertificatesTest {
 protected:
  // The outcome of an agent that expects `name`, with a server that presents `credentials`.
  std::string reach(const Credentials& credentials, const std::string& name = "monitor.example.org",
                    const std::string& crl = "", const Credentials& authority = *root_) {
    grpc::TlsClientOptions options{.ca_file = folder_.file("ca.pem", authority.certificate_pem()), .server_name = name};
    if (!crl.empty()) options.crl_file = folder_.file("crl.pem", crl);
    const auto client = grpc::TlsClientContext::load(options);
    EXPECT_TRUE(client.ok());
    const auto server = reckless_server({.credentials = &credentials})->new_connection();
    const auto connection = (*client)->new_connection();
    std::string bytes;
    std::string plain;
    for (int i = 0; i < 10 && !(connection->ready() && server->ready()); ++i) {
      bytes.clear();
      connection->take_output(bytes);
      (void)server->receive(bytes, plain);
      bytes.clear();
      server->take_output(bytes);
      if (const Status status = connection->receive(bytes, plain); !status) return status.error().message();
    }
    return connection->ready() ? "accepted" : "not ready";
  }
};

TEST_F(ServerCertificatesTest, AreVerifiedByTheirOwnName) {
  const auto named = [](const std::string& name) { return issue({.dns_names = {name}}, root_); };
  EXPECT_EQ(reach(named("monitor.example.org")), "accepted");
  EXPECT_EQ(reach(named("*.example.org")), "accepted");
  for (const char* const name : {"other.example.org", "example.org", "*", "*.org", "mon*.example.org", "*.*.org",
                                 "monitor.example.org.evil.net", "monitor.*.org", "*.monitor.example.org"}) {
    EXPECT_THAT(reach(named(name)), HasSubstr("hostname mismatch")) << name;
  }
  EXPECT_THAT(reach(named(std::string("monitor.example.org\0.evil.net", 29))), HasSubstr("hostname mismatch"));
  EXPECT_THAT(reach(issue({.common_names = {"monitor.example.org"}}, root_)), HasSubstr("hostname mismatch"));
  EXPECT_THAT(reach(issue({.uris = {"https://monitor.example.org"}}, root_)), HasSubstr("hostname mismatch"));
  EXPECT_THAT(reach(named("other.example.org")), HasSubstr("DNS name other.example.org"));
  EXPECT_THAT(reach(named("127.0.0.1"), "127.0.0.1"), HasSubstr("IP address mismatch"));
}

TEST_F(ServerCertificatesTest, MustBeValidAndForServers) {
  const std::vector<std::string> names = {"monitor.example.org"};
  const Credentials good = issue({.dns_names = names}, root_);
  const Credentials stranger = make_ca("another CA");
  EXPECT_THAT(reach(issue({.dns_names = names}, nullptr)), HasSubstr("self-signed certificate"));
  EXPECT_THAT(reach(issue({.dns_names = names}, &stranger)), HasSubstr("unable to get local issuer certificate"));
  EXPECT_THAT(reach(issue({.dns_names = names, .not_after = -1}, root_)), HasSubstr("certificate has expired"));
  EXPECT_THAT(reach(issue({.dns_names = names, .not_before = 3600}, root_)), HasSubstr("not yet valid"));
  EXPECT_THAT(reach(issue({.dns_names = names, .extended_key_usage = "clientAuth"}, root_)),
              HasSubstr("certificate purpose"));
  EXPECT_THAT(reach(agent({.dns_names = names, .extended_key_usage = "clientAuth"})), HasSubstr("certificate purpose"));
  EXPECT_THAT(reach(issue({.dns_names = names, .digest = "SHA1"}, root_)), HasSubstr("too weak"));
  EXPECT_THAT(reach(issue({.dns_names = names, .rsa_bits = 1024}, root_)), HasSubstr("too"));
  EXPECT_THAT(reach(grpc::altered(good, "monitor", "monutor"), "monutor.example.org"), HasSubstr("signature failure"));
  EXPECT_THAT(reach(grpc::stolen(good)), HasSubstr("bad signature"));
  for (const auto& [root, why] : {std::pair(root_valid_between(-7200, -1), "certificate has expired (of the CA above"),
                                  {root_valid_between(3600, 7200), "certificate is not yet valid (of the CA above"}}) {
    EXPECT_THAT(reach(issue({.dns_names = names}, &root), "monitor.example.org", "", root), HasSubstr(why));
  }
  EXPECT_EQ(reach(good, "monitor.example.org", make_crl(*root_, {})), "accepted");
  EXPECT_THAT(reach(good, "monitor.example.org", make_crl(*root_, {&good})), HasSubstr("certificate revoked"));
  EXPECT_THAT(reach(good, "monitor.example.org", make_crl(*root_, {}, -7200, -3600)), HasSubstr("CRL has expired"));
}

}  // namespace
}  // namespace monitor::server
