// Finds the computation of each series of a record, and writes the columns of integers. Internal to record_writer.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "payload/content.h"
#include "payload/forms.h"

namespace monitor::payload {

// Reuse it, for its memory. Not thread-safe.
class ValuesWriter {
 public:
  // Appends the columns to `columns`. The computations are in forms() then.
  void write(const Content& content, std::string& columns);
  const std::vector<Form>& forms() const { return forms_; }
  // Whether a series has another computation than the usual one.
  bool any_other() const { return any_other_; }

 private:
  // A value of one series, and the elapsed time of its frame.
  struct Cell {
    uint64_t bits = 0;
    int64_t elapsed_ns = 0;
  };

  void sort_by_series();
  void gather(size_t series, std::vector<Cell>& cells) const;
  Form integer_form(size_t series);
  Form double_form();
  bool fill(Form form);
  bool fill_doubles(Form form);
  bool is_share(size_t series);
  void put_bits(std::string& out) const;

  const Content* content_ = nullptr;
  bool whole_ = false;
  bool any_other_ = false;
  std::vector<Form> forms_;
  // Unless every frame has every series: where the values of each series begin in order_, and the values in this order
  // with the indexes of their frames.
  std::vector<size_t> start_;
  std::vector<size_t> next_;
  std::vector<std::pair<size_t, uint32_t>> order_;
  std::vector<Cell> cells_;
  std::vector<Cell> part_;
  std::vector<Cell> whole_cells_;
  std::vector<uint64_t> column_;
};

}  // namespace monitor::payload
