// A sum whose rounding error does not grow with the number of terms: Neumaier's variant of Kahan's algorithm
// (https://doi.org/10.1002/zamm.19740540106).
#pragma once

#include <cmath>
#include <cstddef>

namespace monitor::query {

class KahanSum {
 public:
  KahanSum() = default;
  explicit KahanSum(double first) : sum_(first) {}

  void add(double term) {
    const double total = sum_ + term;
    if (std::isinf(total)) {
      correction_ = 0;
    } else if (std::abs(sum_) >= std::abs(term)) {
      correction_ += (sum_ - total) + term;
    } else {
      correction_ += (term - total) + sum_;
    }
    sum_ = total;
  }
  double value() const { return sum_ + correction_; }
  // Divided by a number: the two parts apart, whose last digit is that of Prometheus.
  double over(size_t count) const {
    return sum_ / static_cast<double>(count) + correction_ / static_cast<double>(count);
  }

 private:
  double sum_ = 0;
  double correction_ = 0;
};

// The mean of values that come one by one. Their sum may exceed the largest double; the mean then is computed step by
// step, which is less exact.
class Mean {
 public:
  void add(double value) {
    ++count_;
    if (!incremental_) {
      KahanSum next = sum_;
      next.add(value);
      if (count_ == 1 || !std::isinf(next.value()) || std::isinf(value)) {
        sum_ = next;
        infinite_ = infinite_ || std::isinf(value);
        return;
      }
      if (infinite_) return;  // stays infinite
      incremental_ = true;
      mean_ = sum_.value() / static_cast<double>(count_ - 1);
    }
    if (std::isinf(mean_) && std::isinf(value) && (mean_ > 0) == (value > 0)) return;
    const auto count = static_cast<double>(count_);
    mean_ += value / count - mean_ / count;
  }
  size_t count() const { return count_; }
  double value() const { return incremental_ ? mean_ : sum_.over(count_); }

 private:
  KahanSum sum_;
  double mean_ = 0;
  size_t count_ = 0;
  bool incremental_ = false;
  bool infinite_ = false;
};

// The variance of values that come one by one: Welford's algorithm.
class Variance {
 public:
  void add(double value) {
    ++count_;
    if (std::isnan(value) || std::isinf(value)) broken_ = true;
    const double delta = value - mean_.value();
    mean_.add(delta / static_cast<double>(count_));
    squares_.add(delta * (value - mean_.value()));
  }
  double value() const { return broken_ ? std::nan("") : squares_.value() / static_cast<double>(count_); }

 private:
  KahanSum mean_;
  KahanSum squares_;
  size_t count_ = 0;
  bool broken_ = false;
};

}  // namespace monitor::query
