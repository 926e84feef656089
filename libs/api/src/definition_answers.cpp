#include "definition_answers.h"

#include <fmt/format.h>

#include <algorithm>

#include "marquee/base/json_text.h"
#include "marquee/decision/definition.h"
#include "versions.h"

namespace marquee::api {
namespace {

void append_definition(std::string& out, const catalog::Definition& definition) {
  JsonObject json(out);
  json.text("site", definition.site_id).text("id", definition.id).text("name", definition.name);
  json.number("version", definition.changed_ms);
  json.text("made", time_text(definition.made_ms)).text("changed", time_text(definition.changed_ms));
  json.text("changed_by", definition.changed_by).raw("definition", definition.text).end();
}

void append_state(std::string& out, const catalog::DefinitionVersion& state) {
  JsonObject json(out);
  json.number("version", state.changed_ms).text("changed", time_text(state.changed_ms));
  json.text("changed_by", state.changed_by).raw("is_removal", state.is_removal ? "true" : "false");
  json.raw("definition", state.text).end();
}

/// {"<name>":[...]}: definitions are JSON already, and there may be thousands.
template <class Thing>
http::Response list_answer(std::string_view name, const std::vector<Thing>& things,
                           void (*append)(std::string&, const Thing&)) {
  std::string body = fmt::format("{{\"{}\":[", name);
  for (const auto& thing : things) {
    if (body.back() != '[') body += ',';
    append(body, thing);
  }
  return json_text_answer(200, body + "]}");
}

Result<catalog::Definition> definition_of(catalog::ItemKind kind, std::string_view text) {
  if (kind == catalog::ItemKind::slot) {
    const auto slot = decision::read_slot(text);
    if (!slot) return slot.error();
    return catalog::Definition{.kind = kind, .id = slot->id, .name = slot->name, .text = decision::write_slot(*slot)};
  }
  const auto campaign = decision::read_campaign(text);
  if (!campaign) return campaign.error();
  catalog::Definition definition{
      .kind = kind, .id = campaign->id, .name = campaign->name, .text = decision::write_campaign(*campaign)};
  for (const auto& ad : campaign->ads) definition.ads.push_back({ad.id, ad.name, campaign->id});
  return definition;
}

}  // namespace

Result<std::string> DefinitionAnswers::site_of(const http::Request& request) const {
  auto site = request.query_parameter("site").value_or("");
  if (!catalog_.site(site)) return Error::reject(fmt::format("site: there is no site \"{}\"", site.substr(0, 128)));
  return site;
}

Result<catalog::Definition> DefinitionAnswers::read(const http::Request& request, std::string_view text) const {
  auto site = site_of(request);
  if (!site) return site.error();
  auto definition = definition_of(kind_, text);
  if (!definition) return definition.error();
  definition->site_id = std::move(*site);
  return definition;
}

http::Response DefinitionAnswers::kept(unsigned status, const Result<catalog::Edit>& edit,
                                       const catalog::Definition& definition, const http::Request& request) const {
  if (!edit) return error_answer(edit.error());
  if (*edit != catalog::Edit::done) return not_done(*edit, thing(), request);
  std::string body;
  append_definition(body, definition);
  return with_version(json_text_answer(status, std::move(body)), definition.changed_ms);
}

http::Response DefinitionAnswers::list(const http::Request& request) {
  const auto site = site_of(request);
  if (!site) return error_answer(site.error());
  const auto definitions = book_.of_site(*site, kind_);
  if (!definitions) return error_answer(definitions.error());
  return list_answer(fmt::format("{}s", thing()), *definitions, append_definition);
}

http::Response DefinitionAnswers::add(const http::Request& request) {
  auto definition = read(request, request.body);
  if (!definition) return error_answer(definition.error());
  const auto edit = book_.add(*definition, request.actor);
  return kept(201, edit, *definition, request);
}

http::Response DefinitionAnswers::get(const http::Request& request) {
  const auto site = site_of(request);
  if (!site) return error_answer(site.error());
  const auto definition = book_.find(*site, kind_, request.path_parameter("id"));
  if (!definition) return error_answer(definition.error());
  if (!*definition) return not_done(catalog::Edit::missing, thing(), request);
  return kept(200, catalog::Edit::done, **definition, request);
}

http::Response DefinitionAnswers::put(const http::Request& request) {
  auto definition = read(request, request.body);
  if (!definition) return error_answer(definition.error());
  if (definition->id != request.path_parameter("id"))
    return error_answer(Error::reject("id: expected that of the address"));
  const auto edit = book_.put(*definition, wanted_version(request), request.actor);
  return kept(200, edit, *definition, request);
}

http::Response DefinitionAnswers::remove(const http::Request& request) {
  const auto site = site_of(request);
  if (!site) return error_answer(site.error());
  const auto edit = book_.remove(*site, kind_, request.path_parameter("id"), wanted_version(request), request.actor);
  return removed_answer(edit, thing(), request);
}

http::Response DefinitionAnswers::history(const http::Request& request) {
  const auto site = site_of(request);
  if (!site) return error_answer(site.error());
  const auto states = book_.history(*site, kind_, request.path_parameter("id"));
  if (!states) return error_answer(states.error());
  if (states->empty()) return not_done(catalog::Edit::missing, thing(), request);
  return list_answer("history", *states, append_state);
}

Result<std::optional<catalog::DefinitionVersion>> DefinitionAnswers::wanted_state(const http::Request& request) const {
  using State = std::optional<catalog::DefinitionVersion>;
  const auto body = read_object(request, {"version"});
  if (!body) return body.error();
  const auto version = body->find("version");
  if (version == body->end() || !version->is_number_integer())
    return Error::reject("version: expected one of the history's");
  const auto site = site_of(request);
  if (!site) return site.error();
  auto states = book_.history(*site, kind_, request.path_parameter("id"));
  if (!states) return states.error();
  if (states->empty()) return State();
  const auto state = std::ranges::find(*states, version->get<std::int64_t>(), &catalog::DefinitionVersion::changed_ms);
  if (state == states->end()) return Error::reject("version: the history has none of that number");
  return State(std::move(*state));
}

http::Response DefinitionAnswers::restore(const http::Request& request) {
  const auto state = wanted_state(request);
  if (!state) return error_answer(state.error());
  if (!*state) return not_done(catalog::Edit::missing, thing(), request);
  auto definition = read(request, (*state)->text);
  if (!definition) return error_answer(definition.error());
  const auto edit = book_.put(*definition, wanted_version(request), request.actor);
  return kept(200, edit, *definition, request);
}

}  // namespace marquee::api
