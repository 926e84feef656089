// Reports of segments and of who was exposed to experiments.
#include <algorithm>
#include <vector>

#include "answers.h"
#include "report_answers.h"
#include "report_json.h"

namespace marquee::api {

Result<Json> ReportAnswers::segments(const http::Request& request) {
  auto asked = scope(request);
  if (!asked) return asked.error();
  const auto kept = catalog_.segments(asked->site);
  if (!kept) return kept.error();
  const auto report = reports_.segments({.scope = *asked, .ids = list_parameter(request, "segments")});
  if (!report) return report.error();
  Json body = head(*asked);
  body["source"] = report->source;
  body["site_users"] = report->site_users;
  body["segments"] = Json::array();
  std::vector<std::vector<std::uint64_t>> both(report->segments.size(),
                                               std::vector<std::uint64_t>(report->segments.size()));
  for (const auto& one : report->overlaps) both[one.a][one.b] = one.users;
  for (const auto& one : report->segments) {
    const auto segment = std::ranges::find(*kept, one.id, &catalog::Segment::id);
    // One that was removed just now has no more than its id.
    const auto described = segment == kept->end() ? catalog::Segment{} : *segment;
    body["segments"].push_back({{"id", one.id},
                                {"title", described.title},
                                {"size", described.size},
                                {"users", one.users},
                                {"share", share(one.users, report->site_users)}});
  }
  body["overlaps"] = Json::array();
  for (std::size_t a = 0; a < both.size(); ++a) {
    for (std::size_t b = a + 1; b < both.size(); ++b) {
      const auto users_a = report->segments[a].users, users_b = report->segments[b].users;
      body["overlaps"].push_back({{"a", report->segments[a].id},
                                  {"b", report->segments[b].id},
                                  {"users", both[a][b]},
                                  {"share_of_a", share(both[a][b], users_a)},
                                  {"share_of_b", share(both[a][b], users_b)},
                                  {"jaccard", share(both[a][b], users_a + users_b - both[a][b])}});
    }
  }
  return body;
}

Result<void> ReportAnswers::add_experiments(Json& body, const analytics::Scope& scope,
                                            const std::vector<std::string>& by,
                                            const std::vector<analytics::Filter>& filters) {
  constexpr std::string_view kArm = "arm.";
  std::vector<std::string> dimensions = by;
  for (const auto& filter : filters) dimensions.push_back(filter.dimension);
  std::erase_if(dimensions, [&](const std::string& name) { return !name.starts_with(kArm); });
  std::ranges::sort(dimensions);
  dimensions.erase(std::ranges::unique(dimensions).begin(), dimensions.end());
  for (const auto& dimension : dimensions) {
    const auto users = reports_.experiment(scope, dimension.substr(kArm.size()));
    if (!users) return users.error();
    Json arms = Json::array();
    for (const auto& [arm, count] : users->arms) arms.push_back({{"arm", arm}, {"users", count}});
    body["experiments"].push_back(
        {{"experiment", users->name}, {"arms", std::move(arms)}, {"users_in_several_arms", users->in_several_arms}});
  }
  return {};
}

}  // namespace marquee::api
