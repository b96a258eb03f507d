// Records of the history of documents, as others may write them to etcd or files; their trail, and differences of their
// texts. The input is two records, separated by a NUL. A record that is understood must survive being written again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "config/declared/declared.h"
#include "config/history/change_record.h"
#include "config/history/text_diff.h"
#include "config/history/trail.h"
#include "config/keys.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace monitor::config;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t end = text.find('\0');
  const std::string_view first = text.substr(0, end);
  const std::string_view second = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  (void)parse_bundle(second, "input");
  (void)place_of_record(second);
  (void)key_of_path(std::string(second));
  const auto record = parse_record(first);
  if (!record) return 0;
  const auto again = parse_record(to_json(*record));
  if (!again || again->number != record->number || again->text != record->text || again->mark != record->mark ||
      again->found != record->found || again->note.author != record->note.author) {
    std::abort();
  }
  const auto other = parse_record(second);
  const CurrentText current{other ? other->text : std::optional(std::string(second)), 5};
  const TrailStep step = next_step(*record, current, std::string(second), record->note, false);
  if (step.added.empty() || step.added.back().number <= record->number) std::abort();
  if (same_document(record->text, current.text) != document_diff(record->text, current.text).empty()) {
    // Texts may differ only in the end of their last line.
    if (record->text && current.text && shown_text(record->text) != shown_text(current.text) + "\n" &&
        shown_text(record->text) + "\n" != shown_text(current.text)) {
      std::abort();
    }
  }
  (void)document_changes(record->text, current.text);
  (void)describe_author(record->note);
  return 0;
}
