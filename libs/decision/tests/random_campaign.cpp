#include "random_campaign.h"

#include <fmt/format.h>

#include <array>
#include <iterator>

#include "marquee/decision/names.h"
#include "marquee/decision/request.h"

namespace marquee::decision {
namespace {

using Random = std::mt19937_64;

std::uint64_t below(Random& random, std::uint64_t end) {
  return std::uniform_int_distribution<std::uint64_t>(0, end - 1)(random);
}
bool is_heads(Random& random) { return below(random, 2) == 0; }

template <class Choice>
Choice some(Random& random, std::size_t fewer = 0) {
  return static_cast<Choice>(below(random, names<Choice>().size() - fewer));
}

std::string word(Random& random) {
  constexpr std::array kWords = {"law", "Größe", "मेनू", "a\"quote\\", "2", "c1", "</script>", "🎓"};
  return kWords[below(random, kWords.size())];
}

std::vector<std::string> words(Random& random, std::size_t least) {
  std::vector<std::string> all(least + below(random, 3));
  for (auto& one : all) one = word(random);
  return all;
}

std::string zone(Random& random) {
  constexpr std::array kZones = {"UTC", "Asia/Kolkata", "Europe/Berlin", "America/St_Johns", "Pacific/Kiritimati"};
  return kZones[below(random, kZones.size())];
}

DayPart random_day_part(Random& random) {
  DayPart part{.days = static_cast<std::uint8_t>(1 + below(random, 0x7F)), .zone = zone(random)};
  part.from_minute = static_cast<std::uint16_t>(below(random, 1440));
  do part.to_minute = static_cast<std::uint16_t>(below(random, 1441));
  while (part.to_minute == part.from_minute);
  return part;
}

Budget random_budget(Random& random) {
  return {.impressions = below(random, 3) * 1000,
          .clicks = below(random, 3) * 7,
          .spend_micros = static_cast<std::int64_t>(below(random, 3) * 123'456'789)};
}

Ad random_ad(Random& random, std::size_t number) {
  constexpr std::array kFields = {"{}", R"({"title":"Study law","html":"<b>\u0000</b>"})",
                                  R"({"deep":[[1.5,{"a":null}]]})"};
  const auto side = static_cast<std::uint16_t>(below(random, 3) * 100);
  return {.id = fmt::format("ad-{}", number),
          .name = word(random),
          .creative = {.kind = some<Creative::Kind>(random),
                       .width = side,
                       .height = side,
                       .landing_url = fmt::format("https://campus.example/{}?a=b#c", below(random, 100)),
                       .fields = kFields[below(random, kFields.size())]},
          .is_paused = is_heads(random),
          .weight = static_cast<double>(1 + below(random, 1000)) / 7};
}

/// From 2000 on, to the millisecond.
std::int64_t moment(Random& random) {
  return 946'684'800'000 + static_cast<std::int64_t>(below(random, 5'000'000'000'000));
}

void choose_delivery(Random& random, Campaign& campaign) {
  constexpr std::array kWindows = {1000, 61'000, 3'600'000, 86'400'000, 7 * 86'400'000};
  if (is_heads(random)) campaign.from_ms = moment(random);
  if (is_heads(random))
    campaign.to_ms =
        campaign.from_ms.value_or(moment(random)) + 1 + static_cast<std::int64_t>(below(random, 1'000'000));
  for (auto count = below(random, 3); count > 0; --count) campaign.schedule.push_back(random_day_part(random));
  for (auto count = below(random, 3); count > 0; --count)
    campaign.caps.push_back({.scope = some<CapScope>(random),
                             .count = static_cast<std::uint32_t>(1 + below(random, 9)),
                             .window_ms = kWindows[below(random, kWindows.size())]});
  campaign.daily = random_budget(random);
  campaign.total = random_budget(random);
  campaign.pacing = some<Pacing>(random);
  campaign.price = some<Price>(random);
  campaign.bid_micros = static_cast<std::int64_t>(below(random, 1'000'000'000'000));
  campaign.share_of_voice = static_cast<double>(below(random, 1001)) / 1000;
}

}  // namespace

Targeting random_targeting(Random& random, int most_deep) {
  using Kind = Targeting::Kind;
  Targeting rule;
  constexpr std::array kKinds = {Kind::is_in, Kind::within, Kind::all, Kind::any, Kind::none};
  rule.kind = kKinds[below(random, most_deep == 0 ? 2 : kKinds.size())];
  if (rule.kind == Kind::within) {
    rule.day_part = random_day_part(random);
  } else if (rule.kind == Kind::is_in) {
    do rule.field = some<Field>(random);
    while (!is_for_targeting(rule.field));
    if (rule.field == Field::attribute) rule.name = word(random);
    rule.values = words(random, 1);
    if (rule.field == Field::interest)
      for (auto& value : rule.values) value.insert(0, "course:");
  } else {
    for (auto count = rule.kind == Kind::none ? 1 : 1 + below(random, 3); count > 0; --count)
      rule.parts.push_back(random_targeting(random, most_deep - 1));
  }
  return rule;
}

Campaign random_campaign(Random& random) {
  Campaign campaign{.id = fmt::format("campaign-{}", below(random, 1000)), .name = word(random)};
  campaign.status = some<Status>(random);
  campaign.tier = some<Tier>(random);
  campaign.advertiser = word(random);  // Caps by advertiser need one.
  if (is_heads(random)) campaign.category = word(random);
  campaign.excludes = words(random, 0);
  campaign.zone = zone(random);
  choose_delivery(random, campaign);
  if (is_heads(random)) campaign.targeting = random_targeting(random);
  for (std::size_t number = below(random, 4); number > 0; --number) campaign.ads.push_back(random_ad(random, number));
  campaign.is_roadblock = is_heads(random);
  if (campaign.ads.size() > 1 && is_heads(random)) campaign.companions = {campaign.ads[0].id, campaign.ads[1].id};
  return campaign;
}

Slot random_slot(Random& random) {
  const auto side = static_cast<std::uint16_t>(below(random, 3) * 100);
  Slot slot{.id = fmt::format("slot-{}", below(random, 100)), .page = is_heads(random) ? word(random) : ""};
  slot.name = word(random);
  if (is_heads(random)) slot.kinds = {Creative::Kind::html, Creative::Kind::image};
  slot.width = slot.height = side;
  slot.floor_micros = static_cast<std::int64_t>(below(random, 1'000'000));
  slot.examination = static_cast<double>(1 + below(random, 1000)) / 1000;
  return slot;
}

}  // namespace marquee::decision
