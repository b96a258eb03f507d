#include "metriclog/kafka/properties.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include "base/hex.h"
#include "base/text.h"

namespace monitor::metriclog {

namespace {

// Properties on which the log's promises depend. The second text says what decides instead.
constexpr std::array kOurs = {
    std::pair{"bootstrap.servers", "--kafka names the brokers"},
    std::pair{"metadata.broker.list", "--kafka names the brokers"},
    std::pair{"group.id", "--group-id names the group"},
    std::pair{"enable.idempotence", "without it a batch could be stored out of order"},
    std::pair{"acks", "a batch is acknowledged when all in-sync copies have it"},
    std::pair{"request.required.acks", "a batch is acknowledged when all in-sync copies have it"},
    std::pair{"partitioner", "an agent's batches stay in one partition"},
    std::pair{"transactional.id", "the server does not use transactions"},
    std::pair{"enable.auto.commit", "a position is stored after the output"},
    std::pair{"auto.commit.enable", "a position is stored after the output"},
    std::pair{"enable.auto.offset.store", "a position is stored after the output"},
    std::pair{"auto.offset.reset", "records deleted by retention are reported, not skipped"},
    std::pair{"partition.assignment.strategy", "members share partitions cooperatively"},
};

constexpr std::string_view kBlank = " \t\f";

Error wrong(std::string message) { return Error(Code::kInvalidArgument, std::move(message)); }
Error wrong_line(int line, const std::string& message) { return wrong(fmt::format("line {}: {}", line, message)); }

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 200 &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
             std::string_view::npos;
}

using Conf = std::unique_ptr<rd_kafka_conf_t, decltype(&rd_kafka_conf_destroy)>;

std::vector<std::string> known_names() {
  const Conf conf(rd_kafka_conf_new(), &rd_kafka_conf_destroy);
  std::vector<std::string> names = {"sasl.password", "sasl.username", "ssl.key.password", "ssl.keystore.password"};
  size_t count = 0;
  const char** const dump = rd_kafka_conf_dump(conf.get(), &count);
  for (size_t i = 0; i + 1 < count; i += 2) names.emplace_back(dump[i]);
  rd_kafka_conf_dump_free(dump, count);
  return names;
}

Error refusal(const std::string& name, rd_kafka_conf_res_t result, std::string_view text) {
  if (result == RD_KAFKA_CONF_UNKNOWN) {
    const auto near = nearest(name, known_names());
    return wrong(fmt::format("{}: the Kafka client has no such setting{}", name,
                             near ? fmt::format("; did you mean {}?", *near) : ""));
  }
  // librdkafka's message may quote the value, so only the part that holds for any value is passed on.
  constexpr std::string_view kRange = "allowed range";
  const size_t range = text.find(kRange);
  const auto limits = range == std::string_view::npos ? std::string_view() : trim(text.substr(range));
  return wrong(fmt::format("{}: the Kafka client does not accept its value{}{} (values are not shown)", name,
                           limits.empty() ? "" : "; ", limits));
}

bool starts_comment(std::string_view line) { return line.starts_with('#') || line.starts_with('!'); }

// True if the line continues on the next one: it ends with an odd number of backslashes.
bool is_continued(std::string_view line) {
  const size_t last = line.find_last_not_of('\\');
  const size_t slashes = last == std::string_view::npos ? line.size() : line.size() - last - 1;
  return slashes % 2 == 1;
}

std::string_view without_blanks_before(std::string_view text) {
  return text.substr(std::min(text.size(), text.find_first_not_of(kBlank)));
}

// The UTF-8 form of \uXXXX, without surrogates.
std::optional<std::string> unicode(std::string_view digits) {
  if (digits.size() < 4) return std::nullopt;
  const auto bytes = unhex(digits.substr(0, 4));
  if (!bytes) return std::nullopt;
  const unsigned code = static_cast<unsigned char>((*bytes)[0]) * 256U + static_cast<unsigned char>((*bytes)[1]);
  if (code == 0 || (code >= 0xD800 && code <= 0xDFFF)) return std::nullopt;
  std::string out;
  if (code < 0x80) return std::string(1, static_cast<char>(code));
  if (code >= 0x800) out += static_cast<char>(0xE0U | (code >> 12U));
  out += static_cast<char>(code >= 0x800 ? 0x80U | ((code >> 6U) & 0x3FU) : 0xC0U | (code >> 6U));
  return out + static_cast<char>(0x80U | (code & 0x3FU));
}

// Returns nothing for an invalid escape.
std::optional<std::string> unescape(std::string_view text) {
  static const std::map<char, char> kEscapes = {{'\\', '\\'}, {'n', '\n'}, {'t', '\t'}, {'r', '\r'}, {'f', '\f'},
                                                {'=', '='},   {':', ':'},  {'#', '#'},  {'!', '!'},  {' ', ' '}};
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    if (text[i] == 'u') {
      const auto character = unicode(text.substr(i + 1));
      if (!character) return std::nullopt;
      out += *character;
      i += 4;
      continue;
    }
    const auto found = kEscapes.find(text[i]);
    if (found == kEscapes.end()) return std::nullopt;
    out += found->second;
  }
  return out;
}

