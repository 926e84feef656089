#include "privacy_answers.h"

#include <fmt/format.h>

#include "answers.h"

namespace marquee::api {
namespace {

constexpr std::uint64_t kMostErasures = 1'000;

std::string_view state_of(const catalog::Erasure& erasure) {
  if (erasure.is_done) return "done";
  return erasure.step.empty() && erasure.error.empty() ? "waiting" : "running";
}

Json erasure_json(const catalog::Erasure& erasure) {
  auto receipt = Json::parse(erasure.receipt, nullptr, /*allow_exceptions=*/false);
  return {{"id", erasure.id},
          {"site", erasure.site_id},
          {"state", state_of(erasure)},
          {"asked_time", time_text(erasure.asked_ms)},
          {"done_time", erasure.is_done ? Json(time_text(erasure.done_ms)) : Json(nullptr)},
          {"step", erasure.step},
          {"parts_done", erasure.parts_done},
          {"parts_total", erasure.parts_total},
          {"error", erasure.error},
          {"receipt", receipt.is_object() ? std::move(receipt) : Json::object()}};
}

http::Response unstored(http::Response response) {
  response.headers.set("Cache-Control", "no-store");
  return response;
}

http::Response none_here() { return error_answer(501, "users are not erased by this process"); }

}  // namespace

http::Response PrivacyAnswers::erase(const http::Request& request) {
  const auto site = request.query_parameter("site").value_or("");
  if (!catalog_.site(site)) return error_answer(400, "site: expected the id of a site", "site");
  if (eraser_ == nullptr) return none_here();
  if (!eraser_->refusal().empty()) return error_answer(501, eraser_->refusal());
  const auto asked = eraser_->ask(site, request.path_parameter("user_id"), request.actor);
  if (!asked) return error_answer(asked.error());
  auto response = json_answer(202, erasure_json(*asked));
  response.headers.set("Location", "/v1/erasures/" + asked->id);
  return unstored(std::move(response));
}

/// /v1/users/{user_id}/export; ids may have slashes.
http::Response PrivacyAnswers::export_user(const http::Request& request) {
  constexpr std::string_view kEnd = "/export";
  const auto path = request.path_parameter("user_id");
  if (!path.ends_with(kEnd) || path.size() == kEnd.size()) return error_answer(404, "there is nothing at this address");
  const auto site = request.query_parameter("site").value_or("");
  if (!catalog_.site(site)) return error_answer(400, "site: expected the id of a site", "site");
  if (!export_user_) return none_here();
  auto text = export_user_(site, std::string(path.substr(0, path.size() - kEnd.size())));
  if (!text) return error_answer(text.error());
  return unstored(json_text_answer(200, std::move(*text)));
}

http::Response PrivacyAnswers::list(const http::Request& request) {
  if (eraser_ == nullptr) return none_here();
  const auto most = whole_parameter(request, "limit", 100);
  if (!most) return error_answer(most.error());
  if (*most == 0 || *most > kMostErasures)
    return error_answer(400, fmt::format("limit: expected a whole number from 1 to {}", kMostErasures), "limit");
  const auto all = eraser_->list(*most);
  if (!all) return error_answer(all.error());
  Json list = Json::array();
  for (const auto& one : *all) list.push_back(erasure_json(one));
  return unstored(json_answer(200, {{"erasures", std::move(list)}}));
}

http::Response PrivacyAnswers::get(const http::Request& request) {
  if (eraser_ == nullptr) return none_here();
  const auto found = eraser_->find(request.path_parameter("id"));
  if (!found) return error_answer(found.error());
  if (!*found) return error_answer(404, "there is no erasure of this id");
  return unstored(json_answer(200, erasure_json(**found)));
}

}  // namespace marquee::api
