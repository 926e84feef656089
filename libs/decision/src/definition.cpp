#include "marquee/decision/definition.h"

#include <algorithm>
#include <set>

#include "spans.h"
#include "targeting_definition.h"

namespace marquee::decision {
namespace {

constexpr std::size_t kMostOfCampaign = 1'000'000, kMostOfSlot = 16'000;  // Bytes.
constexpr int kMostDeepDocument = 40;                                     // Of a document: a rule takes less than 30.
constexpr std::size_t kMostAds = 200, kMostCaps = 20, kMostDayParts = 50, kMostExcluded = 100, kMostCompanions = 20;
constexpr std::size_t kMostOfUrl = 2000, kMostOfFields = 20'000;
constexpr std::uint64_t kMostCount = 1'000'000'000'000, kMostOfCap = 1'000'000, kMostPixels = 10'000;
constexpr std::uint64_t kMostMicros = 1'000'000'000'000'000;  ///< A thousand million units.

constexpr std::pair<char, std::int64_t> kUnits[] = {{'d', kDay}, {'h', kHour}, {'m', kMinute}, {'s', kSecond}};

std::string span_text(std::int64_t ms) {
  const auto unit = std::ranges::find_if(kUnits, [&](const auto& one) { return ms % one.second == 0; });
  return unit == std::end(kUnits) ? fmt::format("{}s", ms / kSecond)
                                  : fmt::format("{}{}", ms / unit->second, unit->first);
}

/// "https://host/..." as a Location header takes it, or "/path" of whoever serves the ad.
bool is_web_address(std::string_view url) {
  constexpr std::string_view kNeverIn = " \"<>\\^`{|}";
  // "//host" would be another host's.
  if (url.starts_with('/')) return !url.starts_with("//") && url.find_first_of(kNeverIn) == std::string_view::npos;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (!url.starts_with(scheme)) continue;
    const auto host = url.substr(scheme.size(), url.find_first_of("/?#", scheme.size()) - scheme.size());
    return !host.empty() && host.find('@') == std::string_view::npos &&
           url.find_first_of(kNeverIn) == std::string_view::npos;
  }
  return false;
}

void read_cap(const Json& json, const std::string& path, Cap& cap, Fault& fault) {
  ObjectReader in(json, path, fault);
  in.require("scope").choice("scope", cap.scope).require("count").whole("count", cap.count, 1, kMostOfCap);
  std::string window;
  if (in.require("window").text("window", window, {}).is_fine()) {
    const auto span = read_span(window);
    if (span) cap.window_ms = *span;
    if (!span) in.wrong("window", "expected a span from 1s to 366d, like 24h");
  }
  in.end();
}

void read_budget(const Json& json, const std::string& path, Budget& budget, Fault& fault) {
  ObjectReader(json, path, fault)
      .whole("impressions", budget.impressions, 1, kMostCount)
      .whole("clicks", budget.clicks, 1, kMostCount)
      .whole("spend_micros", budget.spend_micros, 1, kMostMicros)
      .end();
}

void read_creative(const Json& json, const std::string& path, Creative& creative, Fault& fault) {
  ObjectReader in(json, path, fault);
  in.require("kind").choice("kind", creative.kind);
  in.whole("width", creative.width, 0, kMostPixels).whole("height", creative.height, 0, kMostPixels);
  if ((creative.width == 0) != (creative.height == 0)) in.wrong("width", "expected both width and height, or none");
  in.require("landing_url").text("landing_url", creative.landing_url, {1, kMostOfUrl});
  if (!is_web_address(creative.landing_url))
    in.wrong("landing_url", "expected an address like https://example.org/law or /law");
  in.member("fields", [&](const Json& fields, const std::string& where) {
    if (fields.is_object()) creative.fields = fields.dump();
    if (!fields.is_object() || creative.fields.size() > kMostOfFields)
      fault = Error::reject(fmt::format("{}: expected an object of at most {} bytes", where, kMostOfFields));
  });
  in.end();
}

void read_ad(const Json& json, const std::string& path, Ad& ad, Fault& fault) {
  constexpr double kLeastWeight = 1e-6, kMostWeight = 1e6;
  ObjectReader in(json, path, fault);
  in.require("id").text("id", ad.id, {1, kMostOfId}).require("name").text("name", ad.name, {1, kMostOfName});
  in.require("creative").member("creative", [&](const Json& creative, const std::string& where) {
    read_creative(creative, where, ad.creative, fault);
  });
  in.truth("is_paused", ad.is_paused).number("weight", ad.weight, kLeastWeight, kMostWeight).end();
}

void read_delivery(ObjectReader& in, Campaign& campaign, Fault& fault) {
  in.time("from", campaign.from_ms).time("to", campaign.to_ms);
  if (campaign.from_ms && campaign.to_ms && *campaign.from_ms >= *campaign.to_ms)
    in.wrong("to", "expected a time after from");
  in.each("schedule", kMostDayParts, [&](const Json& part, const std::string& path) {
    read_day_part(part, path, campaign.zone, campaign.schedule.emplace_back(), fault);
  });
  in.member("targeting", [&](const Json& rule, const std::string& path) {
    read_targeting(rule, path, campaign.zone, campaign.targeting, fault);
  });
  in.each("caps", kMostCaps, [&](const Json& cap, const std::string& path) {
    read_cap(cap, path, campaign.caps.emplace_back(), fault);
    if (!fault && campaign.caps.back().scope == CapScope::advertiser && campaign.advertiser.empty())
      fault = Error::reject(path + ".scope: the campaign names no advertiser");
  });
  in.member("budget", [&](const Json& budget, const std::string& path) {
    ObjectReader of_budget(budget, path, fault);
    for (auto [name, limits] : {std::pair("daily", &campaign.daily), {"total", &campaign.total}}) {
      of_budget.member(name,
                       [&](const Json& json, const std::string& where) { read_budget(json, where, *limits, fault); });
    }
    of_budget.end();
  });
  in.choice("pacing", campaign.pacing).choice("price", campaign.price);
  in.whole("bid_micros", campaign.bid_micros, 0, kMostMicros).number("share_of_voice", campaign.share_of_voice, 0, 1);
}

void read_ads(ObjectReader& in, Campaign& campaign, Fault& fault) {
  std::set<std::string> ids;
  in.each("ads", kMostAds, [&](const Json& ad, const std::string& path) {
    read_ad(ad, path, campaign.ads.emplace_back(), fault);
    if (!fault && !ids.insert(campaign.ads.back().id).second)
      fault = Error::reject(path + ".id: another ad has this id");
  });
  in.truth("is_roadblock", campaign.is_roadblock);
  in.texts("companions", campaign.companions, kMostCompanions, {1, kMostOfId});
  const std::set<std::string> companions(campaign.companions.begin(), campaign.companions.end());
  if (!std::ranges::includes(ids, companions)) in.wrong("companions", "expected ids of the campaign's ads");
  if (companions.size() < campaign.companions.size()) in.wrong("companions", "expected each ad once");
  if (companions.size() == 1) in.wrong("companions", "expected none, or two ads and more");
}

/// Looks at a document while it is parsed, for what its values no longer tell.
class DocumentWatch {
 public:
  /// False where nothing more is to be made of it: what writes a document goes down in it.
  bool see(int depth, Json::parse_event_t event, const Json& parsed) {
    if (depth > kMostDeepDocument) is_too_deep_ = true;
    if (is_too_deep_) return false;
    const auto level = static_cast<std::size_t>(depth);
    if (event == Json::parse_event_t::object_start) {
      members_.resize(level + 1);
      members_.emplace_back();
    } else if (event == Json::parse_event_t::key && twice_.empty() &&
               !members_[level].insert(parsed.get<std::string>()).second) {
      twice_ = parsed.get<std::string>();
    }
    return true;
  }

