#include "catalog_answers.h"

#include <fmt/format.h>

#include <optional>

#include "answers.h"

namespace marquee::api {
namespace {

std::optional<catalog::ItemKind> kind_of(const http::Request& request) {
  const auto kind = request.path_parameter("kind");
  if (kind == "slots") return catalog::ItemKind::slot;
  if (kind == "campaigns") return catalog::ItemKind::campaign;
  if (kind == "ads") return catalog::ItemKind::ad;
  return std::nullopt;
}

Json item_json(const catalog::Item& item, catalog::ItemKind kind) {
  Json one = {{"id", item.id}, {"name", item.name}};
  if (kind == catalog::ItemKind::ad) one["campaign_id"] = item.campaign_id;
  return one;
}

http::Response nothing_here(const http::Request& request) {
  return error_answer(404, fmt::format("there is nothing at {}", request.path.substr(0, 200)));
}

}  // namespace

http::Response CatalogAnswers::add_site(const http::Request& request) {
  const auto body = read_object(request, {"id", "name", "allowed_origin", "consent_required"});
  if (!body) return error_answer(body.error());
  catalog::Site site;
  auto id = text_of(*body, "id", std::nullopt);
  if (!id) return error_answer(id.error());
  site.id = *id;
  auto name = text_of(*body, "name", site.id);
  if (!name) return error_answer(name.error());
  site.name = *name;
  auto origin = text_of(*body, "allowed_origin", "*");
  if (!origin) return error_answer(origin.error());
  site.allowed_origin = *origin;
  if (const auto consent = body->find("consent_required"); consent != body->end()) {
    if (!consent->is_boolean())
      return error_answer(400, "consent_required: expected true or false", "consent_required");
    site.consent_required = consent->get<bool>();
  }
  if (catalog_.site(site.id)) return error_answer(409, fmt::format("id: site {} exists", site.id), "id");
  if (const auto added = catalog_.add_site(site, request.actor); !added) return error_answer(added.error());
  return json_answer(201, {{"id", site.id},
                           {"name", site.name},
                           {"allowed_origin", site.allowed_origin},
                           {"consent_required", site.consent_required}});
}

http::Response CatalogAnswers::add_key(const http::Request& request) {
  const auto site = request.path_parameter("site");
  if (!catalog_.site(site)) return nothing_here(request);
  const auto key = catalog_.add_write_key(site, /*is_trusted=*/false, request.actor);
  if (!key) return error_answer(key.error());
  return json_answer(201, {{"key", *key}});
}

http::Response CatalogAnswers::items(const http::Request& request) {
  const auto site = request.path_parameter("site");
  const auto kind = kind_of(request);
  if (!kind || !catalog_.site(site)) return nothing_here(request);
  const auto items = catalog_.items(site, *kind);
  if (!items) return error_answer(items.error());
  Json list = Json::array();
  for (const auto& item : *items) list.push_back(item_json(item, *kind));
  return json_answer(200, {{"items", std::move(list)}});
}

http::Response CatalogAnswers::put_item(const http::Request& request) {
  const auto site = request.path_parameter("site");
  const auto kind = kind_of(request);
  if (!kind || !catalog_.site(site)) return nothing_here(request);
  const auto body = *kind == catalog::ItemKind::ad ? read_object(request, {"id", "name", "campaign_id"})
                                                   : read_object(request, {"id", "name"});
  if (!body) return error_answer(body.error());
  catalog::Item item;
  auto id = text_of(*body, "id", std::nullopt);
  if (!id) return error_answer(id.error());
  auto name = text_of(*body, "name", std::nullopt);
  if (!name) return error_answer(name.error());
  auto campaign = text_of(*body, "campaign_id", "");
  if (!campaign) return error_answer(campaign.error());
  item = {*id, *name, *campaign};
  if (const auto put = catalog_.put_item(site, *kind, item, request.actor); !put) return error_answer(put.error());
  return json_answer(200, item_json(item, *kind));
}

}  // namespace marquee::api
