// Templates: the same text as Prometheus for what its users write, and a fault with its place for everything else.
#include "rules/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace monitor::rules {
namespace {

using testing::HasSubstr;

query::Labels labels_of(std::vector<query::Labels::Pair> pairs) { return query::Labels(std::move(pairs)); }

std::string expanded(const std::string& text, double value = 0.9642) {
  const auto parsed = Template::parse(text);
  if (!parsed) return "refused: " + parsed.error().message();
  const query::Labels labels({{"agent", "web-1"}, {"device", "sda"}, {"instance", "web.example.org:9100"}});
  const query::Labels external = labels_of({{"region", "eu"}});
  TemplateContext context{
      .labels = &labels, .value = value, .external_labels = &external, .external_url = "http://x/y"};
  context.query = [](const std::string& expression) -> Result<std::vector<query::ResultSeries>> {
    if (expression == "bad") return Error(Code::kInvalidArgument, "no such thing");
    if (expression == "none") return std::vector<query::ResultSeries>();
    return std::vector<query::ResultSeries>{{labels_of({{"id", "2"}}), {{0, 20}}},
                                            {labels_of({{"id", "1"}}), {{0, 10.5}}}};
  };
  const auto text_of = parsed->expand(context);
  return text_of ? *text_of : "failed: " + text_of.error().message();
}

struct Case {
  const char* text;
  const char* expected;
};

TEST(Template, ExpandsAsPrometheus) {
  const std::vector<Case> cases = {
      {"plain", "plain"},
      {"{{ $labels.agent }} {{$value}} {{ .Value }} {{ .Labels.device }}", "web-1 0.9642 0.9642 sda"},
      {"{{ $labels.missing }}|", "|"},
      {"{{ $externalLabels.region }} {{ .ExternalLabels.region }} {{ $externalURL }} {{ pathPrefix }}",
       "eu eu http://x/y /y"},
      {"{{ $labels }}", "map[agent:web-1 device:sda instance:web.example.org:9100]"},
      {"{{humanize 1048576}} {{humanize1024 1048576}} {{humanizeDuration 135.3563}} {{humanizePercentage 0.959}} "
       "{{humanizeTimestamp 1643114203}}",
       "1.049M 1Mi 2m 15s 95.9% 2022-01-25 12:36:43 +0000 UTC"},
      {"{{title \"this part\"}} {{toUpper \"is testing\"}} {{toLower \"THE STRINGS\"}}. {{ stripPort \"[::1]:6006\"}} "
       "{{ stripPort \"127.0.0.1:4004\"}}. {{parseDuration \"2h10m15s\"}}. {{if match \"[0-9]+\" "
       "\"1234\"}}{{reReplaceAll \"r.*d\" \"replaced\" \"rpld text\"}}{{end}}. {{if match \"[0-9]+$\" "
       "\"1234a\"}}WRONG{{end}}.",
       "This Part IS TESTING the strings. ::1 127.0.0.1. 7815. replaced text. ."},
      {"{{ define \"testtemplate\" }}Args are: {{.arg0}} {{.arg1}} {{.arg2}}. {{ with query \"q\" }}first_id:{{ . | "
       "sortByLabel \"id\" | first | label \"id\"}},{{ range $v := sortByLabel \"id\" .}}{{ . | label \"id\" }}:{{ . | "
       "value }},{{end}}{{end}}{{ end }}{{ template \"testtemplate\" (args \"foo\" \"bar\" 99) }}",
       "Args are: foo bar 99. first_id:1,1:10.5,2:20,"},
      {"{{ printf \"%.2f\" $value }} {{ $value | printf \"%.1f%%\" }} {{ printf \"%d %s %q %v\" 7 \"a\" \"b\" $value "
       "}}",
       "0.96 1.0% 7 a \"b\" 0.9642"},
      {"{{ printf \"%d\" $value }} {{ printf \"%s\" }} {{ printf \"x\" 1 }}",
       "%!d(float64=0.9642) %!s(MISSING) x%!(EXTRA int=1)"},
      {"{{ if gt $value 0.9 }}high{{ else if gt $value 0.5 }}mid{{ else }}low{{ end }}", "high"},
      {"{{ if lt $value 0.9 }}a{{ else }}b{{ end }}{{ with .Labels.none }}x{{ else }}none{{ end }}", "bnone"},
      {"{{ if and (eq $labels.agent \"web-1\" \"web-2\") (not false) }}yes{{ end }}{{ or \"\" \"z\" }}", "yesz"},
      {"{{ range query \"none\" }}x{{ else }}nothing{{ end }}", "nothing"},
      {"{{ range $i, $e := query \"q\" }}{{ $i }}={{ $e.Value }};{{ end }}", "0=20;1=10.5;"},
      {"{{ range query \"q\" }}{{ if eq (label \"id\" .) \"1\" }}{{ continue }}{{ end }}{{ .Value }}{{ break }}{{ end "
       "}}",
       "20"},
      {"{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"},
      {"a  {{- 1 -}}  b {{/* note */}}c {{- /* x */ -}} d", "a1b cd"},
      {"{{ (query \"q\" | first).Value }} {{ (index (query \"q\") 1).Labels.id }} {{ len (query \"q\") }}", "20 1 2"},
      {"{{ reReplaceAll \"(.*):.*\" \"$1\" $labels.instance }} {{ reReplaceAll \"^w(e)b\" \"${1}x\" \"web\" }}",
       "web.example.org ex"},
      {"{{ stripDomain $labels.instance }} {{ graphLink \"up == 0\" }}",
       "web:9100 /graph?g0.expr=up+%3D%3D+0&g0.tab=0"},
      {"{{ `raw\\n` }}{{ \"\\t\\u00e9\" }}", "raw\\n\té"},
      {"{{ print 1 2 \"a\" }} {{ index $labels \"agent\" }}", "1 2a web-1"},
      {"{{ humanize 0.0012 }} {{ humanize 1234567 }} {{ humanizeDuration 0.01 }} {{ humanizeDuration 90061 }} {{ "
       "humanizeDuration -1 }}",
       "1.2m 1.235M 10ms 1d 1h 1m 1s -1s"},
      {"{{ 1e21 }} {{ 0x10 }} {{ -3.5 }}", "1e+21 16 -3.5"},
  };
  for (const Case& one : cases) EXPECT_EQ(expanded(one.text), one.expected) << one.text;
}

TEST(Template, NamesThePlaceOfAFault) {
  const std::vector<Case> cases = {
      {"{{ $value", "refused: 1:1: the action that begins here does not end"},
      {"a {{ nosuch 1 }}", "refused: 1:6: there is no function \"nosuch\""},
      {"{{ toTime 1 }}", "refused: 1:4: the function toTime is not supported"},
      {"{{ $x }}", "refused: 1:4: the variable $x is not defined"},
      {"{{ if true }}x", "refused: 1:4: {{ if }} has no {{ end }}"},
      {"{{ end }}", "refused: 1:4: {{ end }} without a beginning"},
      {"x\n{{ humanize }}", "refused: 2:4: humanize gets 0 arguments, expected 1"},
      {"{{ print 1 toUpper }}", "refused: 1:12: toUpper gets 0 arguments, expected 1"},
      {"{{ 1 | print (title) }}", "refused: 1:15: title gets 0 arguments, expected 1"},
      {"{{ match \"a\" }}", "refused: 1:4: match gets 1 arguments, expected 2"},
      {"{{ template \"t\" }}", "refused: 1:13: the template \"t\" is not defined"},
      {"{{ \"a }}", "refused: 1:4: the text that begins here does not end"},
      {"{{ 1 2 }}", "refused: 1:4: got arguments after what is no function"},
      {"{{ ! }}", "refused: 1:4: \"!\" is not expected in an action"},
      {"{{ }}", "refused: 1:4: a value or a function is missing"},
      {"{{ break }}", "refused: 1:4: {{ break }} outside of {{ range }}"},
      {"{{ (1 }}", "refused: 1:7: got \"}}\", expected )"},
      {"{{ .Nothing }}", "failed: 1:4: there is no field Nothing"},
      {"{{ first (query \"none\") }}", "failed: 1:4: first: the list is empty"},
      {"{{ query \"bad\" }}", "failed: 1:4: query: no such thing"},
      {"{{ eq 1 1.5 }}", "failed: 1:4: eq: incompatible types for comparison: int and float64"},
      {"{{ match \"(\" \"a\" }}", "failed: 1:4: match: the regular expression"},
      {"{{ humanize \"x\" }}", "failed: 1:4: humanize: got string x, expected a number"},
      {"{{ range $value }}{{ end }}", "failed: 1:4: range can't iterate over float64"},
  };
  for (const Case& one : cases) EXPECT_THAT(expanded(one.text), HasSubstr(one.expected)) << one.text;
}

TEST(Template, IsBounded) {
  EXPECT_THAT(expanded(std::string(70'000, 'x')), HasSubstr("the limit is 64.0 KiB"));
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "{{ if true }}";
  EXPECT_THAT(expanded(deep), HasSubstr("nested more than"));
  EXPECT_THAT(expanded("{{ " + std::string(10'000, '(') + " }}"), HasSubstr("nested more than"));
  EXPECT_THAT(expanded("{{ define \"a\" }}{{ template \"a\" }}{{ end }}{{ template \"a\" }}"),
              HasSubstr("more than 50 deep"));
  std::string loops;
  for (int i = 0; i < 20; ++i) loops += "{{ range query \"q\" }}";
  loops += "x";
  for (int i = 0; i < 20; ++i) loops += "{{ end }}";
  EXPECT_THAT(expanded(loops), HasSubstr("failed: "));
  EXPECT_THAT(expanded("{{ printf \"%9999999d\" 1 }}"), HasSubstr("BADWIDTH"));
}

}  // namespace
}  // namespace monitor::rules
