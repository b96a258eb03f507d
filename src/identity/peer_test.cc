#include "identity/peer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace monitor::identity {
namespace {

using testing::HasSubstr;

PeerCertificate with_uris(std::vector<std::string> uris) {
  PeerCertificate certificate;
  certificate.uris = std::move(uris);
  certificate.serial = "0a1b";
  return certificate;
}

std::string refusal(const PeerCertificate& certificate, const IdentityRule& rule = {}) {
  const auto id = agent_id_of(certificate, rule);
  if (id.ok()) return "accepted as " + *id;
  EXPECT_EQ(id.error().code(), Code::kPermissionDenied);
  return id.error().message();
}

TEST(AgentIdOf, ReadsTheOnlyUri) {
  for (const char* const id : {"a", "web-1", "WEB_1.example.org", "...", "0"}) {
    const auto got = agent_id_of(with_uris({agent_uri("example.org", id)}), {});
    ASSERT_TRUE(got.ok()) << got.error().message();
    EXPECT_EQ(*got, id);
  }
  const std::string longest(128, 'x');
  EXPECT_EQ(*agent_id_of(with_uris({"spiffe://d/agent/" + longest}), {.trust_domain = "d"}), longest);
}

TEST(AgentIdOf, RefusesEveryOtherUri) {
  using namespace std::string_literals;
  const std::string prefix = "spiffe://example.org/agent/";
  const std::vector<std::string> bad = {
      "", "spiffe://", "spiffe:///agent/a", "spiffe://example.org", "spiffe://example.org/",
      "spiffe://example.org/agent",
      // Paths.
      prefix, prefix + ".", prefix + "..", prefix + "a/", prefix + "a/b", prefix + "a/../b", prefix + "./a",
      prefix + "../agent/a", "spiffe://example.org//agent/a", "spiffe://example.org/agent//a",
      "spiffe://example.org/server/a", "spiffe://example.org/Agent/a", "spiffe://example.org/a", prefix + "a\\b",
      // Escapes and other characters.
      prefix + "a%2fb", prefix + "%61", prefix + "a%00", prefix + "a b", prefix + "a\nb", prefix + "\xC3\xA4",
      prefix + "a\0"s, prefix + "a\0b"s, "spiffe://example.org\0.evil/agent/a"s, prefix + "*",
      prefix + std::string(129, 'x'),
      // Parts that a URI may have and an identity may not.
      prefix + "a?x=1", prefix + "a?", prefix + "a#f", prefix + "a#", prefix + "a;v=1",
      "spiffe://example.org:8443/agent/a", "spiffe://user@example.org/agent/a", "spiffe://user:pw@example.org/agent/a",
      "spiffe://[::1]/agent/a",
      // Schemes and trust domains.
      "SPIFFE://example.org/agent/a", "spiffe:/example.org/agent/a", "http://example.org/agent/a",
      "xspiffe://example.org/agent/a", " " + prefix + "a", prefix + "a ", "spiffe://Example.org/agent/a",
      "spiffe://example%2eorg/agent/a", "spiffe://" + std::string(256, 'd') + "/agent/a", "spiffe://*/agent/a",
      "spiffe://" + std::string(3000, 'd')};
  for (const std::string& uri : bad) {
    const std::string text = refusal(with_uris({uri}));
    EXPECT_THAT(text, HasSubstr("(serial \"0a1b\") identifies no agent: URI \"")) << uri;
    EXPECT_THAT(text, HasSubstr("expected spiffe://TRUST-DOMAIN/agent/ID")) << uri;
    EXPECT_LT(text.size(), 600U) << uri;
  }
}

TEST(AgentIdOf, NamesWhatWasFound) {
  EXPECT_THAT(refusal(with_uris({})), HasSubstr("it has no URI SAN; expected exactly one"));
  EXPECT_THAT(refusal(with_uris({"spiffe://d/agent/a", "spiffe://d/agent/b"})),
              HasSubstr(R"(it has 2 URI SANs, "spiffe://d/agent/a", "spiffe://d/agent/b"; expected exactly one)"));
  EXPECT_THAT(refusal(with_uris({"spiffe://d/agent/a", "https://example.org/"})), HasSubstr("it has 2 URI SANs"));
  EXPECT_THAT(refusal(with_uris(std::vector<std::string>(1000, "u"))), HasSubstr(R"("u" and 997 more; expected)"));
  EXPECT_THAT(refusal(with_uris({"spiffe://other/agent/a"}), {.trust_domain = "example.org"}),
              HasSubstr("is of trust domain other; expected example.org"));
  PeerCertificate named = with_uris({});
  named.common_names = {"web-1"};
  EXPECT_THAT(refusal(named), HasSubstr(R"(--identity-from cn is not set for its common name "web-1")"));
  PeerCertificate authority = with_uris({"spiffe://d/agent/a"});
  authority.ca = true;
  EXPECT_THAT(refusal(authority), HasSubstr("it is the certificate of a CA"));
}

TEST(AgentIdOf, CommonNameOnlyIfChosen) {
  const IdentityRule rule{.from = IdentityFrom::kCn, .trust_domain = ""};
  PeerCertificate certificate = with_uris({"spiffe://d/agent/other"});
  EXPECT_THAT(refusal(certificate, rule), HasSubstr("it has no common name"));
  certificate.common_names = {"web-1"};
  EXPECT_EQ(*agent_id_of(certificate, rule), "web-1");
  certificate.common_names = {"web-1", "web-2"};
  EXPECT_THAT(refusal(certificate, rule),
              HasSubstr(R"(it has 2 common names, "web-1", "web-2"; expected exactly one)"));
  for (const std::string& name : {std::string("a/b"), std::string(".."), std::string("a\0", 2), std::string("*")}) {
    certificate.common_names = {name};
    EXPECT_THAT(refusal(certificate, rule), HasSubstr("is no agent id")) << name;
  }
}

TEST(AgentIdOf, NoneGivesNoId) {
  const auto id = agent_id_of(with_uris({"spiffe://d/agent/a"}), {.from = IdentityFrom::kNone, .trust_domain = ""});
  ASSERT_FALSE(id.ok());
  EXPECT_EQ(id.error().code(), Code::kFailedPrecondition);
}

TEST(IdentityFrom, RoundTripsItsNames) {
  for (const IdentityFrom from : {IdentityFrom::kSanUri, IdentityFrom::kCn, IdentityFrom::kNone}) {
    EXPECT_EQ(*parse_identity_from(identity_from_name(from)), from);
  }
  for (const char* const text : {"", "CN", "san", "san-uri "}) {
    const auto from = parse_identity_from(text);
    ASSERT_FALSE(from.ok());
    EXPECT_THAT(from.error().message(), HasSubstr("expected san-uri, cn or none"));
  }
}

}  // namespace
}  // namespace monitor::identity