Result<KafkaFileProperty> parse_line(std::string_view text, int line) {
  const size_t at = text.find_first_of("=:");
  if (at == std::string_view::npos) return wrong_line(line, "expected NAME=VALUE");
  std::string_view name = text.substr(0, at);
  while (!name.empty() && kBlank.find(name.back()) != std::string_view::npos) name.remove_suffix(1);
  if (!is_name(name)) return wrong_line(line, "expected a name of [A-Za-z0-9._-] before the first = or :");
  auto value = unescape(without_blanks_before(text.substr(at + 1)));
  if (!value) {
    return wrong_line(line,
                      fmt::format("{}: a backslash in its value starts no valid escape; write \\\\ for a backslash, or "
                                  "one of \\n \\t \\r \\f \\= \\: \\# \\! \\uXXXX",
                                  name));
  }
  return KafkaFileProperty{{std::string(name), std::move(*value)}, line};
}

}  // namespace

Result<KafkaProperty> parse_kafka_property(std::string_view text) {
  const size_t at = text.find('=');
  const std::string_view name = trim(text.substr(0, std::min(at, text.size())));
  if (at == std::string_view::npos || !is_name(name)) {
    // The text may be a secret, so it is not quoted.
    return wrong(fmt::format("got {} bytes {}, expected NAME=VALUE, as compression.codec=lz4 (the text is not shown)",
                             text.size(), at == std::string_view::npos ? "without =" : "without a name before ="));
  }
  return KafkaProperty(name, text.substr(at + 1));
}

Status check_kafka_property(const KafkaProperty& property) {
  const auto& [name, value] = property;
  const auto* const ours = std::ranges::find_if(kOurs, [&n = name](const auto& entry) { return n == entry.first; });
  if (ours != kOurs.end()) return wrong(fmt::format("{} cannot be changed: {}", name, ours->second));
  if (value.find('\0') != std::string::npos) return wrong(name + ": its value contains a NUL");
  const Conf conf(rd_kafka_conf_new(), &rd_kafka_conf_destroy);
  std::array<char, 512> text{};
  const auto result = rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), text.data(), text.size());
  return result == RD_KAFKA_CONF_OK ? Status() : refusal(name, result, text.data());
}

Result<std::vector<KafkaFileProperty>> parse_kafka_properties(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.size() > kMaxKafkaPropertiesBytes) {
    return wrong(fmt::format("it has {} bytes, the limit is {}", text.size(), kMaxKafkaPropertiesBytes));
  }
  std::vector<KafkaFileProperty> found;
  std::map<std::string, int> lines;  // by name
  std::string logical;
  int begun = 0;  // 0: no property is being read
  int number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!valid_utf8(line)) return wrong_line(number, "it is not UTF-8");
    if (line.find('\0') != std::string_view::npos) return wrong_line(number, "it contains a NUL");
    line = without_blanks_before(line);
    if (begun == 0 && (line.empty() || starts_comment(line))) continue;
    if (begun == 0) begun = number;
    const bool more = is_continued(line);
    logical += line.substr(0, line.size() - (more ? 1 : 0));
    if (more) continue;
    auto one = parse_line(logical, begun);
    if (!one) return one.error();
    const auto& name = one->property.first;
    if (const auto [before, is_new] = lines.emplace(name, begun); !is_new) {
      return wrong_line(begun, fmt::format("{} was already set in line {}", name, before->second));
    }
    found.push_back(std::move(*one));
    logical.clear();
    begun = 0;
  }
  if (begun != 0) return wrong_line(begun, "a backslash continues it, but the file ends");
  return found;
}

}  // namespace monitor::metriclog

namespace monitor::metriclog::kafka {

namespace {

struct Secrets {
  std::mutex mutex;
  std::set<std::string> values;
};

// Shared by the whole process, because librdkafka logs on its own threads, even after a client was destroyed.
Secrets& secrets() {
  static auto* const kSecrets = new Secrets;
  return *kSecrets;
}

}  // namespace

void note_secret(const KafkaProperty& property) {
  constexpr std::array kWords = {"password", "secret", "token", ".pem", "oauthbearer.config", "kinit.cmd", "jaas"};
  const auto& [name, value] = property;
  const bool secret =
      std::ranges::any_of(kWords, [&n = name](const char* word) { return n.find(word) != std::string::npos; });
  if (!secret || value.empty()) return;
  const std::lock_guard lock(secrets().mutex);
  secrets().values.insert(value);
}

std::string without_secrets(std::string_view text) {
  const std::lock_guard lock(secrets().mutex);
  const bool any = std::ranges::any_of(
      secrets().values, [text](const std::string& value) { return text.find(value) != std::string_view::npos; });
  return any ? "[omitted: it contains a secret setting]" : std::string(text);
}

}  // namespace monitor::metriclog::kafka
