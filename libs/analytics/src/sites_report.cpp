#include "answer_rows.h"
#include "cached_store.h"
#include "marquee/analytics/reports.h"

namespace marquee::analytics {

Result<std::map<std::string, SiteSummary>> Reports::sites() {
  const auto rows = store_->store().table(
      "SELECT site_id, count(), toUnixTimestamp64Milli(min(event_time)), toUnixTimestamp64Milli(max(event_time)) FROM "
      "marquee.events GROUP BY site_id");
  if (!rows) return rows.error();
  std::map<std::string, SiteSummary> result;
  for (const auto& row : rows->rows)
    result[row[0]] = {number(row[1]), static_cast<std::int64_t>(number(row[2])),
                      static_cast<std::int64_t>(number(row[3]))};
  return result;
}

}  // namespace marquee::analytics
