#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <set>

#include "import_reader.h"
#include "marquee/base/json_text.h"

namespace marquee::ingest {
namespace {

enum Column : std::size_t {
  kModuleColumn,
  kTimeColumn,
  kComponentColumn,
  kEventNameColumn,
  kDescriptionColumn,
  kOriginColumn
};

constexpr std::array<std::string_view, 5> kOpensContent = {"Course module viewed", "Activity viewed", "Meeting joined",
                                                           "Wiki page viewed", "Zip archive of folder downloaded"};

// A number of 1 to `most` digits from the front of `text`; nullopt and nothing taken where there is none.
std::optional<unsigned> take_number(std::string_view& text, std::size_t most) {
  unsigned value = 0;
  std::size_t size = 0;
  while (size < text.size() && size < most && text[size] >= '0' && text[size] <= '9')
    value = value * 10 + static_cast<unsigned>(text[size++] - '0');
  if (size == 0) return std::nullopt;
  text.remove_prefix(size);
  return value;
}

bool take(std::string_view& text, std::string_view what) {
  if (!text.starts_with(what)) return false;
  text.remove_prefix(what.size());
  return true;
}

// "6/08/20, 21:00": day, month, year; in milliseconds since 1970. The dates of published logs were moved, so that some
// days are none (29/02/18): they count on from the month's end, which keeps the order of the log.
std::optional<std::int64_t> parse_moodle_time(std::string_view text) {
  const auto day = take_number(text, 2);
  if (!day || !take(text, "/")) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, "/")) return std::nullopt;
  const auto year = take_number(text, 4);
  if (!year || !take(text, ", ")) return std::nullopt;
  const auto hour = take_number(text, 2);
  if (!hour || !take(text, ":")) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || !text.empty() || *hour > 23 || *minute > 59) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year < 100 ? *year + 2000 : *year)),
                                         std::chrono::month(*month), std::chrono::day(*day));
  if (!date.month().ok() || !date.day().ok()) return std::nullopt;
  return (std::chrono::sys_days(date).time_since_epoch().count() * 1440LL + *hour * 60 + *minute) * 60'000;
}

// The digits that follow the first of `phrases` found in `text`, with or without a quote before them.
std::string_view id_after(std::string_view text, std::initializer_list<std::string_view> phrases) {
  for (const auto phrase : phrases) {
    const auto at = text.find(phrase);
    if (at == std::string_view::npos) continue;
    auto rest = text.substr(at + phrase.size());
    if (rest.starts_with('\'')) rest.remove_prefix(1);
    const auto end = std::min(rest.find_first_not_of("0123456789"), rest.size());
    if (end > 0) return rest.substr(0, end);
  }
  return {};
}

std::string_view course_of(std::string_view description) {
  return id_after(description, {"course with id ", "course with the id ", "course id ", "at course: "});
}

// Only where the sentence begins with the user: elsewhere the id is of the one acted upon.
std::string_view actor_of(std::string_view description) {
  for (const std::string_view opening : {"The user with id ", "User with id "})
    if (description.starts_with(opening)) return id_after(description, {opening});
  return {};
}

class MoodleReader final : public ImportReader {
 public:
  MoodleReader(CsvRows rows, std::vector<std::size_t> columns, std::size_t width,
               std::map<std::string, std::string> courses)
      : rows_(std::move(rows)), columns_(std::move(columns)), width_(width), courses_(std::move(courses)) {}

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
  [[nodiscard]] std::string_view cell(Column column) const { return rows_.fields()[columns_[column]]; }

  void map(ImportRecord& record) {
    if (rows_.fields().size() != width_) {
      record.refusal = "the row has another number of columns than the header";
      return;
    }
    const auto time = parse_moodle_time(cell(kTimeColumn));
    if (!time) {
      record.refusal = "time: expected day/month/year, hour:minute";
      return;
    }
    const auto name = cell(kEventNameColumn);
    const bool opens_content = std::find(kOpensContent.begin(), kOpensContent.end(), name) != kOpensContent.end();
    const std::string_view type = name == "Course viewed" ? "course_view"
                                  : opens_content         ? "course_click"
                                                          : "page_view";
    auto course = course_of(cell(kDescriptionColumn));
    if (course.empty()) {
      const auto it = courses_.find(std::string(cell(kModuleColumn)));
      if (it != courses_.end()) course = it->second;
    }
    std::string props;
    JsonObject(props)
        .text("event_name", name)
        .text("component", cell(kComponentColumn))
        .text("origin", cell(kOriginColumn))
        .text("offering", cell(kModuleColumn))
        .text("course_module_id", id_after(cell(kDescriptionColumn), {"course module id ", "course module with id "}))
        .end();
    JsonObject(record.ndjson)
        .text("type", type)
        .text("external_id", fmt::format("moodle:{}", record.row))
        .number("event_time", *time)
        .text("user_id", actor_of(cell(kDescriptionColumn)))
        .text("page_id", cell(kComponentColumn))
        .text("course_id", course)
        .raw("props", props)
        .end();
    record.ndjson += '\n';
    record.events = 1;
  }

  CsvRows rows_;
  std::vector<std::size_t> columns_;
  std::size_t width_;
  std::map<std::string, std::string> courses_;
};

}  // namespace

Result<std::unique_ptr<ImportReader>> read_moodle(std::unique_ptr<ByteSource> source,
                                                  std::map<std::string, std::string> courses) {
  CsvRows rows(std::move(source));
  const auto header = rows.header();
  if (!header) return header.error();
  auto columns = find_columns(*header, {"module", "time", "component", "event_name", "description", "origin"});
  if (!columns) return columns.error();
  return std::make_unique<MoodleReader>(std::move(rows), std::move(*columns), header->size(), std::move(courses));
}

Result<std::map<std::string, std::string>> learn_moodle_courses(std::unique_ptr<ByteSource> source) {
  CsvRows rows(std::move(source));
  const auto header = rows.header();
  if (!header) return header.error();
  const auto columns = find_columns(*header, {"module", "event_name", "description"});
  if (!columns) return columns.error();
  std::map<std::string, std::string> courses;
  std::set<std::string> ambiguous;
  for (;;) {
    const auto has_row = rows.next();
    if (!has_row) return has_row.error();
    if (!*has_row) break;
    const auto& fields = rows.fields();
    if (fields.size() != header->size() || fields[(*columns)[1]] != "Course viewed") continue;
    const auto course = course_of(fields[(*columns)[2]]);
    if (course.empty()) continue;
    const auto [it, is_new] = courses.emplace(fields[(*columns)[0]], course);
    if (!is_new && it->second != course) ambiguous.insert(it->first);
  }
  for (const auto& module : ambiguous) courses.erase(module);
  return courses;
}

}  // namespace marquee::ingest
