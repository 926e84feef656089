// What may be served: campaigns with their ads, and slots, as plain values. The catalog keeps each as JSON
// (definition.h reads and writes it); inventory.h makes of them what decisions look at.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace marquee::decision {

/// Campaigns of a tier go before those of the next.
enum class Tier : std::uint8_t { sponsorship, guaranteed, standard, house };
enum class Status : std::uint8_t { draft, active, paused, ended };
enum class Pacing : std::uint8_t { none, even, front_loaded };
/// What an advertiser pays for: a thousand impressions, or a click.
enum class Price : std::uint8_t { per_mille, per_click };
enum class CapScope : std::uint8_t { campaign, ad, advertiser };

/// What a condition looks at. Texts compare as bytes; search terms by lower-case word.
enum class Field : std::uint8_t {
  page,
  slot,
  course_category,
  search_term,
  college,
  program,
  year,
  city,
  device,
  segment,
  interest,       ///< What the user's profile tells of: "category:law"; a strong one also as "category:law+".
  seen_campaign,  ///< How much of a campaign or an ad the user has seen lately. For the click model, not for targeting.
  seen_ad,
  attribute,  ///< Of the request's own: `name` says which.
};

/// Minutes of some days of the week in a zone.
struct DayPart {
  std::uint8_t days = 0x7F;                         ///< Bit 0 is Monday.
  std::uint16_t from_minute = 0, to_minute = 1440;  ///< Of the day, to excluded; from > to goes over midnight.
  std::string zone = "UTC";                         ///< IANA.
};

/// Who and where: a tree of conditions. The rule language of segments (all, any, not) over what a request is.
struct Targeting {
  enum class Kind : std::uint8_t { everyone, all, any, none, is_in, within };
  Kind kind = Kind::everyone;
  std::vector<Targeting> parts = {};  ///< Of all, any and none: at least one.
  Field field = Field::page;          ///< Of is_in.
  std::string name = {};              ///< Of an attribute.
  std::vector<std::string> values = {};
  DayPart day_part = {};  ///< Of within.
};

/// At most `count` impressions to a user within `window_ms`.
struct Cap {
  CapScope scope = CapScope::campaign;
  std::uint32_t count = 1;
  std::int64_t window_ms = 86'400'000;
};

/// 0: no limit.
struct Budget {
  std::uint64_t impressions = 0, clicks = 0;
  std::int64_t spend_micros = 0;  ///< Millionths of the currency's unit.
};

struct Creative {
  enum class Kind : std::uint8_t { image, text, card, html };
  Kind kind = Kind::card;
  std::uint16_t width = 0, height = 0;  ///< CSS pixels; 0 x 0 fits every slot that takes the kind.
  std::string landing_url = {};
  std::string fields = "{}";  ///< A JSON object for whoever renders it: title, body, image, html, ...
};

struct Ad {
  std::string id = {}, name = {};
  Creative creative = {};
  bool is_paused = false;
  double weight = 1;  ///< Among the ads of its campaign where nothing is learned.
};

struct Campaign {
  std::string id = {}, name = {};
  Status status = Status::draft;
  Tier tier = Tier::standard;
  std::string advertiser = {}, category = {};
  std::vector<std::string> excludes = {};  ///< Categories and advertisers that may not stand on the same page.
  std::optional<std::int64_t> from_ms = {}, to_ms = {};
  std::vector<DayPart> schedule = {};  ///< Any of them; none: always.
  Targeting targeting = {};
  std::vector<Cap> caps = {};
  Budget daily = {}, total = {};
  std::string zone = "UTC";  ///< In which its days begin.
  Pacing pacing = Pacing::even;
  Price price = Price::per_mille;
  std::int64_t bid_micros = 0;
  double share_of_voice = 0;                 ///< Of its tier's requests, in [0, 1]; 0: none is promised.
  bool is_roadblock = false;                 ///< All slots of a page, or none.
  std::vector<std::string> companions = {};  ///< Ads of it that are served together, or not at all.
  std::vector<Ad> ads = {};
  std::int64_t version = 0;  ///< Each change has a later one.
};

struct Slot {
  std::string id = {}, page = {};
  std::vector<Creative::Kind> kinds = {};  ///< None: all.
  std::uint16_t width = 0, height = 0;     ///< CSS pixels; 0 x 0 takes every size.
  std::int64_t floor_micros = 0;           ///< Least eCPM, not asked of house ads.
  double examination = 1;                  ///< Chance that it is looked at, in (0, 1]: a prior.
  std::string name = {};                   ///< For people.
};

}  // namespace marquee::decision