  [[nodiscard]] Fault fault() const {
    if (is_too_deep_) return Error::reject("the definition is too deep");
    if (!twice_.empty()) return Error::reject(fmt::format("{}: stands twice in one object", twice_.substr(0, 64)));
    return std::nullopt;
  }

 private:
  bool is_too_deep_ = false;
  std::string twice_;
  std::vector<std::set<std::string>> members_;  ///< Of the objects that are open, by depth.
};

/// The document, or what is wrong with it before its members are looked at.
Result<Json> parse_document(std::string_view text, std::size_t most) {
  if (text.size() > most) return Error::reject(fmt::format("a definition of at most {} bytes is taken", most));
  DocumentWatch watch;
  Json json = Json::parse(
      text, [&](int depth, auto event, const Json& parsed) { return watch.see(depth, event, parsed); },
      /*allow_exceptions=*/false);
  if (const auto fault = watch.fault()) return *fault;
  if (json.is_discarded()) return Error::reject("expected JSON");
  return json;
}

template <class Thing, class Read>
Result<Thing> read_document(std::string_view text, std::size_t most, Read read) {
  const auto json = parse_document(text, most);
  if (!json) return json.error();
  Fault fault;
  Thing thing;
  read(*json, thing, fault);
  if (fault) return *fault;
  return thing;
}

Json budget_json(const Budget& budget) {
  Json json = Json::object();
  if (budget.impressions != 0) json["impressions"] = budget.impressions;
  if (budget.clicks != 0) json["clicks"] = budget.clicks;
  if (budget.spend_micros != 0) json["spend_micros"] = budget.spend_micros;
  return json;
}

Json ad_json(const Ad& ad) {
  return {{"id", ad.id},
          {"name", ad.name},
          {"creative",
           {{"kind", name(ad.creative.kind)},
            {"width", ad.creative.width},
            {"height", ad.creative.height},
            {"landing_url", ad.creative.landing_url},
            {"fields", Json::parse(ad.creative.fields)}}},
          {"is_paused", ad.is_paused},
          {"weight", ad.weight}};
}

template <class Things, class OfThing>
Json list_json(const Things& things, OfThing of_thing) {
  Json list = Json::array();
  for (const auto& thing : things) list.push_back(of_thing(thing));
  return list;
}

}  // namespace

