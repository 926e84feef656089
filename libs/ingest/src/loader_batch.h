// A batch: a range of one log partition, made into a block for the events table.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "loader_window.h"
#include "marquee/clickhouse/native_block.h"
#include "marquee/event/event.h"
#include "marquee/log/event_log.h"

namespace marquee::ingest {

/// Days since 1970-01-01, UTC: the partition of an event in the events table and in every rollup.
using Day = std::uint16_t;
[[nodiscard]] Day day_of(std::int64_t event_time_ms);
/// "20260131", as ClickHouse names the partition.
[[nodiscard]] std::string partition_id(Day day);

/// The columns of marquee.events_in, in C++.
class EventBlock {
 public:
  EventBlock();
  void append(const event::Event& event, log::Partition partition, log::Offset offset);
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
};

/// A row of a batch: where it stands in the log, and what makes it unique.
struct Row {
  log::Offset offset = 0;
  std::uint64_t identity = 0;
  bool operator==(const Row&) const = default;
};

struct DeadLetter {
  log::Offset offset = 0;
  std::string reason;
  std::string bytes;
};

/// Records of [range.begin, range.end), sorted into rows, repeats and dead letters. Reused between batches. Not thread
/// safe.
class LoadBatch {
 public:
  explicit LoadBatch(log::Partition partition) : partition_(partition) {}

  /// Begins again, empty, at `begin`.
  void reset(log::Offset begin);
  /// Takes the records that follow range().end; repeats of what `window` holds are dropped, the others enter it.
  void append(const log::Records& records, IdentityWindow& window);
  /// Serialises the block; after the last append.
  void seal();

  [[nodiscard]] log::Partition partition() const { return partition_; }
  [[nodiscard]] const log::Range& range() const { return range_; }
  [[nodiscard]] std::size_t bytes() const { return record_bytes_; }     ///< Of the records taken.
  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }  ///< Ascending by offset.
  [[nodiscard]] const std::vector<DeadLetter>& dead_letters() const { return dead_letters_; }
  [[nodiscard]] std::uint64_t repeats() const { return repeats_; }
  [[nodiscard]] const std::set<Day>& days() const { return days_; }
  [[nodiscard]] std::int64_t oldest_received_ms() const { return oldest_received_ms_; }
  [[nodiscard]] const std::string& body() const { return body_; }
  [[nodiscard]] std::string columns() const { return block_.native().column_names(); }

 private:
  void append_record(std::string_view record, log::Offset offset, IdentityWindow& window);

  log::Partition partition_;
  log::Range range_;
  std::size_t record_bytes_ = 0;
  EventBlock block_;
  std::vector<Row> rows_;
  std::vector<DeadLetter> dead_letters_;
  std::uint64_t repeats_ = 0;
  std::set<Day> days_;
  std::int64_t oldest_received_ms_ = 0;
  std::string body_;
};

}  // namespace marquee::ingest
