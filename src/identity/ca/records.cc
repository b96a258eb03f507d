#include "identity/ca/records.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace monitor::identity {

namespace {

using Json = nlohmann::json;

constexpr int kVersion = 1;

// Calls `read` with the parsed text. Any fault of the text is kDataLoss.
template <typename T, typename Read>
Result<T> parse(std::string_view text, const Read& read) {
  try {
    const Json json = Json::parse(text);
    if (const int version = json.at("version").get<int>(); version != kVersion) {
      return Error(Code::kDataLoss, "it has version " + std::to_string(version) + ", this program reads version 1");
    }
    T out{};
    read(json, out);
    return out;
  } catch (const Json::exception& fault) {
    return Error(Code::kDataLoss, std::string("it is damaged: ") + fault.what());
  }
}

}  // namespace

const char* TokenRecord::state(int64_t now_ns) const {
  if (revoked_ns != 0) return "revoked";
  if (uses.size() >= max_uses) return "used";
  return now_ns >= expires_ns ? "expired" : "usable";
}

int64_t Revocations::agent_revoked_ns(std::string_view agent_id) const {
  const auto found = std::ranges::find(agents, agent_id, &RevokedAgent::agent_id);
  return found == agents.end() ? 0 : found->revoked_ns;
}

bool Revocations::is_unlisted(std::string_view agent_id) const {
  return std::ranges::any_of(agents, [&](const RevokedAgent& one) { return one.unlisted && one.agent_id == agent_id; });
}

bool Revocations::has_serial(std::string_view serial) const {
  return std::ranges::find(certificates, serial, &RevokedCertificate::serial) != certificates.end();
}

std::string format_tokens(const std::vector<TokenRecord>& tokens) {
  Json list = Json::array();
  for (const TokenRecord& token : tokens) {
    Json uses = Json::array();
    for (const TokenUse& use : token.uses) {
      uses.push_back({{"agent", use.agent_id}, {"key", use.key_hash}, {"at_ns", use.at_ns}});
    }
    list.push_back({{"id", token.id},
                    {"secret_sha256", token.secret_hash},
                    {"agent", token.pattern},
                    {"created_ns", token.created_ns},
                    {"expires_ns", token.expires_ns},
                    {"max_uses", token.max_uses},
                    {"uses", std::move(uses)},
                    {"refused", token.refused},
                    {"revoked_ns", token.revoked_ns}});
  }
  return Json{{"version", kVersion}, {"tokens", std::move(list)}}.dump(1) + "\n";
}

Result<std::vector<TokenRecord>> parse_tokens(std::string_view text) {
  return parse<std::vector<TokenRecord>>(text, [](const Json& json, std::vector<TokenRecord>& out) {
    for (const Json& one : json.at("tokens")) {
      TokenRecord token;
      token.id = one.at("id").get<std::string>();
      token.secret_hash = one.at("secret_sha256").get<std::string>();
      token.pattern = one.at("agent").get<std::string>();
      token.created_ns = one.at("created_ns").get<int64_t>();
      token.expires_ns = one.at("expires_ns").get<int64_t>();
      token.max_uses = one.at("max_uses").get<uint64_t>();
      token.refused = one.at("refused").get<uint64_t>();
      token.revoked_ns = one.at("revoked_ns").get<int64_t>();
      for (const Json& use : one.at("uses")) {
        token.uses.push_back(
            {use.at("agent").get<std::string>(), use.at("key").get<std::string>(), use.at("at_ns").get<int64_t>()});
      }
      out.push_back(std::move(token));
    }
  });
}

std::string format_issued(const std::vector<IssuedRecord>& issued) {
  Json list = Json::array();
  for (const IssuedRecord& one : issued) {
    list.push_back({{"serial", one.serial},
                    {"key", one.key_hash},
                    {"issued_ns", one.issued_ns},
                    {"expires_ns", one.expires_ns},
                    {"revoked_ns", one.revoked_ns}});
  }
  return Json{{"version", kVersion}, {"certificates", std::move(list)}}.dump(1) + "\n";
}

Result<std::vector<IssuedRecord>> parse_issued(std::string_view text) {
  return parse<std::vector<IssuedRecord>>(text, [](const Json& json, std::vector<IssuedRecord>& out) {
    for (const Json& one : json.at("certificates")) {
      out.push_back({one.at("serial").get<std::string>(), one.at("key").get<std::string>(),
                     one.at("issued_ns").get<int64_t>(), one.at("expires_ns").get<int64_t>(),
                     one.at("revoked_ns").get<int64_t>()});
    }
  });
}

std::string format_revocations(const Revocations& revocations) {
  Json agents = Json::array();
  for (const RevokedAgent& one : revocations.agents) {
    agents.push_back({{"agent", one.agent_id}, {"revoked_ns", one.revoked_ns}});
    if (one.unlisted) agents.back()["unlisted"] = true;
  }
  Json certificates = Json::array();
  for (const RevokedCertificate& one : revocations.certificates) {
    certificates.push_back({{"serial", one.serial},
                            {"agent", one.agent_id},
                            {"revoked_ns", one.revoked_ns},
                            {"expires_ns", one.expires_ns}});
  }
  const Json json{{"version", kVersion},
                  {"number", revocations.number},
                  {"agents", std::move(agents)},
                  {"certificates", std::move(certificates)}};
  return json.dump(1) + "\n";
}

Result<Revocations> parse_revocations(std::string_view text) {
  return parse<Revocations>(text, [](const Json& json, Revocations& out) {
    out.number = json.at("number").get<uint64_t>();
    for (const Json& one : json.at("agents")) {
      out.agents.push_back(
          {one.at("agent").get<std::string>(), one.at("revoked_ns").get<int64_t>(), one.value("unlisted", false)});
    }
    for (const Json& one : json.at("certificates")) {
      out.certificates.push_back({one.at("serial").get<std::string>(), one.at("agent").get<std::string>(),
                                  one.at("revoked_ns").get<int64_t>(), one.at("expires_ns").get<int64_t>()});
    }
  });
}

}  // namespace monitor::identity
