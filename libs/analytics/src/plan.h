// How a selection is read: from which source, and what the parts of its query are over that.
#pragma once

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "selection.h"
#include "source.h"
#include "user_dimensions.h"

namespace marquee::analytics {

class Plan {
 public:
  /// `selection` must outlive it.
  explicit Plan(const Selection& selection);

  /// Action::reject names the parameter that makes no sense, apart from dimensions.
  [[nodiscard]] static Result<void> check(const TableRequest& table);

  [[nodiscard]] const Source& source() const { return source_; }
  [[nodiscard]] const Scope& read() const { return read_; }
  /// " WHERE ...", with its values bound.
  [[nodiscard]] Result<std::string> conditions(clickhouse::Parameters& parameters) const;
  /// The table, with what is joined to it.
  [[nodiscard]] std::string from(clickhouse::Parameters& parameters) const;
  /// What the answer depends on.
  [[nodiscard]] Scope data() const { return users_.data(); }
  /// "WITH ... ", for before SELECT: where an event is in several segments, each row once for the total and once for
  /// each of them.
  [[nodiscard]] std::string with() const;
  /// "... AS key0, ... AS now0, ... AS before0, ... AS shown": keys, aggregates of the measures, and impressions.
  [[nodiscard]] Result<std::string> columns(clickhouse::Parameters& parameters) const;
  /// "key0, key1"; empty where there is none.
  [[nodiscard]] std::string keys() const;
  /// Whether a row is the total.
  [[nodiscard]] std::string total_flag() const;
  /// " GROUP BY ...": by the keys, and all of it; `also`: a further column that each of the two is grouped by.
  [[nodiscard]] std::string grouping(const std::string& also = "") const;
  /// Names of the measures' columns: now0, before0, now1, ...
  [[nodiscard]] std::vector<std::string> values() const;
  /// Binds {least} impressions of a row and the {most} rows to give: with the total, and with one more that tells
  /// whether there are more.
  void bind_extent(clickhouse::Parameters& parameters) const;

 private:
  [[nodiscard]] std::int64_t length_ms() const {
    return *selection_.table.scope.to_ms - *selection_.table.scope.from_ms;
  }
  [[nodiscard]] std::string key_time() const;

  const Selection& selection_;
  Scope read_;  ///< With the period before, where it is compared.
  Source source_ = kEvents;
  UserDimensions users_;
};

/// Reads a query's rows: keys, is_total, hidden, and from there on what `read(row, cells, at)` reads.
template <class Answer, class Read>
void read_answer(const clickhouse::Table& table, const Plan& plan, const TableRequest& request, const Read& read,
                 Answer& answer) {
  const auto keys = request.by.size();
  answer.extent.source = plan.source().name;
  for (const auto& cells : table.rows) {
    std::from_chars(cells[keys + 1].data(), cells[keys + 1].data() + cells[keys + 1].size(), answer.extent.hidden_rows);
    decltype(answer.total) row;
    read(row, cells, keys + 2);
    if (cells[keys] != "0") {
      answer.total = std::move(row);
      continue;
    }
    row.keys.assign(cells.begin(), cells.begin() + static_cast<std::ptrdiff_t>(keys));
    answer.rows.push_back(std::move(row));
  }
  answer.extent.is_cut = answer.rows.size() > request.limit;
  if (answer.extent.is_cut) answer.rows.resize(request.limit);
}

}  // namespace marquee::analytics
