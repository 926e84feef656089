// A batch: a range of one log partition, made into a block for the events table.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dead_letter_store.h"
#include "marquee/clickhouse/native_block.h"
#include "marquee/event/event.h"
#include "marquee/event/identity_window.h"
#include "marquee/ingest/dead_letter.h"
#include "marquee/log/event_log.h"

namespace marquee::ingest {

/// Days since 1970-01-01, UTC: the partition of an event in the events table and in every rollup.
using Day = std::uint16_t;
[[nodiscard]] Day day_of(std::int64_t event_time_ms);
/// "20260131", as ClickHouse names the partition.
[[nodiscard]] std::string partition_id(Day day);
[[nodiscard]] std::vector<std::string> partition_ids(const std::set<Day>& days);

/// How the store knows the loader of this token: 16 hexadecimal digits.
[[nodiscard]] std::string loader_name(std::uint64_t token);

/// The columns of marquee.events_entry, in C++.
class EventBlock {
 public:
  EventBlock();
  void append(const event::Event& event, log::Partition partition, log::Offset offset);
  /// The token that the store knows this loader by, for every row; after the last append.
  void set_loader(std::uint64_t loader);
  [[nodiscard]] std::size_t rows() const { return block_.rows(); }
  [[nodiscard]] const clickhouse::NativeBlock& native() const { return block_; }
  void clear() { block_.clear(); }

 private:
  template <class T>
  using Number = clickhouse::NumberColumn<T>;
  using Text = clickhouse::StringColumn;
  using Name = clickhouse::LowCardinalityColumn;

  clickhouse::NativeBlock block_;
  Name& site_id_;
  Number<std::uint64_t>& session_id_;
  Number<std::uint32_t>& seq_;
  Text& external_id_;
  Number<std::int64_t>& event_time_;
  Number<std::int64_t>& received_time_;
  Number<std::uint8_t>& event_type_;
  Number<std::uint64_t>& user_key_;
  Name& college_id_;
  Name& program_;
  Number<std::uint8_t>& year_of_study_;
  Name& city_;
  Name& device_;
  Name& os_;
  Name& browser_;
  Number<std::uint8_t>& is_bot_;
  Number<std::uint8_t>& consent_;
  Name& page_id_;
  Text& page_path_;
  Name& referrer_host_;
  Name& slot_id_;
  Number<std::uint8_t>& position_;
  Number<std::uint16_t>& viewport_width_;
  Number<std::uint16_t>& viewport_height_;
  Number<std::uint16_t>& scroll_depth_;
  Number<std::uint16_t>& slot_x_;
  Number<std::uint16_t>& slot_y_;
  Number<std::uint16_t>& page_x_;
  Number<std::uint16_t>& page_y_;
  Name& campaign_id_;
  Name& ad_id_;
  Text& decision_id_;
  Name& course_id_;
  Text& search_query_;
  Number<std::int32_t>& results_count_;
  Number<std::uint32_t>& dwell_ms_;
  Number<std::uint32_t>& visible_ms_;
  Number<double>& value_;
  Number<float>& propensity_;
  Name& policy_;
  Text& props_;
  Number<std::uint16_t>& log_partition_;
  Number<std::uint64_t>& log_offset_;
  Name& loader_;
};

/// A row of a batch: where it stands in the log, and what makes it unique.
struct Row {
  log::Offset offset = 0;
  std::uint64_t identity = 0;
  bool operator==(const Row&) const = default;
};

/// Records of [range.begin, range.end), sorted into rows, repeats and dead letters. Reused between batches. Not thread
/// safe.
class LoadBatch {
 public:
  explicit LoadBatch(log::Partition partition) : partition_(partition) {}

  /// Begins again, empty, at `begin`.
  void reset(log::Offset begin);
  /// What became a dead letter stays one, even where it could be loaded by now: its replay may have landed. Until
  /// reset.
  void set_known_letters(KnownLetters letters) { known_letters_ = std::move(letters); }
  /// Which of the loader's looks at what has landed (LoaderContext::Name) it is built by. Until reset.
  void set_look(std::uint64_t look) { look_ = look; }
  [[nodiscard]] std::uint64_t look() const { return look_; }
  /// Takes the records that follow range().end; repeats of what `window` holds are dropped, the others enter it.
  void append(const log::Records& records, event::IdentityWindow& window);
  /// The log has no record before `offset` that was not taken.
  void skip_to(log::Offset offset) { range_.end = offset; }
  /// Serialises the block for the loader of this token; after the last append. Once more where the token has changed.
  void seal(std::uint64_t loader);

  [[nodiscard]] log::Partition partition() const { return partition_; }
  [[nodiscard]] const log::Range& range() const { return range_; }
  [[nodiscard]] std::size_t bytes() const { return record_bytes_; }     ///< Of the records taken.
  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }  ///< Ascending by offset.
  [[nodiscard]] const std::vector<DeadLetter>& dead_letters() const { return dead_letters_; }
  [[nodiscard]] const std::vector<Row>& repeats() const { return repeats_; }  ///< Ascending by offset.
  /// The row at `offset` turned out to be a dead letter.
  void set_refused(log::Offset offset) { refused_.insert(offset); }
  [[nodiscard]] const std::set<log::Offset>& refused() const { return refused_; }
  [[nodiscard]] const std::set<Day>& days() const { return days_; }
  [[nodiscard]] std::int64_t oldest_received_ms() const { return oldest_received_ms_; }
  [[nodiscard]] std::int64_t newest_received_ms() const { return newest_received_ms_; }
  /// Of the record at range().begin: another log has another there.
  [[nodiscard]] std::uint64_t fingerprint() const { return fingerprint_; }
  [[nodiscard]] std::uint64_t sealed_for() const { return loader_; }
  [[nodiscard]] const std::string& body() const { return body_; }
  [[nodiscard]] std::string columns() const { return block_.native().column_names(); }

 private:
  [[nodiscard]] const KnownLetter* known_letter(std::string_view record, log::Offset offset) const;
  void append_record(std::string_view record, log::Offset offset, event::IdentityWindow& window);

  log::Partition partition_;
  log::Range range_;
  std::size_t record_bytes_ = 0;
  EventBlock block_;
  std::vector<Row> rows_;
  std::vector<DeadLetter> dead_letters_;
  std::vector<Row> repeats_;
  std::set<log::Offset> refused_;
  KnownLetters known_letters_;
  std::set<Day> days_;
  std::int64_t oldest_received_ms_ = 0;
  std::int64_t newest_received_ms_ = 0;
  std::uint64_t fingerprint_ = 0;
  std::uint64_t loader_ = 0;
  std::uint64_t look_ = 0;
  std::string body_;
};

}  // namespace marquee::ingest
