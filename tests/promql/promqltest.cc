// Runs test files in the format of Prometheus' promqltest (load, eval, clear) against src/query.
//
//   promqltest FILE...
//
// Prints for each file how many evaluations passed, how many were refused by name (what src/query does not support),
// and how many were wrong, each with what was expected. Exits with 1 if one was wrong. Of what passed, it prints in how
// many evaluations the file says something about annotations (expect warn, expect no_info msg: ...), which then agree.
#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "query/duration.h"
#include "query/evaluator.h"
#include "query/parser.h"
#include "query/series_notation.h"
#include "query/testing/memory_source.h"

namespace monitor::query {
namespace {

std::string_view trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

std::string_view take_word(std::string_view& text) {
  text = trim(text);
  const size_t length = std::min(text.find_first_of(" \t"), text.size());
  const std::string_view word = text.substr(0, length);
  text = trim(text.substr(length));
  return word;
}

int64_t time_of(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  int64_t ms = 0;
  if (const auto duration = parse_duration_ms(text)) {
    ms = *duration;
  } else if (const auto seconds = parse_value(text)) {
    ms = static_cast<int64_t>(*seconds * 1000);
  } else {
    throw std::runtime_error("bad time " + std::string(text));
  }
  return negative ? -ms : ms;
}

bool almost_equal(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  if (a == b) return true;
  const double scale = std::abs(a) + std::abs(b);
  if (a == 0 || b == 0 || scale < 1e-300) return std::abs(a - b) < 1e-6 * 1e-300 || std::abs(a - b) < 1e-12;
  return std::abs(a - b) / std::min(scale, 1.7e308) < 1e-6;
}

// What a file expects of the warnings, or of the infos, of an evaluation.
struct ExpectedNotes {
  bool some = false;
  bool none = false;
  std::vector<std::string> texts;
  std::vector<std::string> patterns;

  bool given() const { return some || none; }
  bool matches(const std::string& note) const {
    return std::ranges::find(texts, note) != texts.end() ||
           std::ranges::any_of(patterns, [&note](const auto& p) { return re2::RE2::PartialMatch(note, p); });
  }
};

struct Evaluation {
  size_t line = 0;
  bool fails = false;
  bool ordered = false;
  bool unsupported = false;
  std::string query;
  QueryTimes times;
  bool range = false;
  std::optional<QueryTimes> matrix;  // "expect range vector"
  std::optional<std::string> text;
  std::optional<double> scalar;
  std::vector<std::pair<Labels, SampleSequence>> series;
  ExpectedNotes warnings;
  ExpectedNotes infos;
};

struct Counts {
  size_t passed = 0;
  size_t refused = 0;
  size_t wrong = 0;
  size_t annotated = 0;  // of those that passed
};

class Runner {
 public:
  explicit Runner(std::string name) : name_(std::move(name)) {}

  Counts run(const std::vector<std::string>& lines) {
    for (size_t i = 0; i < lines.size();) {
      std::string_view rest = lines[i];
      const bool indented = !rest.empty() && (rest[0] == ' ' || rest[0] == '\t');
      rest = trim(rest);
      if (rest.empty() || rest[0] == '#' || indented) {
        ++i;
        continue;
      }
      std::vector<std::string_view> body;
      size_t next = i + 1;
      for (; next < lines.size() && !trim(lines[next]).empty(); ++next) {
        if (lines[next][0] != ' ' && lines[next][0] != '\t') {
          if (lines[next][0] == '#') continue;
          break;
        }
        if (trim(lines[next])[0] != '#') body.push_back(trim(lines[next]));
      }
      command(rest, body, i + 1);
      i = next;
    }
    return counts_;
  }

 private:
  void command(std::string_view rest, const std::vector<std::string_view>& body, size_t line) {
    const std::string_view word = take_word(rest);
    if (word == "clear") {
      source_.clear();
      unsupported_.clear();
      all_unsupported_ = false;
    } else if (word.starts_with("load")) {
      if (word != "load") all_unsupported_ = true;
      load(time_of(take_word(rest)), body);
    } else if (word.starts_with("eval")) {
      evaluate_one(read_evaluation(word, rest, body, line));
    } else {
      throw std::runtime_error(name_ + ":" + std::to_string(line) + ": unknown command");
    }
  }

  void load(int64_t step, const std::vector<std::string_view>& body) {
    for (const std::string_view line : body) {
      auto noted = parse_noted_series(line);
      if (!noted) {
        all_unsupported_ = true;
        continue;
      }
      auto samples = parse_samples(noted->rest);
      if (!samples) {
        unsupported_.push_back(noted->labels);
        continue;
      }
      for (size_t i = 0; i < samples->size(); ++i) {
        const auto& sample = (*samples)[i];
        if (sample) source_.add(noted->labels, {static_cast<int64_t>(i) * step, *sample});
      }
    }
  }

