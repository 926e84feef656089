#include "answer_rows.h"
#include "cached_store.h"
#include "marquee/analytics/reports.h"

namespace marquee::analytics {
namespace {

// Times are read only of the days on which users of the site are known to have come first and last, and of those before
// and after, on which nobody with a key came; the index alone counts the events.
constexpr auto kOfSite =
    "SELECT (SELECT count() FROM marquee.events WHERE site_id = {site:String}), "
    "(SELECT toUnixTimestamp64Milli(min(event_time)) FROM marquee.events WHERE site_id = {site:String} AND event_time "
    "< "
    "toDateTime(coalesce((SELECT minOrNull(day) FROM marquee.user_days WHERE site_id = {site:String}), "
    "toDate('2100-01-01')) + 1, 'UTC')), "
    "(SELECT toUnixTimestamp64Milli(max(event_time)) FROM marquee.events WHERE site_id = {site:String} AND event_time "
    ">= "
    "toDateTime(coalesce((SELECT maxOrNull(day) FROM marquee.user_days WHERE site_id = {site:String}), "
    "toDate('1970-01-01')), 'UTC'))";

}  // namespace

Result<std::map<std::string, SiteSummary>> Reports::sites(const std::vector<std::string>& ids) {
  std::map<std::string, SiteSummary> result;
  for (const auto& id : ids) {
    const auto rows = store_->store().table(kOfSite, {{"site", id}});
    if (!rows) return rows.error();
    const auto& row = rows->rows.at(0);
    if (const auto events = number(row[0]); events != 0)
      result[id] = {events, static_cast<std::int64_t>(number(row[1])), static_cast<std::int64_t>(number(row[2]))};
  }
  return result;
}

}  // namespace marquee::analytics
