#include "ui/print/printer.h"

#include "base/escape.h"
#include "base/text.h"
#include "base/time_format.h"
#include "metrics/json_form.h"
#include "metrics/labels_text.h"
#include "ui/print/table.h"

namespace monitor::analysis {

namespace {

class JsonPrinter final : public Printer {
 public:
  explicit JsonPrinter(const PrintOptions& options) : metric_(options.metric) {}

  std::string tick(const metrics::Batch& batch, size_t frame, bool late) override {
    if (metric_.empty()) return metrics::tick_to_json(batch, frame, late) + "\n";
    bool any = false;
    std::string text = metrics::tick_to_json(batch, frame, late, [&](const metrics::Series& series) {
      const bool keep = metrics::selects(metric_, series);
      any = any || keep;
      return keep;
    });
    return any ? text + "\n" : "";
  }

 private:
  const std::string metric_;
};

class CsvPrinter final : public Printer {
 public:
  explicit CsvPrinter(const PrintOptions& options) : metric_(options.metric) {}

  std::string tick(const metrics::Batch& batch, size_t frame, bool /*late*/) override {
    std::string out;
    const metrics::Frame& f = batch.frames[frame];
    const std::string before = format_rfc3339(f.time_ns) + "," + csv_field(batch.agent_id) + ",";
    for (const metrics::Point& point : f.points) {
      const metrics::Series& series = batch.series[point.series];
      if (!metrics::selects(metric_, series)) continue;
      const std::string value = json_number(batch.value(point));
      out += before + csv_field(series.name) + "," + csv_field(metrics::labels_text(series.labels)) + "," +
             csv_field(series.unit) + "," + (value == "null" ? "" : value) + "\n";
    }
    if (!out.empty() && !header_done_) {
      header_done_ = true;
      return "time,agent,metric,labels,unit,value\n" + out;
    }
    return out;
  }

 private:
  const std::string metric_;
  bool header_done_ = false;
};

}  // namespace

std::unique_ptr<Printer> make_printer(const PrintOptions& options) {
  switch (options.format) {
    case Format::kTable:
      return std::make_unique<TablePrinter>(options);
    case Format::kJson:
      return std::make_unique<JsonPrinter>(options);
    case Format::kCsv:
      return std::make_unique<CsvPrinter>(options);
  }
  return nullptr;
}

}  // namespace monitor::analysis