std::optional<std::int64_t> read_span(std::string_view text) {
  constexpr std::size_t kMostDigits = 8;
  if (text.size() < 2 || text.size() > kMostDigits + 1) return std::nullopt;
  const auto unit = std::ranges::find(kUnits, text.back(), &std::pair<char, std::int64_t>::first);
  if (unit == std::end(kUnits)) return std::nullopt;
  std::int64_t count = 0;
  for (const char c : text.substr(0, text.size() - 1)) {
    if (c < '0' || c > '9') return std::nullopt;
    count = count * 10 + (c - '0');
  }
  const auto span = count * unit->second;
  return span >= kSecond && span <= 366 * kDay ? std::optional(span) : std::nullopt;
}

Result<Campaign> read_campaign(std::string_view text) {
  return read_document<Campaign>(text, kMostOfCampaign, [](const Json& json, Campaign& campaign, Fault& fault) {
    ObjectReader in(json, "", fault);
    in.require("id").text("id", campaign.id, {1, kMostOfId});
    in.require("name").text("name", campaign.name, {1, kMostOfName});
    in.choice("status", campaign.status).choice("tier", campaign.tier).zone("zone", campaign.zone);
    in.text("advertiser", campaign.advertiser, {0, kMostOfId}).text("category", campaign.category, {0, kMostOfId});
    in.texts("excludes", campaign.excludes, kMostExcluded, {1, kMostOfId});
    read_delivery(in, campaign, fault);
    read_ads(in, campaign, fault);
    in.end();
  });
}

std::string write_campaign(const Campaign& campaign) {
  Json json = {{"id", campaign.id},
               {"name", campaign.name},
               {"status", name(campaign.status)},
               {"tier", name(campaign.tier)},
               {"advertiser", campaign.advertiser},
               {"category", campaign.category},
               {"excludes", campaign.excludes},
               {"zone", campaign.zone}};
  if (campaign.from_ms) json["from"] = time_in(campaign.zone, *campaign.from_ms);
  if (campaign.to_ms) json["to"] = time_in(campaign.zone, *campaign.to_ms);
  json["schedule"] = list_json(campaign.schedule, day_part_json);
  json["targeting"] = targeting_json(campaign.targeting);
  json["caps"] = list_json(campaign.caps, [](const Cap& cap) -> Json {
    return {{"scope", name(cap.scope)}, {"count", cap.count}, {"window", span_text(cap.window_ms)}};
  });
  json["budget"] = {{"daily", budget_json(campaign.daily)}, {"total", budget_json(campaign.total)}};
  json["pacing"] = name(campaign.pacing);
  json["price"] = name(campaign.price);
  json["bid_micros"] = campaign.bid_micros;
  json["share_of_voice"] = campaign.share_of_voice;
  json["is_roadblock"] = campaign.is_roadblock;
  json["companions"] = campaign.companions;
  json["ads"] = list_json(campaign.ads, ad_json);
  return json.dump();
}

Result<Slot> read_slot(std::string_view text) {
  return read_document<Slot>(text, kMostOfSlot, [](const Json& json, Slot& slot, Fault& fault) {
    constexpr double kLeastExamination = 1e-6;
    ObjectReader in(json, "", fault);
    in.require("id").text("id", slot.id, {1, kMostOfId}).require("name").text("name", slot.name, {1, kMostOfName});
    in.text("page", slot.page, {0, kMostOfName});
    in.each("kinds", names<Creative::Kind>().size(), [&](const Json& word, const std::string& path) {
      const auto kind = word.is_string() ? parse<Creative::Kind>(word.get<std::string>()) : std::nullopt;
      if (kind && std::ranges::find(slot.kinds, *kind) == slot.kinds.end()) return slot.kinds.push_back(*kind);
      fault =
          Error::reject(fmt::format("{}: expected each of {} once", path, fmt::join(names<Creative::Kind>(), ", ")));
    });
    in.whole("width", slot.width, 0, kMostPixels).whole("height", slot.height, 0, kMostPixels);
    if ((slot.width == 0) != (slot.height == 0)) in.wrong("width", "expected both width and height, or none");
    in.whole("floor_micros", slot.floor_micros, 0, kMostMicros);
    in.number("examination", slot.examination, kLeastExamination, 1).end();
  });
}

std::string write_slot(const Slot& slot) {
  return Json{{"id", slot.id},
              {"name", slot.name},
              {"page", slot.page},
              {"kinds", list_json(slot.kinds, [](Creative::Kind kind) { return name(kind); })},
              {"width", slot.width},
              {"height", slot.height},
              {"floor_micros", slot.floor_micros},
              {"examination", slot.examination}}
      .dump();
}

Result<Targeting> read_targeting(std::string_view text, const std::string& zone) {
  return read_document<Targeting>(text, kMostOfCampaign, [&](const Json& json, Targeting& targeting, Fault& fault) {
    read_targeting(json, "", zone, targeting, fault);
  });
}

std::string write_targeting(const Targeting& targeting) { return targeting_json(targeting).dump(); }

}  // namespace marquee::decision
