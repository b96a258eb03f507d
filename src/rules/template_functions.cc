#include "rules/template_functions.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"
#include "base/time_format.h"
#include "query/column.h"
#include "query/duration.h"
#include "rules/template_numbers.h"

namespace monitor::rules::templates {

namespace {

using Value = TemplateValue;

Error invalid(const std::string& text) { return {Code::kInvalidArgument, text}; }

Result<std::string> text_of(const Value& value) {
  if (const auto* const text = std::get_if<std::string>(&value.data)) return *text;
  return invalid(fmt::format("got {} {}, expected a text", value.type_name(), value.text()));
}

// Calls with the texts of all arguments.
template <typename F>
Result<Value> with_texts(Arguments arguments, F compute) {
  std::vector<std::string> texts;
  for (const Value& one : arguments) {
    auto text = text_of(one);
    if (!text) return text.error();
    texts.push_back(std::move(*text));
  }
  return compute(texts);
}

// --- of Prometheus

Result<Value> query_function(Arguments arguments, const TemplateContext& context) {
  const auto expression = text_of(arguments[0]);
  if (!expression) return expression.error();
  if (!context.query) return invalid("there is nothing to query here");
  auto found = context.query(*expression);
  if (!found) return found.error();
  auto list = std::make_shared<std::vector<Value>>();
  for (const query::ResultSeries& series : *found) {
    if (!series.points.empty()) list->push_back(sample_value(series.labels, series.points.back().value));
  }
  return Value{Value::List(std::move(list))};
}

Result<Value> first(Arguments arguments, const TemplateContext& /*context*/) {
  const auto* const list = std::get_if<Value::List>(&arguments[0].data);
  if (list == nullptr) return invalid(fmt::format("got {}, expected a list", arguments[0].type_name()));
  if ((*list)->empty()) return invalid("the list is empty");
  return (*list)->front();
}

const Value* field(const Value& value, const std::string& name) {
  const auto* const map = std::get_if<Value::Map>(&value.data);
  if (map == nullptr || (*map)->kind != TemplateMap::Kind::kFields) return nullptr;
  const auto found = (*map)->values.find(name);
  return found == (*map)->values.end() ? nullptr : &found->second;
}

Result<Value> label_of(const std::string& name, const Value& sample) {
  const Value* const labels = field(sample, "Labels");
  if (labels == nullptr) return invalid(fmt::format("got {}, expected a series of a query", sample.type_name()));
  const auto& map = *std::get<Value::Map>(labels->data);
  const auto found = map.values.find(name);
  return found == map.values.end() ? Value{std::string()} : found->second;
}

Result<Value> label(Arguments arguments, const TemplateContext& /*context*/) {
  const auto name = text_of(arguments[0]);
  if (!name) return name.error();
  return label_of(*name, arguments[1]);
}

Result<Value> strvalue(Arguments arguments, const TemplateContext& /*context*/) {
  return label_of("__value__", arguments[0]);
}

Result<Value> value(Arguments arguments, const TemplateContext& /*context*/) {
  const Value* const found = field(arguments[0], "Value");
  if (found == nullptr) return invalid(fmt::format("got {}, expected a series of a query", arguments[0].type_name()));
  return *found;
}

Result<Value> args(Arguments arguments, const TemplateContext& /*context*/) {
  auto map = std::make_shared<TemplateMap>();
  for (size_t i = 0; i < arguments.size(); ++i) map->values["arg" + std::to_string(i)] = arguments[i];
  return Value{Value::Map(std::move(map))};
}

Result<Value> sort_by_label(Arguments arguments, const TemplateContext& /*context*/) {
  const auto name = text_of(arguments[0]);
  if (!name) return name.error();
  const auto* const list = std::get_if<Value::List>(&arguments[1].data);
  if (list == nullptr) return invalid(fmt::format("got {}, expected a list", arguments[1].type_name()));
  std::vector<std::pair<std::string, Value>> sorted;
  for (const Value& one : **list) {
    auto key = label_of(*name, one);
    if (!key) return key;
    sorted.emplace_back(key->text(), one);
  }
  std::ranges::stable_sort(sorted, [](const auto& a, const auto& b) { return a.first < b.first; });
  auto out = std::make_shared<std::vector<Value>>();
  for (auto& [key, one] : sorted) out->push_back(std::move(one));
  return Value{Value::List(std::move(out))};
}

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

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.' || c == '~') {
      out += c;
    } else {
      out += c == ' ' ? "+" : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

template <int kTab>
Result<Value> link(Arguments arguments, const TemplateContext& /*context*/) {
  return with_texts(arguments, [](const auto& texts) -> Result<Value> {
    return Value{fmt::format("/graph?g0.expr={}&g0.tab={}", percent_encoded(texts[0]), kTab)};
  });
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

// --- of Go

// Concatenates as Go's Sprint: with a space between two that are no texts.
std::string printed(Arguments arguments, bool spaces) {
  std::string out;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool texts = i > 0 && (std::holds_alternative<std::string>(arguments[i].data) ||
                                 std::holds_alternative<std::string>(arguments[i - 1].data));
    if (i > 0 && (spaces || !texts)) out += ' ';
    out += arguments[i].text();
  }
  return out;
}

Result<Value> print(Arguments arguments, const TemplateContext& /*context*/) {
  return Value{printed(arguments, false)};
}
Result<Value> println(Arguments arguments, const TemplateContext& /*context*/) {
  return Value{printed(arguments, true) + "\n"};
}
Result<Value> printf_function(Arguments arguments, const TemplateContext& /*context*/) {
  const auto format = text_of(arguments[0]);
  if (!format) return format.error();
  return Value{format_as_go(*format, arguments.subspan(1))};
}

Result<Value> html(Arguments arguments, const TemplateContext& /*context*/) {
  std::string out;
  for (const char c : printed(arguments, false)) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&#34;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return Value{std::move(out)};
}

Result<Value> urlquery(Arguments arguments, const TemplateContext& /*context*/) {
  return Value{percent_encoded(printed(arguments, false))};
}

Result<Value> and_function(Arguments arguments, const TemplateContext& /*context*/) {
  const auto no = std::ranges::find_if(arguments, [](const Value& one) { return !one.truth(); });
  return no == arguments.end() ? arguments.back() : *no;
}
Result<Value> or_function(Arguments arguments, const TemplateContext& /*context*/) {
  const auto yes = std::ranges::find_if(arguments, [](const Value& one) { return one.truth(); });
  return yes == arguments.end() ? arguments.back() : *yes;
}
Result<Value> not_function(Arguments arguments, const TemplateContext& /*context*/) {
  return Value{!arguments[0].truth()};
}

Result<Value> len(Arguments arguments, const TemplateContext& /*context*/) {
  const auto size = [](size_t n) { return Value{static_cast<int64_t>(n)}; };
  if (const auto* const text = std::get_if<std::string>(&arguments[0].data)) return size(text->size());
  if (const auto* const list = std::get_if<Value::List>(&arguments[0].data)) return size((*list)->size());
  if (const auto* const map = std::get_if<Value::Map>(&arguments[0].data)) return size((*map)->values.size());
  return invalid(fmt::format("{} has no length", arguments[0].type_name()));
}

Result<Value> index(Arguments arguments, const TemplateContext& /*context*/) {
  Value value = arguments[0];
  for (const Value& key : arguments.subspan(1)) {
    if (const auto* const map = std::get_if<Value::Map>(&value.data)) {
      const auto name = text_of(key);
      if (!name) return name.error();
      const auto found = (*map)->values.find(*name);
      if (found != (*map)->values.end()) {
        value = Value(found->second);
      } else {
        value = (*map)->kind == TemplateMap::Kind::kTexts ? Value{std::string()} : Value{};
      }
      continue;
    }
    const auto* const at = std::get_if<int64_t>(&key.data);
    const auto* const list = std::get_if<Value::List>(&value.data);
    const auto* const text = std::get_if<std::string>(&value.data);
    const size_t size = list != nullptr ? (*list)->size() : (text != nullptr ? text->size() : 0);
    if (at == nullptr || (list == nullptr && text == nullptr)) return invalid("expected a list and an integer");
    if (*at < 0 || std::cmp_greater_equal(*at, size)) return invalid(fmt::format("index out of range: {}", *at));
    value = list != nullptr
                ? Value((**list)[static_cast<size_t>(*at)])
                : Value{static_cast<int64_t>(static_cast<unsigned char>((*text)[static_cast<size_t>(*at)]))};
  }
  return value;
}

Result<int> compare(const Value& a, const Value& b, bool order) {
  if (a.data.index() != b.data.index()) {
    return invalid(fmt::format("incompatible types for comparison: {} and {}", a.type_name(), b.type_name()));
  }
  const auto sign = [](const auto& x, const auto& y) { return x < y ? -1 : (x == y ? 0 : 1); };
  if (const auto* const x = std::get_if<int64_t>(&a.data)) return sign(*x, std::get<int64_t>(b.data));
  if (const auto* const x = std::get_if<double>(&a.data)) return sign(*x, std::get<double>(b.data));
  if (const auto* const x = std::get_if<std::string>(&a.data)) return sign(*x, std::get<std::string>(b.data));
  if (const auto* const x = std::get_if<bool>(&a.data); x != nullptr && !order) return sign(*x, std::get<bool>(b.data));
  if (a.is_nothing() && !order) return 0;
  return invalid(fmt::format("{} cannot be compared", a.type_name()));
}

Result<Value> eq(Arguments arguments, const TemplateContext& /*context*/) {
  for (const Value& one : arguments.subspan(1)) {
    const auto sign = compare(arguments[0], one, false);
    if (!sign) return sign.error();
    if (*sign == 0) return Value{true};
  }
  return Value{false};
}

template <typename F>
Result<Value> ordered(Arguments arguments, bool order, F holds) {
  const auto sign = compare(arguments[0], arguments[1], order);
  if (!sign) return sign.error();
  return Value{holds(*sign)};
}
Result<Value> ne(Arguments arguments, const TemplateContext& /*context*/) {
  return ordered(arguments, false, [](int sign) { return sign != 0; });
}
Result<Value> lt(Arguments arguments, const TemplateContext& /*context*/) {
  return ordered(arguments, true, [](int sign) { return sign < 0; });
}
Result<Value> le(Arguments arguments, const TemplateContext& /*context*/) {
  return ordered(arguments, true, [](int sign) { return sign <= 0; });
}
Result<Value> gt(Arguments arguments, const TemplateContext& /*context*/) {
  return ordered(arguments, true, [](int sign) { return sign > 0; });
}
Result<Value> ge(Arguments arguments, const TemplateContext& /*context*/) {
  return ordered(arguments, true, [](int sign) { return sign >= 0; });
}

constexpr std::array kFunctions = std::to_array<Function>({
    {"and", 1, -1, and_function},
    {"args", 0, -1, args},
    {"eq", 2, -1, eq},
    {"externalURL", 0, 0, external_url},
    {"first", 1, 1, first},
    {"ge", 2, 2, ge},
    {"graphLink", 1, 1, link<0>},
    {"gt", 2, 2, gt},
    {"html", 1, -1, html},
    {"humanize", 1, 1, humanize},
    {"humanize1024", 1, 1, humanize1024},
    {"humanizeDuration", 1, 1, humanize_duration},
    {"humanizePercentage", 1, 1, humanize_percentage},
    {"humanizeTimestamp", 1, 1, humanize_timestamp},
    {"index", 1, -1, index},
    {"label", 2, 2, label},
    {"le", 2, 2, le},
    {"len", 1, 1, len},
    {"lt", 2, 2, lt},
    {"match", 2, 2, match},
    {"ne", 2, 2, ne},
    {"not", 1, 1, not_function},
    {"or", 1, -1, or_function},
    {"parseDuration", 1, 1, parse_duration_function},
    {"pathPrefix", 0, 0, path_prefix},
    {"print", 0, -1, print},
    {"printf", 1, -1, printf_function},
    {"println", 0, -1, println},
    {"query", 1, 1, query_function},
    {"reReplaceAll", 3, 3, re_replace_all},
    {"safeHtml", 1, 1, same_text},
    {"sortByLabel", 2, 2, sort_by_label},
    {"stripDomain", 1, 1, strip_domain},
    {"stripPort", 1, 1, strip_port},
    {"strvalue", 1, 1, strvalue},
    {"tableLink", 1, 1, link<1>},
    {"title", 1, 1, title},
    {"toLower", 1, 1, to_lower},
    {"toUpper", 1, 1, to_upper},
    {"urlquery", 1, -1, urlquery},
    {"value", 1, 1, value},
});

constexpr std::array<std::string_view, 7> kUnsupported = {"call", "js", "now", "slice", "tmpl", "toDuration", "toTime"};

}  // namespace

const Function* find_function(std::string_view name) {
  const auto* const found = std::ranges::find(kFunctions, name, &Function::name);
  return found == kFunctions.end() ? nullptr : found;
}

bool unsupported_function(std::string_view name) { return std::ranges::find(kUnsupported, name) != kUnsupported.end(); }

}  // namespace monitor::rules::templates
