// Annotations: warnings and notes about a query that has a result, in Prometheus' words; its clients show them. Each
// text occurs once, however many series or steps it is about.
//
// Not thread-safe. A value type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace monitor::query {

// The correction of a classic histogram whose counts fell from one bound to a higher one.
struct MonotonicityFix {
  double least_bound = 0;
  double greatest_bound = 0;
  double greatest_difference = 0;
};

class Annotations {
 public:
  // `begin`: the byte of the query that the text is about.
  void warn(const std::string& text, size_t begin) { add(warnings_, "PromQL warning: " + text, begin); }
  void inform(const std::string& text, size_t begin) { add(infos_, "PromQL info: " + text, begin); }
  // The input of histogram_quantile() had to be fixed at this time.
  void inform_of_fix(std::string_view metric, const MonotonicityFix& fix, int64_t time_ms, size_t begin);

  // At most ten, and how many there are beside them. With the query's text they end with the line and the column.
  std::vector<std::string> warnings(std::string_view query) const { return texts(warnings_, query, "warning"); }
  std::vector<std::string> infos(std::string_view query) const { return texts(infos_, query, "info"); }

 private:
  struct Fixed {
    MonotonicityFix fix;
    int64_t first_ms = 0;
    int64_t last_ms = 0;
    size_t samples = 0;
  };
  struct One {
    size_t begin = 0;
    std::optional<Fixed> fixed;
  };
  using ByText = std::map<std::string, One, std::less<>>;

  static One* add(ByText& texts, const std::string& text, size_t begin);
  static std::vector<std::string> texts(const ByText& all, std::string_view query, const char* kind);

  ByText warnings_;
  ByText infos_;
};

}  // namespace monitor::query
