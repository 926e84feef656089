// What the importers read: rows of a file, each as the events that it becomes.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "import_csv.h"
#include "import_source.h"
#include "marquee/base/result.h"

namespace marquee::ingest {

/// One row of a file.
struct ImportRecord {
  std::uint64_t row = 0;   ///< From 1; a CSV's header is none.
  std::uint64_t line = 0;  ///< Of the file, from 1.
  std::string ndjson;      ///< The row's events, one a line.
  std::uint32_t events = 0;
  std::string refusal;  ///< Why the row could not be mapped; then there are no events.
};

/// Reads a file row by row, the same rows each time. Not thread safe.
class ImportReader {
 public:
  virtual ~ImportReader() = default;
  /// False at the end. An Error means that the rest of the file cannot be read.
  [[nodiscard]] virtual Result<bool> next(ImportRecord& record) = 0;
  /// Bytes of the file that were taken so far.
  [[nodiscard]] virtual std::uint64_t consumed() const = 0;
};

/// Rows of a CSV source with a header; what the CSV importers share.
class CsvRows {
 public:
  explicit CsvRows(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}

  /// Reads the header. Action::reject where there is none.
  [[nodiscard]] Result<std::vector<std::string>> header();
  [[nodiscard]] Result<bool> next();
  [[nodiscard]] const std::vector<std::string_view>& fields() const { return parser_.fields(); }
  [[nodiscard]] std::uint64_t line() const { return parser_.line(); }
  [[nodiscard]] std::uint64_t row() const { return row_; }
  [[nodiscard]] std::uint64_t consumed() const { return source_->consumed(); }

 private:
  std::unique_ptr<ByteSource> source_;
  CsvParser parser_;
  std::uint64_t row_ = 0;
};

/// Index of each of `names` in `header`. Action::reject naming the first that is missing.
[[nodiscard]] Result<std::vector<std::size_t>> find_columns(const std::vector<std::string>& header,
                                                            std::initializer_list<std::string_view> names);

/// One log of the Open Bandit Dataset: a row is an impression, and a click 1 ms after it where click is 1.
///   external_id  "ob:<policy>:<campaign>:<index>:i" and ":c", <index> being the file's first column
///   slot_id "fashion-top", position 1..3, ad_id "item-<item_id>" (numbered within the campaign), propensity, policy,
///   campaign_id props        user_feature_0..3, hashed categories
/// The data has no user id; the four features say what a user is like and not who, so the events carry no user and no
/// session.
[[nodiscard]] Result<std::unique_ptr<ImportReader>> read_open_bandit(std::unique_ptr<ByteSource> source,
                                                                     std::string policy, std::string campaign);

/// A Moodle log export (module, time, event_context, component, event_name, description, origin): a row is one event.
///   type         course_view for "Course viewed"; course_click where a course's content is opened ("Course module
///   viewed",
///                "Activity viewed", "Meeting joined", "Wiki page viewed", "Zip archive of folder downloaded");
///                page_view else
///   external_id  "moodle:<row>"
///   event_time   the log's minutes, taken as UTC since the log names no zone
///   user_id      from the description, where it names the one who acted
///   course_id    from the description; else the course of the row's `module`, where `courses` has it
///   page_id      component; props: event_name, component, origin, offering (`module`), course_module_id
[[nodiscard]] Result<std::unique_ptr<ImportReader>> read_moodle(std::unique_ptr<ByteSource> source,
                                                                std::map<std::string, std::string> courses);

/// The course of each `module`, learnt from the "Course viewed" rows; modules with several courses are left out.
[[nodiscard]] Result<std::map<std::string, std::string>> learn_moodle_courses(std::unique_ptr<ByteSource> source);

/// Marquee events as NDJSON. Lines pass as they are, but: props that is text holding an object becomes that object, and
/// an event without identity gets external_id "<file_id>:<row>". A line that is no JSON object is refused.
[[nodiscard]] std::unique_ptr<ImportReader> read_event_lines(std::unique_ptr<ByteSource> source, std::string file_id);

/// Marquee events as CSV: the header has the names of POST /v1/events; "props.x" goes into props; an empty cell is
/// absent.
[[nodiscard]] Result<std::unique_ptr<ImportReader>> read_event_csv(std::unique_ptr<ByteSource> source,
                                                                   std::string file_id);

}  // namespace marquee::ingest