  static Evaluation read_evaluation(std::string_view word, std::string_view rest,
                                    const std::vector<std::string_view>& body, size_t line) {
    Evaluation evaluation{.line = line, .fails = word == "eval_fail", .ordered = word == "eval_ordered"};
    evaluation.warnings.some = word == "eval_warn";
    evaluation.infos.some = word == "eval_info";
    evaluation.range = take_word(rest) == "range";
    take_word(rest);  // "at" or "from"
    evaluation.times.start_ms = evaluation.times.end_ms = time_of(take_word(rest));
    if (evaluation.range) {
      take_word(rest);
      evaluation.times.end_ms = time_of(take_word(rest));
      take_word(rest);
      evaluation.times.step_ms = time_of(take_word(rest));
    }
    evaluation.query = rest;
    for (const std::string_view expected : body) read_expectation(expected, evaluation);
    return evaluation;
  }

  static void read_expected_notes(std::string_view what, std::string_view rest, Evaluation& evaluation) {
    if (what == "no_warn") evaluation.warnings.none = true;
    if (what == "no_info") evaluation.infos.none = true;
    if (what != "warn" && what != "info") return;
    ExpectedNotes& notes = what == "warn" ? evaluation.warnings : evaluation.infos;
    notes.some = true;
    const std::string_view kind = take_word(rest);
    if (kind == "msg:") notes.texts.emplace_back(rest);
    if (kind == "regex:") notes.patterns.emplace_back(rest);
  }

  static void read_expectation(std::string_view line, Evaluation& evaluation) {
    std::string_view rest = line;
    if (take_word(rest) == "expect") {
      const std::string_view what = take_word(rest);
      read_expected_notes(what, rest, evaluation);
      if (what == "fail") evaluation.fails = true;
      if (what == "ordered") evaluation.ordered = true;
      if (what == "string") {
        auto text = parse(rest);
        if (text) evaluation.text = std::get<Text>((*text)->node).value;
      }
      if (what == "range") {
        QueryTimes times;
        take_word(rest);
        take_word(rest);
        times.start_ms = time_of(take_word(rest));
        take_word(rest);
        times.end_ms = time_of(take_word(rest));
        take_word(rest);
        times.step_ms = time_of(take_word(rest));
        evaluation.matrix = times;
      }
      return;
    }
    if (const auto value = parse_value(line)) {
      evaluation.scalar = value;
      return;
    }
    auto noted = parse_noted_series(line);
    if (!noted) {
      evaluation.unsupported = true;
      return;
    }
    auto samples = parse_samples(noted->rest);
    if (!samples) {
      evaluation.unsupported = true;
      return;
    }
    evaluation.series.emplace_back(noted->labels, *samples);
  }

  bool needs_unsupported(const Expression& expression) const {
    if (all_unsupported_) return true;
    bool needs = false;
    for_each_selector(expression, [&](const Selector& selector) {
      for (const Labels& labels : unsupported_) {
        needs = needs || std::ranges::all_of(selector.matchers,
                                             [&](const Matcher& m) { return m.matches(labels.get(m.label())); });
      }
    });
    return needs;
  }

  void evaluate_one(const Evaluation& evaluation) {
    auto expression = parse(evaluation.query);
    if (!expression) return judge_error(evaluation, expression.error());
    if (evaluation.unsupported || needs_unsupported(**expression)) return refuse();
    QueryOptions options;
    options.text = evaluation.query;
    auto result = evaluate(**expression, source_, evaluation.times, options);
    if (!result) return judge_error(evaluation, result.error());
    if (evaluation.fails) return wrong(evaluation, "it must fail, but gives a result");
    std::string difference = compare(evaluation, *result);
    if (difference.empty()) difference = compare_notes("warnings", evaluation.warnings, result->warnings);
    if (difference.empty()) difference = compare_notes("infos", evaluation.infos, result->infos);
    if (!difference.empty()) return wrong(evaluation, difference);
    ++counts_.passed;
    if (evaluation.warnings.given() || evaluation.infos.given()) ++counts_.annotated;
  }

  void judge_error(const Evaluation& evaluation, const Error& error) {
    if (error.code() == Code::kUnimplemented) return refuse();
    if (evaluation.fails) {
      ++counts_.passed;
    } else if (all_unsupported_) {
      refuse();
    } else {
      wrong(evaluation, "error: " + error.message());
    }
  }

