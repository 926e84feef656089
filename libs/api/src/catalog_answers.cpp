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

Json site_json(const catalog::Site& site) {
  return {{"id", site.id},
          {"name", site.name},
          {"allowed_origin", site.allowed_origin},
          {"consent_required", site.consent_required}};
}

/// `site` with what the body says.
Result<catalog::Site> site_in(const Json& body, catalog::Site site) {
  auto name = text_of(body, "name", site.name);
  if (!name) return name.error();
  site.name = *name;
  auto origin = text_of(body, "allowed_origin", site.allowed_origin);
  if (!origin) return origin.error();
  site.allowed_origin = *origin;
  if (const auto consent = body.find("consent_required"); consent != body.end()) {
    if (!consent->is_boolean()) return Error::reject("consent_required: expected true or false");
    site.consent_required = consent->get<bool>();
  }
  return site;
}

http::Response nothing_here(const http::Request& request) {
  return error_answer(404, fmt::format("there is nothing at {}", request.path.substr(0, 200)));
}

}  // namespace

http::Response CatalogAnswers::add_site(const http::Request& request) {
  const auto body = read_object(request, {"id", "name", "allowed_origin", "consent_required"});
  if (!body) return error_answer(body.error());
  const auto id = text_of(*body, "id", std::nullopt);
  if (!id) return error_answer(id.error());
  const auto site = site_in(*body, {.id = *id, .name = *id});
  if (!site) return error_answer(site.error());
  if (catalog_.site(site->id)) return error_answer(409, fmt::format("id: site {} exists", site->id), "id");
  if (const auto added = catalog_.add_site(*site, request.actor); !added) return error_answer(added.error());
  return json_answer(201, site_json(*site));
}

http::Response CatalogAnswers::replace_site(const http::Request& request) {
  const auto before = catalog_.site(request.path_parameter("site"));
  if (!before) return nothing_here(request);
  const auto body = read_object(request, {"name", "allowed_origin", "consent_required"});
  if (!body) return error_answer(body.error());
  const auto site = site_in(*body, *before);
  if (!site) return error_answer(site.error());
  const auto replaced = catalog_.replace_site(*site, request.actor);
  if (!replaced) return error_answer(replaced.error());
  if (*replaced == catalog::Edit::missing) return nothing_here(request);
  return json_answer(200, site_json(*site));
}

http::Response CatalogAnswers::add_key(const http::Request& request) {
  const auto site = request.path_parameter("site");
  if (!catalog_.site(site)) return nothing_here(request);
  const auto body = request.body.empty() ? Result<Json>(Json::object()) : read_object(request, {"label"});
  if (!body) return error_answer(body.error());
  const auto label = text_of(*body, "label", "");
  if (!label) return error_answer(label.error());
  const auto key = catalog_.add_write_key(site, /*is_trusted=*/false, request.actor, *label);
  if (!key) return error_answer(key.error());
  return json_answer(201, {{"key", *key}});
}

http::Response CatalogAnswers::keys(const http::Request& request) {
  const auto site = request.path_parameter("site");
  if (!catalog_.site(site)) return nothing_here(request);
  const auto keys = catalog_.write_keys(site);
  if (!keys) return error_answer(keys.error());
  Json list = Json::array();
  for (const auto& key : *keys)
    list.push_back({{"id", key.id},
                    {"label", key.label},
                    {"is_trusted", key.is_trusted},
                    {"made", key.made_ms == 0 ? Json(nullptr) : Json(time_text(key.made_ms))},
                    {"made_by", key.made_by}});
  return json_answer(200, {{"keys", std::move(list)}});
}

http::Response CatalogAnswers::remove_key(const http::Request& request) {
  const auto removed =
      catalog_.remove_write_key(request.path_parameter("site"), request.path_parameter("key"), request.actor);
  if (!removed) return error_answer(removed.error());
  if (*removed == catalog::Edit::missing) return nothing_here(request);
  if (*removed == catalog::Edit::in_use)
    return error_answer(
        409, "this is Marquee's own key for imports, which secrets.json has: it would be back at the next start");
  return no_content();
}

http::Response CatalogAnswers::retention() const {
  if (!retention_) return json_answer(200, {{"is_by_hand", true}});
  Json kinds = Json::object();
  for (const auto& [type, days] : retention_->kinds) kinds[type] = days;
  return json_answer(200, {{"is_by_hand", false},
                           {"events_days", retention_->events},
                           {"kinds", std::move(kinds)},
                           {"decisions_days", retention_->decisions},
                           {"dead_letters_days", retention_->dead_letters}});
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
