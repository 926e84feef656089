// Random campaigns, slots and requests for property tests, and what is eligible by the definition alone.
#pragma once

#include <date/tz.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "marquee/decision/campaign.h"
#include "marquee/decision/request.h"

namespace marquee::decision {

class RandomCatalog {
 public:
  explicit RandomCatalog(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
  bool chance(double p) { return std::bernoulli_distribution(p)(random_); }

  std::vector<Campaign> campaigns(std::size_t count) {
    std::vector<Campaign> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(campaign(i));
    return all;
  }

  std::vector<Slot> slots() {
    std::vector<Slot> all;
    for (int i = 0; i < 4; ++i) {
      Slot slot{.id = "slot" + std::to_string(i), .page = "p0"};
      if (chance(0.4)) slot.kinds = {kind(), kind()};
      if (chance(0.4)) std::tie(slot.width, slot.height) = size();
      if (chance(0.3)) slot.floor_micros = static_cast<std::int64_t>(below(6)) * 1'000;
      all.push_back(slot);
    }
    return all;
  }

  /// Its texts are those of `words`, which must outlive it.
  Request request(std::int64_t time_ms) {
    Request request{.id = {random_(), random_()}, .context = {.time_ms = time_ms, .known = {}}};
    for (const auto field : {Field::page, Field::college, Field::device, Field::year})
      if (chance(0.7)) request.context.add(field, word());
    for (int i = 0; i < 3; ++i) {
      if (chance(0.5)) request.context.add(Field::search_term, word());
      if (chance(0.5)) request.context.add(Field::segment, word());
      if (chance(0.5)) request.context.add(Field::attribute, word(), word());
    }
    for (std::size_t i = 0; i < 1 + below(3); ++i) request.placements.push_back({.slot = slot_ids[below(5)]});
    if (chance(0.3)) request.blocked_categories = {word()};
    if (chance(0.3)) request.blocked_advertisers = {word()};
    if (chance(0.2)) request.floor_micros = static_cast<std::int64_t>(below(6)) * 1'000;
    return request;
  }

  /// About the changes of Europe/Berlin, America/New_York and Australia/Lord_Howe (by half an hour) in 2026.
  std::int64_t time() {
    const std::int64_t around[] = {1'774'746'000'000, 1'792'890'000'000, 1'772'953'200'000,
                                   1'793'512'800'000, 1'775'314'800'000, 1'791'042'300'000};
    return around[below(6)] + static_cast<std::int64_t>(below(4 * 86'400'000)) - 2 * 86'400'000;
  }

 private:
  static constexpr std::string_view words[] = {"a", "b", "c", "d"};
  static constexpr std::string_view slot_ids[] = {"slot0", "slot1", "slot2", "slot3", "unknown"};
  std::string_view word() { return words[below(4)]; }
  Creative::Kind kind() { return static_cast<Creative::Kind>(below(4)); }
  std::pair<std::uint16_t, std::uint16_t> size() {
    return below(2) == 0 ? std::pair<std::uint16_t, std::uint16_t>{300, 250}
                         : std::pair<std::uint16_t, std::uint16_t>{728, 90};
  }

  DayPart day_part() {
    const char* zones[] = {"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"};
    return {.days = static_cast<std::uint8_t>(1 + below(127)),
            .from_minute = static_cast<std::uint16_t>(below(1440)),
            .to_minute = static_cast<std::uint16_t>(below(1441)),
            .zone = zones[below(5)]};
  }

  Targeting targeting(int depth) {
    const auto what = below(depth == 0 ? 10 : 6);
    if (what == 0) return {};
    if (what == 1) return {.kind = Targeting::Kind::within, .day_part = day_part()};
    if (depth > 0 && what >= 3) {
      Targeting group{.kind = what == 3   ? Targeting::Kind::all
                              : what == 4 ? Targeting::Kind::any
                                          : Targeting::Kind::none};
      for (std::size_t i = 0; i < 1 + below(4); ++i) group.parts.push_back(targeting(depth - 1));
      return group;
    }
    constexpr Field fields[] = {Field::page, Field::slot,        Field::college, Field::device,
                                Field::year, Field::search_term, Field::segment, Field::attribute};
    Targeting condition{.kind = Targeting::Kind::is_in, .field = fields[below(8)]};
    if (condition.field == Field::attribute) condition.name = word();
    for (std::size_t i = 0; i < 1 + below(2); ++i)
      condition.values.emplace_back(condition.field == Field::slot ? slot_ids[below(5)] : word());
    return condition;
  }

  /// Of more clauses than the index takes.
  Targeting wide_targeting() {
    Targeting all{.kind = Targeting::Kind::all};
    for (int i = 0; i < 4; ++i) {
      Targeting any{.kind = Targeting::Kind::any};
      for (int k = 0; k < 3; ++k) any.parts.push_back(targeting(0));
      all.parts.push_back(any);
    }
    return all;
  }

  Campaign campaign(std::size_t number) {
    Campaign one{.id = "c" + std::to_string(number)};
    one.status = chance(0.85) ? Status::active : static_cast<Status>(below(4));
    one.tier = static_cast<Tier>(below(4));
    one.advertiser = word();
    one.category = word();
    if (chance(0.15)) one.excludes = {std::string(word())};
    if (chance(0.3)) one.from_ms = time();
    if (chance(0.3)) one.to_ms = time();
    for (std::size_t i = 0; i < below(3); ++i) one.schedule.push_back(day_part());
    one.targeting = chance(0.05) ? wide_targeting() : targeting(static_cast<int>(below(5)));
    one.price = chance(0.5) ? Price::per_mille : Price::per_click;
    one.bid_micros = static_cast<std::int64_t>(below(6)) * (one.price == Price::per_mille ? 1'000 : 100);
    for (std::size_t i = 0; i < 1 + below(3); ++i) {
      Ad ad{.id = one.id + "-" + std::to_string(i)};
      ad.is_paused = chance(0.1);
      ad.creative.kind = kind();
      if (chance(0.5)) std::tie(ad.creative.width, ad.creative.height) = size();
      one.ads.push_back(ad);
    }
    return one;
  }

  std::mt19937_64 random_;
};

/// Independent of what is tested: says again, in the plainest way, what campaign.h says.
class Oracle {
 public:
  Oracle(const Request& request, const std::vector<Slot>& slots, std::size_t placement)
      : request_(request), slot_id_(request.placements[placement].slot) {
    for (const auto& one : slots)
      if (one.id == slot_id_) slot_ = &one;
  }

  bool is_eligible(const Campaign& campaign, const Ad& ad) const {
    if (slot_ == nullptr || campaign.status != Status::active || ad.is_paused) return false;
    const auto now = request_.context.time_ms;
    if (campaign.from_ms && now < *campaign.from_ms) return false;
    if (campaign.to_ms && now >= *campaign.to_ms) return false;
    bool is_scheduled = campaign.schedule.empty();
    for (const auto& part : campaign.schedule) is_scheduled = is_scheduled || is_on(part);
    if (!is_scheduled || !wants(campaign.targeting)) return false;
    bool takes_kind = slot_->kinds.empty();
    for (const auto one : slot_->kinds) takes_kind = takes_kind || one == ad.creative.kind;
    const bool is_sized = slot_->width != 0 && ad.creative.width != 0;
    if (!takes_kind) return false;
    if (is_sized && (slot_->width != ad.creative.width || slot_->height != ad.creative.height)) return false;
    const double ecpm = campaign.price == Price::per_mille ? static_cast<double>(campaign.bid_micros)
                                                           : static_cast<double>(campaign.bid_micros) * 1'000 * 0.011;
    const auto floor = static_cast<double>(std::max(slot_->floor_micros, request_.floor_micros));
    if (campaign.tier != Tier::house && ecpm < floor - 0.5) return false;
    for (const auto one : request_.blocked_categories)
      if (one == campaign.category) return false;
    for (const auto one : request_.blocked_advertisers)
      if (one == campaign.advertiser) return false;
    return true;
  }

 private:
  bool is_on(const DayPart& part) const {
    const date::zoned_time<std::chrono::milliseconds> there(
        part.zone, date::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(request_.context.time_ms)));
    const auto local = there.get_local_time();
    const auto day = date::floor<date::days>(local);
    const auto minute = std::chrono::floor<std::chrono::minutes>(local - day).count();
    const auto has = [&](date::local_days one) {
      return (part.days & 1U << (date::weekday(one).iso_encoding() - 1)) != 0;
    };
    if (part.from_minute <= part.to_minute) return has(day) && part.from_minute <= minute && minute < part.to_minute;
    return (part.from_minute <= minute && has(day)) || (minute < part.to_minute && has(day - date::days(1)));
  }

  bool wants(const Targeting& rule) const {
    std::size_t true_parts = 0;
    for (const auto& part : rule.parts) true_parts += wants(part) ? 1 : 0;
    if (rule.kind == Targeting::Kind::everyone) return true;
    if (rule.kind == Targeting::Kind::all) return true_parts == rule.parts.size();
    if (rule.kind == Targeting::Kind::any) return true_parts > 0;
    if (rule.kind == Targeting::Kind::none) return true_parts == 0;
    if (rule.kind == Targeting::Kind::within) return is_on(rule.day_part);
    for (const auto& value : rule.values) {
      if (rule.field == Field::slot && value == slot_id_) return true;
      for (const auto& known : request_.context.known)
        if (known.field == rule.field && known.value == value &&
            (rule.field != Field::attribute || known.name == rule.name))
          return true;
    }
    return false;
  }

  const Request& request_;
  std::string_view slot_id_;
  const Slot* slot_ = nullptr;
};

/// As it was drawn, or as MARQUEE_TEST_SEED says.
inline std::uint64_t test_seed() {
  const char* given = std::getenv("MARQUEE_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
}

}  // namespace marquee::decision