  // As Prometheus does: every expected text must be there, and then nothing else.
  static std::string compare_notes(const std::string& kind, const ExpectedNotes& expected,
                                   const std::vector<std::string>& notes) {
    if (expected.none && !notes.empty()) return "expected no " + kind + ", got " + notes[0];
    if (expected.some && notes.empty()) return "expected " + kind + ", got none";
    for (const std::string& text : expected.texts) {
      if (std::ranges::find(notes, text) == notes.end())
        return "no \"" + text + "\" in the " + kind + ", but " + notes[0];
    }
    for (const std::string& pattern : expected.patterns) {
      const auto matches = [&pattern](const std::string& note) { return re2::RE2::PartialMatch(note, pattern); };
      if (std::ranges::none_of(notes, matches))
        return "nothing like " + pattern + " in the " + kind + ", but " + notes[0];
    }
    if (expected.texts.empty() && expected.patterns.empty()) return "";
    for (const std::string& note : notes) {
      if (!expected.matches(note)) return "unexpected in the " + kind + ": " + note;
    }
    return "";
  }

  static std::string compare(const Evaluation& evaluation, const QueryResult& result) {
    if (evaluation.text) return result.text == *evaluation.text ? "" : "got the string " + result.text;
    if (result.type == ValueType::kScalar) {
      if (evaluation.scalar) {
        return almost_equal(result.series[0].points[0].value, *evaluation.scalar)
                   ? ""
                   : "got " + std::to_string(result.series[0].points[0].value);
      }
    } else if (evaluation.scalar) {
      return "expected a scalar";
    }
    if (result.series.size() != evaluation.series.size()) {
      std::string text = "expected " + std::to_string(evaluation.series.size()) + " series, got";
      for (const auto& series : result.series) text += " " + series.labels.to_string();
      return text;
    }
    for (size_t i = 0; i < result.series.size(); ++i) {
      const auto& [labels, samples] = evaluation.series[i];
      const ResultSeries* found = nullptr;
      for (const auto& series : result.series) {
        if (series.labels == labels) found = &series;
      }
      if (found == nullptr) return "no series " + labels.to_string();
      if (evaluation.ordered && found != &result.series[i]) return "wrong order at " + labels.to_string();
      std::string difference = compare_points(evaluation, samples, found->points);
      if (!difference.empty()) return labels.to_string() + ": " + difference;
    }
    return "";
  }

  static std::string compare_points(const Evaluation& evaluation, const SampleSequence& samples,
                                    const std::vector<Point>& points) {
    const QueryTimes times = evaluation.matrix.value_or(evaluation.times);
    std::vector<Point> expected;
    for (size_t i = 0; i < samples.size(); ++i) {
      if (samples[i]) expected.push_back({times.start_ms + static_cast<int64_t>(i) * times.step_ms, *samples[i]});
    }
    const auto text_of = [](const std::vector<Point>& all) {
      std::string text;
      for (const Point& point : all) text += " " + std::to_string(point.value) + "@" + std::to_string(point.time_ms);
      return text;
    };
    bool same = expected.size() == points.size();
    for (size_t i = 0; same && i < points.size(); ++i) {
      same = points[i].time_ms == expected[i].time_ms && almost_equal(points[i].value, expected[i].value);
    }
    return same ? "" : "expected" + text_of(expected) + ", got" + text_of(points);
  }

  void refuse() { ++counts_.refused; }
  void wrong(const Evaluation& evaluation, const std::string& why) {
    ++counts_.wrong;
    std::cout << name_ << ":" << evaluation.line << ": " << evaluation.query << "\n    " << why << "\n";
  }

  std::string name_;
  MemorySource source_;
  std::vector<Labels> unsupported_;
  bool all_unsupported_ = false;
  Counts counts_;
};

}  // namespace
}  // namespace monitor::query

int main(int argc, char** argv) {
  using namespace monitor::query;
  if (argc < 2) {
    std::cerr << "usage: promqltest FILE...\n";
    return 64;
  }
  Counts total;
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i]);
    if (!file) {
      std::cerr << "cannot read " << argv[i] << "\n";
      return 74;
    }
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    const std::string_view path = argv[i];
    const Counts counts = Runner(std::string(path.substr(path.rfind('/') + 1))).run(lines);
    std::cout << path.substr(path.rfind('/') + 1) << ": " << counts.passed << " passed, " << counts.refused
              << " refused by name, " << counts.wrong << " wrong; annotations compared in " << counts.annotated << "\n";
    total.annotated += counts.annotated;
    total.passed += counts.passed;
    total.refused += counts.refused;
    total.wrong += counts.wrong;
  }
  std::cout << "all: " << total.passed << " passed, " << total.refused << " refused by name, " << total.wrong
            << " wrong; annotations compared in " << total.annotated << "\n";
  return total.wrong == 0 ? 0 : 1;
}
