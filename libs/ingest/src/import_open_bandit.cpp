#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <optional>

#include "import_reader.h"
#include "marquee/base/json_text.h"

namespace marquee::ingest {
namespace {

// "2019-11-24 00:00:17.004101+00:00", as the data set writes it, in milliseconds since 1970; the zone is always UTC.
std::optional<std::int64_t> parse_bandit_time(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00 00:00:00";
  const bool is_utc = text.ends_with("+00:00");
  if (!is_utc || text.size() < kShape.size() + 6) return std::nullopt;
  text.remove_suffix(6);
  for (std::size_t i = 0; i < kShape.size(); ++i)
    if (kShape[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != kShape[i]) return std::nullopt;
  const auto number = [&text](std::size_t at, std::size_t size) {
    int value = 0;
    std::from_chars(text.data() + at, text.data() + at + size, value);
    return value;
  };
  const std::chrono::year_month_day day(std::chrono::year(number(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(8, 2))));
  if (!day.ok() || number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 59) return std::nullopt;
  std::int64_t fraction_ms = 0;
  if (text.size() > kShape.size()) {
    if (text[kShape.size()] != '.') return std::nullopt;
    std::int64_t scale = 100;
    for (const char c : text.substr(kShape.size() + 1)) {
      if (c < '0' || c > '9') return std::nullopt;
      fraction_ms += scale * (c - '0');
      scale /= 10;
    }
  }
  const auto seconds = ((number(11, 2) * 60LL) + number(14, 2)) * 60 + number(17, 2);
  return std::chrono::sys_days(day).time_since_epoch().count() * 86'400'000LL + seconds * 1000 + fraction_ms;
}

class OpenBanditReader final : public ImportReader {
 public:
  OpenBanditReader(CsvRows rows, std::vector<std::size_t> columns, std::size_t width, std::string policy,
                   std::string campaign)
      : rows_(std::move(rows)),
        columns_(std::move(columns)),
        width_(width),
        policy_(std::move(policy)),
        campaign_(std::move(campaign)) {}

  Result<bool> next(ImportRecord& record) override {
    const auto has_row = rows_.next();
    if (!has_row || !*has_row) return has_row;
    record = {};
    record.row = rows_.row();
    record.line = rows_.line();
    map(record);
    return true;
  }
  [[nodiscard]] std::uint64_t consumed() const override { return rows_.consumed(); }

 private:
  [[nodiscard]] std::string_view cell(std::size_t column) const { return rows_.fields()[columns_[column]]; }

  void map(ImportRecord& record) {
    if (rows_.fields().size() != width_) {
      record.refusal = fmt::format("the row has another number of columns than the header");
      return;
    }
    const auto time = parse_bandit_time(cell(0));
    if (!time) {
      record.refusal = "timestamp: expected a time like 2019-11-24 00:00:17.004101+00:00";
      return;
    }
    if (cell(3) != "0" && cell(3) != "1") {
      record.refusal = "click: expected 0 or 1";
      return;
    }
    if (!is_json_number(cell(2)) || !is_json_number(cell(4)) || cell(1).empty()) {
      record.refusal = "item_id, position or propensity_score: expected a number";
      return;
    }
    write(record, "impression", 'i', *time);
    if (cell(3) == "1") write(record, "click", 'c', *time + 1);
  }

  void write(ImportRecord& record, std::string_view type, char kind, std::int64_t time_ms) {
    std::string props;
    JsonObject(props)
        .text("user_feature_0", cell(5))
        .text("user_feature_1", cell(6))
        .text("user_feature_2", cell(7))
        .text("user_feature_3", cell(8))
        .end();
    JsonObject(record.ndjson)
        .text("type", type)
        .text("external_id", fmt::format("ob:{}:{}:{}:{}", policy_, campaign_, rows_.fields()[0], kind))
        .number("event_time", time_ms)
        .text("slot_id", "fashion-top")
        .raw("position", cell(2))
        .text("campaign_id", campaign_)
        .text("ad_id", fmt::format("item-{}", cell(1)))
        .raw("propensity", cell(4))
        .text("policy", policy_)
        .raw("props", props)
        .end();
    record.ndjson += '\n';
    ++record.events;
  }

  CsvRows rows_;
  std::vector<std::size_t> columns_;
  std::size_t width_;
  std::string policy_;
  std::string campaign_;
};

}  // namespace

Result<std::unique_ptr<ImportReader>> read_open_bandit(std::unique_ptr<ByteSource> source, std::string policy,
                                                       std::string campaign) {
  CsvRows rows(std::move(source));
  const auto header = rows.header();
  if (!header) return header.error();
  if (header->front() != "" && header->front() != "index")
    return Error::reject("the first column is not the row's index");
  auto columns = find_columns(*header, {"timestamp", "item_id", "position", "click", "propensity_score",
                                        "user_feature_0", "user_feature_1", "user_feature_2", "user_feature_3"});
  if (!columns) return columns.error();
  return std::make_unique<OpenBanditReader>(std::move(rows), std::move(*columns), header->size(), std::move(policy),
                                            std::move(campaign));
}

}  // namespace marquee::ingest
