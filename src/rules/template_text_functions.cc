// Functions of templates that change texts: regular expressions, case, hosts, the URL of the program.
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <string>
#include <utility>

#include "base/text.h"
#include "query/duration.h"
#include "rules/template_arguments.h"

namespace monitor::rules::templates {

namespace {

using Value = TemplateValue;

Result<std::unique_ptr<RE2>> compile(const std::string& pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(int64_t{8} << 20);
  auto regex = std::make_unique<RE2>(pattern, options);
  if (!regex->ok()) return invalid(fmt::format("the regular expression {}: {}", json_quote(pattern), regex->error()));
  return regex;
}

Result<Value> match(Arguments arguments, const TemplateContext& /*context*/) {
  return with_texts(arguments, [](const auto& texts) -> Result<Value> {
    const auto regex = compile(texts[0]);
    if (!regex) return regex.error();
    return Value{RE2::PartialMatch(texts[1], **regex)};
  });
}

// Go's $1 and ${1} as RE2's \1; \ and $$ as they are.
Result<std::string> rewrite_of(const std::string& replacement, const RE2& regex) {
  std::string out;
  for (size_t i = 0; i < replacement.size(); ++i) {
    const char c = replacement[i];
    if (c == '\\') out += "\\\\";
    if (c != '$' && c != '\\') out += c;
    if (c != '$') continue;
    if (i + 1 < replacement.size() && replacement[i + 1] == '$') {
      out += '$';
      ++i;
      continue;
    }
    const bool braces = i + 1 < replacement.size() && replacement[i + 1] == '{';
    size_t end = i + (braces ? 2 : 1);
    const size_t begin = end;
    while (end < replacement.size() &&
           (std::isalnum(static_cast<unsigned char>(replacement[end])) != 0 || replacement[end] == '_'))
      ++end;
    const std::string name = replacement.substr(begin, end - begin);
    if (name.empty() || (braces && (end >= replacement.size() || replacement[end] != '}'))) {
      out += '$';
      continue;
    }
    i = braces ? end : end - 1;
    int group = -1;
    if (const auto number = parse_u64(name); number && *number <= 9) group = static_cast<int>(*number);
    if (const auto named = regex.NamedCapturingGroups().find(name); named != regex.NamedCapturingGroups().end())
      group = named->second;
    if (group > 9) return invalid("more than 9 groups are not supported");
    if (group >= 0 && group <= regex.NumberOfCapturingGroups()) out += fmt::format("\\{}", group);
  }
  return out;
}

Result<Value> re_replace_all(Arguments arguments, const TemplateContext& /*context*/) {
  return with_texts(arguments, [](const auto& texts) -> Result<Value> {
    const auto regex = compile(texts[0]);
    if (!regex) return regex.error();
    const auto rewrite = rewrite_of(texts[1], **regex);
    if (!rewrite) return rewrite.error();
    std::string text = texts[2];
    if (text.size() * (rewrite->size() + 1) > kMaxExpandedBytes * 16) return invalid("the text becomes too long");
    RE2::GlobalReplace(&text, **regex, *rewrite);
    return Value{std::move(text)};
  });
}

template <typename F>
Value each_byte(std::string text, F change) {
  for (char& c : text) c = static_cast<char>(change(static_cast<unsigned char>(c)));
  return Value{std::move(text)};
}

int ascii_upper(int c) { return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c; }
int ascii_lower(int c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; }

Result<Value> title(Arguments arguments, const TemplateContext& /*context*/) {
  return with_texts(arguments, [](const auto& texts) -> Result<Value> {
    bool begins = true;
    return each_byte(texts[0], [&begins](unsigned char c) {
      const bool letter = std::isalnum(c) != 0 || c == '_' || c == '\'' || c >= 0x80;
      const int changed = begins ? ascii_upper(c) : c;
      begins = !letter;
      return changed;
    });
  });
}
Result<Value> to_upper(Arguments arguments, const TemplateContext& /*context*/) {
  return with_texts(arguments, [](const auto& texts) -> Result<Value> { return each_byte(texts[0], ascii_upper); });
}
Result<Value> to_lower(Arguments arguments, const TemplateContext& /*context*/) {
  return with_texts(arguments, [](const auto& texts) -> Result<Value> { return each_byte(texts[0], ascii_lower); });
}

// "HOST:PORT" and "[V6]:PORT" without the port; any other text as it is.
std::string without_port(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return text;
  if (text.front() == '[') return text[colon - 1] == ']' ? text.substr(1, colon - 2) : text;
  return text.find(':') == colon ? text.substr(0, colon) : text;
}

Result<Value> strip_port(Arguments arguments, const TemplateContext& /*context*/) {
  return with_texts(arguments, [](const auto& texts) -> Result<Value> { return Value{without_port(texts[0])}; });
}

Result<Value> strip_domain(Arguments arguments, const TemplateContext& /*context*/) {
  return with_texts(arguments, [](const auto& texts) -> Result<Value> {
    const std::string host = without_port(texts[0]);
    if (std::ranges::all_of(host, [](unsigned char c) { return std::isdigit(c) != 0 || c == '.'; }) ||
        host.find(':') != std::string::npos) {
      return Value{texts[0]};  // an address
    }
    const std::string port = texts[0].substr(std::min(host.size(), texts[0].size()));
    return Value{host.substr(0, host.find('.')) + port};
  });
}

Result<Value> parse_duration_function(Arguments arguments, const TemplateContext& /*context*/) {
  return with_texts(arguments, [](const auto& texts) -> Result<Value> {
    const auto ms = query::parse_duration_ms(texts[0]);
    if (!ms) return invalid(fmt::format("got {}, expected a duration such as 1h30m", json_quote(texts[0])));
    return Value{static_cast<double>(*ms) / 1000};
  });
}

Result<Value> external_url(Arguments /*arguments*/, const TemplateContext& context) {
  return Value{std::string(context.external_url)};
}

Result<Value> path_prefix(Arguments /*arguments*/, const TemplateContext& context) {
  const std::string_view url = context.external_url;
  const size_t scheme = url.find("://");
  const size_t slash = url.find('/', scheme == std::string_view::npos ? 0 : scheme + 3);
  return Value{slash == std::string_view::npos ? std::string() : std::string(url.substr(slash))};
}

Result<Value> same_text(Arguments arguments, const TemplateContext& /*context*/) {
  return with_texts(arguments, [](const auto& texts) -> Result<Value> { return Value{texts[0]}; });
}

constexpr std::array kFunctions = std::to_array<Function>({
    {"externalURL", 0, 0, external_url},
    {"match", 2, 2, match},
    {"parseDuration", 1, 1, parse_duration_function},
    {"pathPrefix", 0, 0, path_prefix},
    {"reReplaceAll", 3, 3, re_replace_all},
    {"safeHtml", 1, 1, same_text},
    {"stripDomain", 1, 1, strip_domain},
    {"stripPort", 1, 1, strip_port},
    {"title", 1, 1, title},
    {"toLower", 1, 1, to_lower},
    {"toUpper", 1, 1, to_upper},
});

}  // namespace

std::span<const Function> text_functions() { return kFunctions; }

}  // namespace monitor::rules::templates
