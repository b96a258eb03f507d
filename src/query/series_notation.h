// The notation of promtool's unit tests for series of samples (https://prometheus.io/docs/prometheus/latest/
// configuration/unit_testing_rules/#series): http_requests{job="api"} 0+10x5 _x3 1 stale
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/labels.h"

namespace monitor::query {

// nullopt is a step without a sample. A staleness marker counts as a sample.
using SampleSequence = std::vector<std::optional<double>>;

inline constexpr size_t kMaxNotationSamples = 1'000'000;

// "1 2 3", "0+10x5" (0, 10, ... 50), "5x3" (5 four times), "10-2x3", "_", "_x4", "stale". Errors: kInvalidArgument
// names the part; kUnimplemented for native histograms, {{...}}.
Result<SampleSequence> parse_samples(std::string_view text);

struct NotedSeries {
  Labels labels;
  std::string_view rest;  // what follows the series: its samples
};
// Parses a series such as {"system.cpu.time", cpu="0"} or up{job="api"}. Other operators than "=" are errors.
Result<NotedSeries> parse_noted_series(std::string_view text);

// "1.5", "-Inf", "NaN", "0x1F"
std::optional<double> parse_value(std::string_view text);

}  // namespace monitor::query
