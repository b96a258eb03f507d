#include "query/column.h"

#include <re2/re2.h>

#include <algorithm>
#include <cctype>
#include <unordered_map>

#include "base/text.h"
#include "query/matcher.h"

namespace monitor::query {
namespace {

constexpr char kSameLabels[] = "the result has several series with the same labels: ";

Status check_target(const std::string& label, const std::string& function) {
  if (!label.empty() && valid_utf8(label)) return {};
  return Error(Code::kInvalidArgument,
               function + ": the target label " + quote_short(label) + " must be UTF-8, and not empty");
}

Status put_label(Column& column, const std::string& label, const std::string& value, const std::string& function,
                 const Hold& hold) {
  if (value.size() > kMaxLabelBytes) {
    return Error(Code::kResourceExhausted, function + ": the label " + quote_short(label) + " would have more than " +
                                               std::to_string(kMaxLabelBytes) + " bytes, which is the most");
  }
  if (auto status = hold(sizeof(Labels::Pair) + label.size() + value.size()); !status) return status;
  column.labels.set(label, value);
  if (label == kNameLabel) column.drop_name = false;
  return {};
}

bool digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// The reference after a "$" at the start of `text`: its name, and how many characters it takes.
struct Reference {
  std::string_view name;
  size_t length = 0;
};

Reference read_reference(std::string_view text) {
  const auto name_length = [](std::string_view from) {
    return static_cast<size_t>(
        std::ranges::find_if(
            from, [](char c) { return !digit(c) && std::isalpha(static_cast<unsigned char>(c)) == 0 && c != '_'; }) -
        from.begin());
  };
  if (text.starts_with('{')) {
    const size_t length = name_length(text.substr(1));
    if (length > 0 && text.substr(1 + length).starts_with('}')) return {text.substr(1, length), length + 2};
    return {};
  }
  const size_t length = name_length(text);
  return {text.substr(0, length), length};
}

// May stop once the text is longer than a label may be.
std::string expand(const std::string& replacement, const re2::RE2& regex, const std::vector<re2::StringPiece>& groups) {
  std::string expanded;
  for (size_t i = 0; i < replacement.size() && expanded.size() <= kMaxLabelBytes; ++i) {
    if (replacement[i] != '$') {
      expanded += replacement[i];
      continue;
    }
    const std::string_view rest = std::string_view(replacement).substr(i + 1);
    if (rest.starts_with('$')) {
      expanded += '$';
      ++i;
      continue;
    }
    const Reference reference = read_reference(rest);
    if (reference.length == 0) {
      expanded += '$';
      continue;
    }
    i += reference.length;
    size_t number = groups.size();
    if (std::ranges::all_of(reference.name, digit)) {
      number = reference.name.size() > 4 ? groups.size() : static_cast<size_t>(std::stoul(std::string(reference.name)));
    } else if (const auto named = regex.NamedCapturingGroups().find(std::string(reference.name));
               named != regex.NamedCapturingGroups().end()) {
      number = static_cast<size_t>(named->second);
    }
    if (number < groups.size()) expanded.append(groups[number].data(), groups[number].size());
  }
  return expanded;
}

}  // namespace

bool Column::any() const { return std::ranges::any_of(values, has_value); }

Result<Columns> merge_equal(Columns columns, const std::string& text) {
  Columns merged;
  std::unordered_map<Labels, size_t, LabelsHash> places;
  for (Column& column : columns) {
    const auto [place, is_new] = places.try_emplace(column.labels, merged.size());
    if (is_new) {
      merged.push_back(std::move(column));
      continue;
    }
    Column& into = merged[place->second];
    for (size_t i = 0; i < into.values.size(); ++i) {
      if (!has_value(column.values[i])) continue;
      if (has_value(into.values[i])) return Error(Code::kInvalidArgument, text + shorten(column.labels.to_string()));
      into.values[i] = column.values[i];
    }
    into.drop_name = into.drop_name || column.drop_name;
  }
  return merged;
}

Result<Columns> finish(Columns columns) {
  std::erase_if(columns, [](const Column& column) { return !column.any(); });
  for (Column& column : columns) {
    if (column.drop_name) column.labels = column.labels.without_metric();
    column.drop_name = false;
  }
  return merge_equal(std::move(columns), kSameLabels);
}

Result<Columns> replace_label(Columns columns, const LabelReplacement& change, const Hold& hold) {
  auto regex = compile_regex(change.pattern);
  if (!regex) return regex.error().with_context("label_replace()");
  if (auto status = check_target(change.target, "label_replace()"); !status) return status.error();
  std::vector<re2::StringPiece> groups(static_cast<size_t>((*regex)->NumberOfCapturingGroups()) + 1);
  for (Column& column : columns) {
    const std::string value(column.labels.get(change.source));
    if (!(*regex)->Match(value, 0, value.size(), re2::RE2::ANCHOR_BOTH, groups.data(),
                         static_cast<int>(groups.size()))) {
      continue;
    }
    const Status put =
        put_label(column, change.target, expand(change.replacement, **regex, groups), "label_replace()", hold);
    if (!put) return put.error();
  }
  return merge_equal(std::move(columns), kSameLabels);
}

Result<Columns> join_labels(Columns columns, const std::string& target, const std::string& separator,
                            const std::vector<std::string>& sources, const Hold& hold) {
  if (auto status = check_target(target, "label_join()"); !status) return status.error();
  for (Column& column : columns) {
    std::string joined;
    for (size_t i = 0; i < sources.size() && joined.size() <= kMaxLabelBytes; ++i) {
      if (i > 0) joined += separator;
      joined += column.labels.get(sources[i]);
    }
    if (auto put = put_label(column, target, joined, "label_join()", hold); !put) return put.error();
  }
  return merge_equal(std::move(columns), kSameLabels);
}

bool natural_less(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (!digit(a.front()) || !digit(b.front())) {
      if (a.front() != b.front()) return a.front() < b.front();
      a.remove_prefix(1);
      b.remove_prefix(1);
      continue;
    }
    const auto take_number = [](std::string_view& text) {
      const size_t zeros = std::min(text.find_first_not_of('0'), text.size());
      text.remove_prefix(zeros);
      size_t length = 0;
      while (length < text.size() && digit(text[length])) ++length;
      const std::string_view number = text.substr(0, length);
      text.remove_prefix(length);
      return number;
    };
    const std::string_view first = take_number(a);
    const std::string_view second = take_number(b);
    if (first.size() != second.size()) return first.size() < second.size();
    if (first != second) return first < second;
  }
  return a.size() < b.size();
}

}  // namespace monitor::query
