#include "segment_answers.h"

#include <fmt/format.h>

#include "versions.h"

namespace marquee::api {
namespace {

constexpr std::string_view kSegmentThing = "segment";

Json segment_json(const catalog::Segment& segment) {
  return {{"id", segment.id},
          {"site", segment.site_id},
          {"title", segment.title},
          {"definition", Json::parse(segment.definition)},
          {"made", time_text(segment.made_ms)},
          {"changed", time_text(segment.changed_ms)},
          {"refreshed", time_text(segment.refreshed_ms)},
          {"size", segment.size},
          {"version", segment.version}};
}

http::Response one_answer(const http::Request& request, const Result<std::optional<catalog::Segment>>& segment) {
  if (!segment) return error_answer(segment.error());
  return *segment ? json_answer(200, segment_json(**segment))
                  : not_done(catalog::Edit::missing, kSegmentThing, request);
}

}  // namespace

Result<catalog::Segment> SegmentAnswers::described(const http::Request& request) const {
  const auto body = read_object(request, {"site", "title", "definition"});
  if (!body) return body.error();
  catalog::Segment segment;
  for (auto [name, value] : {std::pair("site", &segment.site_id), {"title", &segment.title}}) {
    auto text = text_of(*body, name, std::nullopt);
    if (!text) return text.error();
    *value = std::move(*text);
  }
  if (!catalog_.site(segment.site_id))
    return Error::reject(fmt::format("site: there is no site \"{}\"", segment.site_id.substr(0, 128)));
  const auto definition = body->find("definition");
  if (definition == body->end()) return Error::reject("definition: missing");
  segment.definition = definition->dump();
  return segment;
}

http::Response SegmentAnswers::list(const http::Request& request) {
  const auto segments = catalog_.segments(request.query_parameter("site").value_or(""));
  if (!segments) return error_answer(segments.error());
  Json list = Json::array();
  for (const auto& segment : *segments) {
    list.push_back(segment_json(segment));
    // Who is in a list is told by the segment itself: there may be many.
    list.back()["definition"].erase("users");
  }
  return json_answer(200, {{"segments", std::move(list)}});
}

http::Response SegmentAnswers::add(const http::Request& request) {
  auto segment = described(request);
  if (!segment) return error_answer(segment.error());
  const auto added = keeper_.add(std::move(*segment), request.actor);
  return added ? json_answer(201, segment_json(*added)) : error_answer(added.error());
}

http::Response SegmentAnswers::get(const http::Request& request) {
  return one_answer(request, catalog_.segment(request.path_parameter("id")));
}

http::Response SegmentAnswers::replace(const http::Request& request) {
  auto segment = described(request);
  if (!segment) return error_answer(segment.error());
  segment->id = request.path_parameter("id");
  return one_answer(request, keeper_.replace(std::move(*segment), request.actor));
}

http::Response SegmentAnswers::remove(const http::Request& request) {
  const auto removed = keeper_.remove(request.path_parameter("id"), request.actor);
  if (!removed) return error_answer(removed.error());
  return removed_answer(*removed ? catalog::Edit::done : catalog::Edit::missing, kSegmentThing, request);
}

http::Response SegmentAnswers::refresh(const http::Request& request) {
  return one_answer(request, keeper_.refresh(request.path_parameter("id")));
}

}  // namespace marquee::api
