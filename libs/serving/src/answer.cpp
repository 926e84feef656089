#include "answer.h"

#include <algorithm>
#include <utility>

#include "marquee/base/json_text.h"
#include "marquee/decision/inventory.h"
#include "marquee/decision/names.h"

namespace marquee::serving {
namespace {

using decision::Candidate;
using decision::Choice;

std::string number(float value) { return fmt::format("{}", value); }

void write_ad(std::string& out, const decision::AdRow& row) {
  const auto& ad = *row.ad;
  JsonObject object(out);
  object.text("id", ad.id).text("name", ad.name).text("campaign_id", row.campaign->campaign->id);
  object.text("advertiser", row.campaign->campaign->advertiser).text("category", row.campaign->campaign->category);
  object.text("tier", decision::name(row.campaign->campaign->tier));
  std::string creative;
  JsonObject inner(creative);
  inner.text("kind", decision::name(ad.creative.kind)).number("width", ad.creative.width);
  inner.number("height", ad.creative.height).raw("fields", ad.creative.fields);
  inner.end();
  object.raw("creative", creative);
  object.end();
}

void write_candidate(std::string& out, const Candidate& one) {
  JsonObject object(out);
  object.text("ad_id", one.ad->ad->id).text("campaign_id", one.ad->campaign->campaign->id);
  object.raw("score", number(one.score)).raw("propensity", number(one.propensity));
  object.end();
}

template <class Items, class Write>
std::string list(const Items& items, Write write) {
  std::string out = "[";
  for (const auto& item : items) {
    if (out.size() > 1) out += ',';
    write(out, item);
  }
  return out += ']';
}

/// Those of the greatest chance but the chosen one; as in the inventory where the chances are the same.
std::vector<Candidate> runner_ups(const Choice& choice, std::size_t most) {
  std::vector<Candidate> others;
  std::ranges::copy_if(choice.candidates, std::back_inserter(others),
                       [&](const Candidate& one) { return one.ad != choice.ad; });
  std::ranges::sort(others, {}, [](const Candidate& one) { return std::pair(-one.propensity, one.ad->row); });
  others.resize(std::min(most, others.size()));
  return others;
}

std::string write_reasons(const Choice& choice) {
  std::string out;
  JsonObject object(out);
  object.raw("candidates", list(choice.candidates, write_candidate));
  object.raw("excluded", list(choice.excluded, [](std::string& one_out, const auto& one) {
               JsonObject excluded(one_out);
               excluded.text("ad_id", one.first->ad->id).text("because", decision::name(one.second));
               excluded.end();
             }));
  object.end();
  return out;
}

JsonObject& add_names(JsonObject& object, const decision::AdRow& row) {
  const auto& campaign = *row.campaign->campaign;
  object.text("ad_id", row.ad->id).text("ad", row.ad->name);
  return object.text("campaign_id", campaign.id).text("campaign", campaign.name);
}

std::string write_known(const decision::Context& context) {
  using decision::Field;
  std::string out = "[";
  for (const auto& one : context.known) {
    if (one.field == Field::interest || one.field == Field::seen_campaign || one.field == Field::seen_ad) continue;
    if (out.size() > 1) out += ',';
    JsonObject object(out);
    object.text("field", decision::name(one.field)).text("name", one.name).text("value", one.value).end();
  }
  return out += ']';
}

std::string write_explained(const decision::Placement& placement, const Choice& choice) {
  std::string out;
  JsonObject object(out);
  object.text("slot_id", placement.slot).number("position", placement.position);
  if (choice.ad != nullptr)
    object.text("ad_id", choice.ad->ad->id).raw("propensity", number(choice.propensity)).number("turn", choice.turn);
  else
    object.text("because", decision::name(choice.because));
  object.raw("candidates", list(choice.candidates, [](std::string& one_out, const Candidate& one) {
               JsonObject candidate(one_out);
               add_names(candidate, *one.ad).text("tier", decision::name(one.ad->campaign->campaign->tier));
               candidate.raw("score", number(one.score)).raw("propensity", number(one.propensity)).end();
             }));
  object.raw("excluded", list(choice.excluded, [](std::string& one_out, const auto& one) {
               JsonObject excluded(one_out);
               add_names(excluded, *one.first).text("because", decision::name(one.second)).end();
             }));
  object.end();
  return out;
}

}  // namespace

std::string write_explanation(const Asked& asked, const decision::Decision& decision) {
  std::string placements = "[";
  for (std::size_t i = 0; i < decision.choices.size(); ++i) {
    if (i > 0) placements += ',';
    placements += write_explained(asked.request.placements[i], decision.choices[i]);
  }
  placements += ']';
  std::string out;
  JsonObject object(out);
  object.text("decision_id", decision::text_of(decision.id)).text("policy", decision.policy);
  object.number("time_ms", decision.time_ms).raw("personal", asked.may_know_user ? "true" : "false");
  object.raw("known", write_known(asked.request.context)).raw("placements", placements).end();
  return out;
}

std::string write_answer(const Asked& asked, const decision::Decision& decision,
                         const std::vector<Addresses>& addresses) {
  std::string placements = "[";
  for (std::size_t i = 0; i < decision.choices.size(); ++i) {
    const auto& choice = decision.choices[i];
    if (i > 0) placements += ',';
    JsonObject object(placements);
    object.text("slot_id", asked.request.placements[i].slot).number("position", asked.request.placements[i].position);
    if (choice.ad != nullptr) {
      std::string ad;
      write_ad(ad, *choice.ad);
      object.raw("ad", ad).raw("propensity", number(choice.propensity));
      object.text("impression_url", addresses[i].impression).text("click_url", addresses[i].click);
    } else {
      object.raw("ad", "null").text("because", decision::name(choice.because));
    }
    if (asked.runner_ups > 0) object.raw("runner_ups", list(runner_ups(choice, asked.runner_ups), write_candidate));
    if (asked.wants_reasons) object.raw("why", write_reasons(choice));
    object.end();
  }
  placements += ']';
  std::string out;
  JsonObject object(out);
  object.text("decision_id", decision::text_of(decision.id)).text("policy", decision.policy);
  object.raw("personal", asked.may_know_user ? "true" : "false").raw("placements", placements);
  object.end();
  return out;
}

}  // namespace marquee::serving
