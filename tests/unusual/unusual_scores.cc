// Scores the values of one series, for tools/unusual-table: with this program's own score, and with two other
// approaches to compare it with.
//
//   unusual_scores extremes|counter|ewma|kmeans < VALUES
//
// A line of VALUES is a time in seconds and a value, in the order of time. It prints a line with time and score for
// each value that has one, and of `extremes` and `counter` for each minute.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <iostream>
#include <limits>
#include <string_view>
#include <vector>

#include "unusual/series_scorer.h"

namespace monitor::unusual {
namespace {

struct Value {
  int64_t time_s = 0;
  double value = 0;
};

void print(int64_t time_s, double score) { std::printf("%lld %.17g\n", static_cast<long long>(time_s), score); }

void score_extremes(const std::vector<Value>& values, SeriesKind kind) {
  constexpr int64_t kMinute = 60;
  SeriesScorer scorer(kind);
  for (size_t i = 0; i < values.size();) {
    const int64_t minute = values[i].time_s / kMinute;
    Extremes extremes;
    for (; i < values.size() && values[i].time_s / kMinute == minute; ++i) {
      extremes.add({values[i].value, values[i].value});
    }
    scorer.add(minute, extremes);
    if (const auto score = scorer.score()) print(minute * kMinute, *score);
  }
}

constexpr int64_t kDay = 86'400;

// Exponentially weighted mean and variance, in which a value counts half after a day. The score is the distance from
// the mean, in standard deviations, before the value itself is taken in. The first day has none.
void score_ewma(const std::vector<Value>& values) {
  if (values.empty()) return;
  double mean = values[0].value;
  double variance = 0;
  int64_t last = values[0].time_s;
  for (const Value& one : values) {
    const double off = one.value - mean;
    if (one.time_s - values[0].time_s >= kDay && off != 0) {
      print(one.time_s, variance > 0 ? std::abs(off) / std::sqrt(variance) : 1e9);
    }
    // Duplicates have no distance; at most an hour counts, so that a gap does not forget everything.
    const auto elapsed = static_cast<double>(std::clamp<int64_t>(one.time_s - last, 1, 3600));
    const double weight = 1 - std::exp2(-elapsed / static_cast<double>(kDay));
    mean += weight * off;
    variance = (1 - weight) * (variance + weight * off * off);
    last = one.time_s;
  }
}

// Netdata's approach. A sample is a vector of the last six differences of neighbouring values, each the average of
// three. Every 36 values (3 h of values every 5 min), a model is trained with the samples of the last 288 values: two
// centers, found by k-means, and the smallest and largest mean distance of a sample from both. A sample's score in a
// model is its mean distance, scaled so that the range of the training is 0 to 1. The score of a value is the least one
// in the last 18 models: all must agree.
class Clusters {
 public:
  static constexpr size_t kFeatures = 6;
  using Sample = std::array<double, kFeatures>;

  explicit Clusters(const std::vector<Sample>& samples) {
    // The centers start at the two samples furthest from the mean, on both sides of it.
    const auto size = [](const Sample& sample) {
      double sum = 0;
      for (const double one : sample) sum += one;
      return sum;
    };
    const auto [low, high] =
        std::ranges::minmax_element(samples, [&](const Sample& a, const Sample& b) { return size(a) < size(b); });
    centers_ = {*low, *high};
    for (int round = 0; round < kRounds; ++round) {
      if (!improve(samples)) break;
    }
    for (const Sample& sample : samples) {
      least_ = std::min(least_, distance(sample));
      most_ = std::max(most_, distance(sample));
    }
  }

  double score(const Sample& sample) const {
    const double beyond = distance(sample) - least_;
    if (most_ > least_) return beyond / (most_ - least_);
    return beyond > 0 ? 1e9 : 0;
  }

 private:
  static constexpr int kRounds = 100;

  static double between(const Sample& a, const Sample& b) {
    double sum = 0;
    for (size_t i = 0; i < kFeatures; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return std::sqrt(sum);
  }
  double distance(const Sample& sample) const {
    return (between(sample, centers_[0]) + between(sample, centers_[1])) / 2;
  }
  bool improve(const std::vector<Sample>& samples) {
    std::array<Sample, 2> sums{};
    std::array<double, 2> counts{};
    for (const Sample& sample : samples) {
      const size_t nearer = between(sample, centers_[0]) <= between(sample, centers_[1]) ? 0 : 1;
      ++counts[nearer];
      for (size_t i = 0; i < kFeatures; ++i) sums[nearer][i] += sample[i];
    }
    bool moved = false;
    for (size_t center = 0; center < sums.size(); ++center) {
      if (counts[center] == 0) continue;
      for (double& one : sums[center]) one /= counts[center];
      moved = moved || sums[center] != centers_[center];
      centers_[center] = sums[center];
    }
    return moved;
  }

  std::array<Sample, 2> centers_{};
  double least_ = std::numeric_limits<double>::infinity();
  double most_ = -std::numeric_limits<double>::infinity();
};

void score_kmeans(const std::vector<Value>& values) {
  constexpr size_t kSmooth = 3;
  constexpr size_t kTrainEvery = 36;
  constexpr size_t kTrainOn = 288;
  constexpr size_t kModels = 18;
  std::vector<double> smoothed;  // differences
  std::deque<Clusters::Sample> samples;
  std::deque<Clusters> models;
  double sum = 0;
  for (size_t i = 1; i < values.size(); ++i) {
    sum += values[i].value - values[i - 1].value;
    if (i > kSmooth) sum -= values[i - kSmooth].value - values[i - kSmooth - 1].value;
    smoothed.push_back(sum / kSmooth);
    if (smoothed.size() < Clusters::kFeatures + kSmooth) continue;
    Clusters::Sample sample{};
    std::copy(smoothed.end() - Clusters::kFeatures, smoothed.end(), sample.begin());
    if (!models.empty()) {
      double least = std::numeric_limits<double>::infinity();
      for (const Clusters& model : models) least = std::min(least, model.score(sample));
      print(values[i].time_s, least);
    }
    samples.push_back(sample);
    if (samples.size() > kTrainOn) samples.pop_front();
    if (samples.size() < kTrainOn || i % kTrainEvery != 0) continue;
    models.emplace_back(std::vector<Clusters::Sample>(samples.begin(), samples.end()));
    if (models.size() > kModels) models.pop_front();
  }
}

}  // namespace
}  // namespace monitor::unusual

int main(int argc, char** argv) {
  using namespace monitor::unusual;  // NOLINT(google-build-using-namespace)
  const std::string_view method = argc == 2 ? argv[1] : "";
  std::vector<Value> values;
  Value one;
  while (std::cin >> one.time_s >> one.value) values.push_back(one);
  if (!std::cin.eof()) {
    std::cerr << "unusual_scores: line " << values.size() + 1 << " is not a time and a value\n";
    return 1;
  }
  if (method == "extremes") {
    score_extremes(values, SeriesKind::kGauge);
  } else if (method == "counter") {
    score_extremes(values, SeriesKind::kCounter);
  } else if (method == "ewma") {
    score_ewma(values);
  } else if (method == "kmeans") {
    score_kmeans(values);
  } else {
    std::cerr << "usage: unusual_scores extremes|counter|ewma|kmeans < VALUES\n";
    return 2;
  }
  return 0;
}
