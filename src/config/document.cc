#include "config/document.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "base/text.h"

namespace monitor::config {

namespace {

using nlohmann::json;

// Input iterator that counts the characters that the parser has read.
class CountingIterator {
 public:
  using difference_type = std::ptrdiff_t;
  using value_type = char;
  using pointer = const char*;
  using reference = const char&;
  using iterator_category = std::input_iterator_tag;

  CountingIterator(const char* at, const char** position) : at_(at), position_(position) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    *position_ = at_;
    return *this;
  }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  const char** position_;
};

// SAX handler: builds the value and records the line of each of its parts. Stops at the first error.
class Builder : public nlohmann::json_sax<json> {
 public:
  explicit Builder(std::string_view text) : text_(text), counted_to_(text.data()), position_(text.data()) {}

  const char** position() { return &position_; }
  json take_value() { return std::move(root_); }
  std::map<std::string, int> take_lines() { return std::move(lines_); }
  const std::optional<Error>& error() const { return error_; }

  bool null() override { return add(nullptr); }
  bool boolean(bool v) override { return add(v); }
  bool number_integer(number_integer_t v) override { return add(v); }
  bool number_unsigned(number_unsigned_t v) override { return add(v); }
  bool number_float(number_float_t v, const string_t&) override { return add(v); }
  bool string(string_t& v) override { return add(v); }
  bool binary(binary_t&) override { return false; }  // JSON text has none

  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    Level& level = stack_.back();
    if (!level.keys.insert(name).second) {
      return fail(Code::kInvalidArgument, fmt::format("line {}: duplicate key {} in {}", line(), json_quote(name),
                                                      level.pointer.empty() ? "the document" : level.pointer));
    }
    level.key = name;
    return true;
  }

  bool parse_error(std::size_t, const std::string& token, const nlohmann::detail::exception& e) override {
    if (error_) return false;
    std::string what = e.what();
    // nlohmann's text: "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while ...".
    const size_t colon = what.find(": ");
    if (colon != std::string::npos) what = what.substr(colon + 2);
    std::replace(what.begin(), what.end(), '\x7f', '?');  // other control characters are escaped already
    (void)token;
    return fail(Code::kInvalidArgument, fmt::format("line {}: not JSON: {}", line(), what.substr(0, 300)));
  }

 private:
  struct Level {
    json value;
    std::string pointer;
    std::string key;  // key of the next value in an object
    std::set<std::string> keys;
  };

  bool fail(Code code, std::string message) {
    error_ = Error(code, std::move(message));
    return false;
  }

  // The parser has read up to position_, which is at most one character beyond the token.
  int line() {
    const char* const to = position_ > text_.data() ? position_ - 1 : position_;
    for (; counted_to_ < to; ++counted_to_) line_ += *counted_to_ == '\n' ? 1 : 0;
    return line_;
  }

  std::string next_pointer() const {
    if (stack_.empty()) return "";
    const Level& level = stack_.back();
    return level.pointer +
           (level.value.is_array() ? "/" + std::to_string(level.value.size()) : pointer_step(level.key));
  }

  void place(json value) {
    if (stack_.empty()) {
      root_ = std::move(value);
    } else if (stack_.back().value.is_array()) {
      stack_.back().value.push_back(std::move(value));
    } else {
      stack_.back().value[stack_.back().key] = std::move(value);
    }
  }

  template <typename T>
  bool add(T&& value) {
    lines_[next_pointer()] = line();
    place(json(std::forward<T>(value)));
    return true;
  }

  bool open(json value) {
    if (stack_.size() >= kMaxDocumentDepth) {
      return fail(Code::kResourceExhausted,
                  fmt::format("line {}: nested deeper than {} levels", line(), kMaxDocumentDepth));
    }
    std::string pointer = next_pointer();
    lines_[pointer] = line();
    stack_.push_back({std::move(value), std::move(pointer), {}, {}});
    return true;
  }

  bool close() {
    json value = std::move(stack_.back().value);
    stack_.pop_back();
    place(std::move(value));
    return true;
  }

  std::string_view text_;
  const char* counted_to_;
  const char* position_;
  int line_ = 1;
  json root_;
  std::vector<Level> stack_;
  std::map<std::string, int> lines_;
  std::optional<Error> error_;
};

}  // namespace

Result<Document> Document::parse(std::string_view text) {
  if (text.size() > kMaxDocumentBytes) {
    return Error(Code::kResourceExhausted,
                 fmt::format("document has {} bytes, the limit is {}", text.size(), kMaxDocumentBytes));
  }
  Builder builder(text);
  const CountingIterator begin(text.data(), builder.position());
  const CountingIterator end(text.data() + text.size(), builder.position());
  if (!json::sax_parse(begin, end, &builder)) {
    return builder.error().value_or(Error(Code::kInvalidArgument, "not JSON"));
  }
  return Document(std::make_shared<const json>(builder.take_value()),
                  std::make_shared<const std::map<std::string, int>>(builder.take_lines()));
}

int Document::line(const std::string& pointer) const {
  std::string at = pointer;
  while (true) {
    const auto found = lines_->find(at);
    if (found != lines_->end()) return found->second;
    if (at.empty()) return 0;
    at.erase(at.rfind('/'));
  }
}

Document Document::without(const std::string& name) const {
  json value = *value_;
  std::map<std::string, int> lines = *lines_;
  const std::string pointer = pointer_step(name);
  value.erase(name);
  std::erase_if(lines, [&](const auto& one) { return one.first == pointer || one.first.starts_with(pointer + "/"); });
  return Document(std::make_shared<const json>(std::move(value)),
                  std::make_shared<const std::map<std::string, int>>(std::move(lines)));
}

nlohmann::json merge_layers(const std::vector<Layer>& layers) {
  json merged = json::object();
  for (const Layer& layer : layers) merged.merge_patch(layer.document.value());
  return merged;
}

const Layer* origin_of(const std::vector<Layer>& layers, const std::string& pointer) {
  std::string at = pointer;
  while (!at.empty()) {
    for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
      if (layer->document.contains(at)) return &*layer;
    }
    at.erase(at.rfind('/'));
  }
  return nullptr;
}

std::string pointer_step(std::string_view name) {
  std::string out = "/";
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace monitor::config
