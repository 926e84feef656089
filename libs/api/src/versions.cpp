#include "versions.h"

#include <fmt/format.h>

#include <charconv>

namespace marquee::api {

catalog::Version wanted_version(const http::Request& request) {
  auto tag = request.headers.get("If-Match");
  if (tag.empty() || tag == "*") return std::nullopt;
  constexpr std::int64_t kNone = -1;
  if (tag.size() < 3 || !tag.starts_with('"') || !tag.ends_with('"')) return kNone;
  tag = tag.substr(1, tag.size() - 2);
  std::int64_t version = 0;
  const auto [end, error] = std::from_chars(tag.data(), tag.data() + tag.size(), version);
  return error == std::errc() && end == tag.data() + tag.size() ? version : kNone;
}

http::Response with_version(http::Response answer, std::int64_t version) {
  answer.headers.set("ETag", fmt::format("\"{}\"", version));
  return answer;
}

http::Response not_done(catalog::Edit edit, std::string_view thing, const http::Request& request) {
  switch (edit) {
    case catalog::Edit::changed:
      return error_answer(412, fmt::format("the {} was changed meanwhile: get it again, and change that", thing));
    case catalog::Edit::in_use:
      return error_answer(
          409, fmt::format("deliveries send this {}: remove them first (GET /v1/deliveries?report=ID)", thing));
    case catalog::Edit::exists:
      return error_answer(409, fmt::format("there is a {} of this id already: change it with PUT", thing), "id");
    default:
      return error_answer(404, fmt::format("there is no {} \"{}\"", thing, request.path_parameter("id").substr(0, 64)));
  }
}

http::Response removed_answer(const Result<catalog::Edit>& edit, std::string_view thing, const http::Request& request) {
  if (!edit) return error_answer(edit.error());
  if (*edit != catalog::Edit::done) return not_done(*edit, thing, request);
  http::Response answer;
  answer.status = 204;
  return answer;
}

}  // namespace marquee::api
