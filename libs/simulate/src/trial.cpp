#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <utility>

#include "marquee/simulate/environment.h"
#include "random.h"
#include "spans.h"

namespace marquee::simulate {
namespace {

// Four of five click within a minute or so, the others within the half hour that click addresses live.
constexpr Chance kSoon = Chance::percent(80);
constexpr std::uint64_t kSoonMs = 20'000, kLateMs = 360'000, kLatestMs = 1'500'000;

std::uint64_t key_of(std::uint32_t student, std::uint32_t ad) { return (std::uint64_t{student} << 32) | ad; }

}  // namespace

double Trial::views(const Visit& visit, std::uint32_t ad) const {
  const auto found = views_.find(key_of(visit.student, ad));
  if (found == views_.end()) return 0;
  return found->second.count *
         std::exp2(static_cast<double>(found->second.at_ms - visit.time_ms) / static_cast<double>(kDayMs));
}

double Trial::freshness(const Visit& visit, std::uint32_t ad) const {
  return 1 / (1 + environment_.options().fatigue * views(visit, ad));
}

std::vector<Trial::Ranked> Trial::ranked(std::size_t number, bool is_visible_only) const {
  const auto& visit = environment_.visits()[number];
  const auto ads = environment_.eligible(visit);
  std::vector<double> attraction(ads.size());
  if (is_visible_only)
    environment_.visible_attractions(visit, ads, attraction);
  else
    environment_.attractions(visit, ads, attraction);
  std::vector<Ranked> all;
  for (std::size_t i = 0; i < ads.size(); ++i)
    all.push_back({attraction[i] * (is_visible_only ? 1 : freshness(visit, ads[i])), ads[i]});
  const auto most = std::min(all.size(), environment_.options().slots);
  std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(most), [](const Ranked& a, const Ranked& b) {
    return a.attraction > b.attraction || (a.attraction == b.attraction && a.ad < b.ad);
  });
  all.resize(most);
  return all;
}

std::vector<std::uint32_t> Trial::best(std::size_t visit, bool is_visible_only) const {
  // Ads in the order of attraction belong to slots in the order of examination.
  const auto& options = environment_.options();
  const auto best = ranked(visit, is_visible_only);
  std::array<std::size_t, kMostSlots> slots{};
  for (std::size_t i = 0; i < slots.size(); ++i) slots[i] = i;
  std::ranges::sort(slots.begin(), slots.begin() + static_cast<std::ptrdiff_t>(best.size()), {},
                    [&](std::size_t slot) { return std::pair(-options.examination[slot], slot); });
  std::vector<std::uint32_t> ads(best.size());
  for (std::size_t i = 0; i < best.size(); ++i) ads[slots[i]] = best[i].ad;
  return ads;
}

double Trial::best_value(std::size_t visit) const {
  auto examination = environment_.options().examination;
  const auto best = ranked(visit, false);
  std::sort(examination.begin(), examination.begin() + static_cast<std::ptrdiff_t>(best.size()), std::greater{});
  double sum = 0;
  for (std::size_t i = 0; i < best.size(); ++i) sum += examination[i] * best[i].attraction;
  return sum;
}

double Trial::value(std::size_t number, std::span<const std::uint32_t> ads) const {
  const auto& visit = environment_.visits()[number];
  std::vector<double> attraction(ads.size());
  environment_.attractions(visit, ads, attraction);
  double sum = 0;
  for (std::size_t slot = 0; slot < ads.size(); ++slot)
    sum += environment_.options().examination[slot] * attraction[slot] * freshness(visit, ads[slot]);
  return sum;
}

std::optional<std::vector<Trial::Shown>> Trial::show(std::size_t number, std::span<const std::uint32_t> ads) {
  if (number >= environment_.visits().size() || ads.size() > environment_.options().slots) return std::nullopt;
  const auto& visit = environment_.visits()[number];
  for (std::size_t i = 0; i < ads.size(); ++i)
    if (!environment_.is_eligible(visit, ads[i]) || std::ranges::count(ads, ads[i]) != 1) return std::nullopt;
  std::vector<double> attraction(ads.size());
  environment_.attractions(visit, ads, attraction);
  std::vector<Shown> all;
  for (std::size_t slot = 0; slot < ads.size(); ++slot) {
    Random luck(mix(environment_.seed()) ^ (number * kMostSlots + slot));
    auto& shown = all.emplace_back();
    shown.chance = environment_.options().examination[slot] * attraction[slot] * freshness(visit, ads[slot]);
    const bool is_clicked = static_cast<double>(luck.next() >> 11) * 0x1.0p-53 < shown.chance;
    const auto delay = luck.exponential(luck.happens(kSoon) ? kSoonMs : kLateMs);
    if (is_clicked) shown.click_ms = static_cast<std::int64_t>(std::min(delay, kLatestMs));
  }
  for (const auto ad : ads) views_[key_of(visit.student, ad)] = {views(visit, ad) + 1, visit.time_ms};
  return all;
}

}  // namespace marquee::simulate
