#include "payload/values_writer.h"

#include <algorithm>
#include <bit>

#include "payload/column.h"
#include "payload/layout.h"

namespace monitor::payload {

void ValuesWriter::write(const Content& content, std::string& columns) {
  content_ = &content;
  whole_ = content.is_whole();
  any_other_ = false;
  forms_.clear();
  if (!whole_) sort_by_series();
  const SetPlan& plan = *content.plan;
  for (size_t i = 0; i < plan.size(); ++i) {
    gather(i, cells_);
    const Form form = plan.integer[i] != 0 ? integer_form(i) : double_form();
    any_other_ = any_other_ || form != plan.usual[i];
    forms_.push_back(form);
    if (form == Form::kBits) {
      put_bits(columns);
    } else if (form != Form::kShare) {
      put_column(columns, column_, is_signed(form) ? Sign::kSigned : Sign::kUnsigned);
    }
  }
}

// Within a series, in the order of the frames.
void ValuesWriter::sort_by_series() {
  start_.assign(content_->plan->size() + 1, 0);
  for (const FrameHead& frame : content_->frames) {
    for (const uint32_t index : content_->shapes[frame.shape]) ++start_[index + 1];
  }
  for (size_t i = 1; i < start_.size(); ++i) start_[i] += start_[i - 1];
  next_.assign(start_.begin(), start_.end() - 1);
  order_.resize(start_.back());
  for (uint32_t f = 0; f < content_->frames.size(); ++f) {
    size_t at = content_->frames[f].first;
    for (const uint32_t index : content_->shapes[content_->frames[f].shape]) order_[next_[index]++] = {at++, f};
  }
}

void ValuesWriter::gather(size_t series, std::vector<Cell>& cells) const {
  cells.clear();
  if (whole_) {
    for (const FrameHead& frame : content_->frames) {
      cells.push_back({content_->values[frame.first + series], frame.elapsed_ns});
    }
    return;
  }
  for (size_t at = start_[series]; at < start_[series + 1]; ++at) {
    const auto& [value, frame] = order_[at];
    cells.push_back({content_->values[value], content_->frames[frame].elapsed_ns});
  }
}

// The first of the forms, from the usual one on, that gives every value of the column; fills column_ with the
// integers.
Form ValuesWriter::integer_form(size_t series) {
  Form usual = content_->plan->usual[series];
  if (usual == Form::kShare) {
    if (is_share(series)) return usual;
    usual = Form::kCount;
  }
  const Form last = is_rate(usual) ? Form::kRate : Form::kCount;
  for (auto form = static_cast<uint8_t>(usual); form >= static_cast<uint8_t>(last) && form > 0; --form) {
    if (fill(static_cast<Form>(form))) return static_cast<Form>(form);
  }
  if (is_rate(usual) && fill(Form::kCount)) return Form::kCount;
  fill(Form::kSigned);
  return Form::kSigned;
}

Form ValuesWriter::double_form() {
  constexpr int kTried = 9;
  for (int decimals = 0; decimals <= kTried; ++decimals) {
    const auto form = static_cast<Form>(static_cast<int>(Form::kDecimal) + decimals);
    if (fill_doubles(form)) return form;
  }
  fill_doubles(Form::kBits);
  return Form::kBits;
}

bool ValuesWriter::fill(Form form) {
  column_.clear();
  for (const Cell& cell : cells_) {
    const auto integer = integer_of(form, static_cast<int64_t>(cell.bits), cell.elapsed_ns);
    if (!integer) return false;
    column_.push_back(*integer);
  }
  return true;
}

bool ValuesWriter::fill_doubles(Form form) {
  column_.clear();
  for (const Cell& cell : cells_) {
    const auto integer = integer_of(form, std::bit_cast<double>(cell.bits));
    if (!integer) return false;
    column_.push_back(*integer);
  }
  return true;
}

bool ValuesWriter::is_share(size_t series) {
  const auto& shares = content_->plan->shares;
  const auto share = std::ranges::lower_bound(shares, series, {}, &SetPlan::Share::series);
  if (share->part == kNoRow || share->whole == kNoRow) return false;
  gather(share->part, part_);
  gather(share->whole, whole_cells_);
  if (part_.size() != cells_.size() || whole_cells_.size() != cells_.size()) return false;
  for (size_t i = 0; i < cells_.size(); ++i) {
    const auto value = share_of(static_cast<int64_t>(part_[i].bits), static_cast<int64_t>(whole_cells_[i].bits));
    if (value != static_cast<int64_t>(cells_[i].bits)) return false;
  }
  return true;
}

void ValuesWriter::put_bits(std::string& out) const {
  if (column_.empty()) return;
  const bool equal = std::ranges::all_of(column_, [this](uint64_t bits) { return bits == column_[0]; });
  if (column_.size() > 1) out += static_cast<char>(equal ? kEqualBits : kEachBits);
  for (size_t i = 0; i < (equal ? 1 : column_.size()); ++i) put_fixed(out, column_[i], 8);
}

}  // namespace monitor::payload
