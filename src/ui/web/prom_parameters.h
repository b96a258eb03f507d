// PromParameters: the parameters of a request to the Prometheus API, from the URL and from a form in the body, read as
// Prometheus reads them. Unknown ones are ignored, because clients send some for other servers. Pure functions; fuzzed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/evaluator.h"
#include "query/matcher.h"
#include "ui/web/http.h"

namespace monitor::analysis::web {

// The names and values of application/x-www-form-urlencoded. Errors: kInvalidArgument for an escape that is not valid.
Result<Parameters> parse_form(std::string_view body);

// A label's name as a path contains it: "U__a_2e_b" is a.b (Prometheus' value escaping), as long as it is valid.
std::string unescape_label_name(std::string_view name);

// Times and durations are milliseconds. Errors: kInvalidArgument; the text names the parameter.
class PromParameters {
 public:
  // As in Prometheus: end - start may be so many steps, because more are never drawn.
  static constexpr uint64_t kMostSteps = 11'000;

  static Result<PromParameters> read(const Request& request);

  // The first value; those in the body come before those in the URL. Empty if there is none.
  std::string first(std::string_view name) const;
  std::vector<std::string> all(std::string_view name) const;
  bool has(std::string_view name) const { return !first(name).empty(); }

  // Unix seconds with decimals, or RFC 3339. Nothing if there is none.
  Result<std::optional<int64_t>> time_ms(std::string_view name) const;
  // Seconds with decimals, or a duration such as 1h30m.
  Result<std::optional<int64_t>> duration_ms(std::string_view name) const;
  // 0: none.
  Result<size_t> count(std::string_view name) const;
  // The selectors in all match[], each a list of conditions.
  Result<std::vector<std::vector<query::Matcher>>> selectors() const;
  // start, end and step of a range query.
  Result<query::QueryTimes> range() const;

 private:
  Parameters given_;
};

}  // namespace monitor::analysis::web
