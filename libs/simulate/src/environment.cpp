#include "marquee/simulate/environment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "environment_names.h"
#include "random.h"
#include "spans.h"

namespace marquee::simulate {
namespace {

constexpr std::int64_t kStartMs = 1'772'409'600'000;  ///< 2 March 2026, a Monday, 00:00 UTC.
constexpr double kWeekMs = 7.0 * kDayMs;

// Standard deviations of what makes an ad attractive, in logits.
constexpr double kOfProgram = 0.7, kOfCollege = 0.5, kOfYear = 0.3;
constexpr double kOfCampaign = 0.3, kOfAd = 0.4, kOfCollegeAndAd = 0.2, kOfCity = 0.2;
constexpr double kSecondTopic = 0.3;  ///< How much an ad is about its second topic.
constexpr double kPageFits = 0.8, kQueryFits = 1.2;
constexpr std::array<double, kDevices.size()> kOfDevice = {0, -0.2, -0.1};
constexpr double kEvening = 0.15;  ///< From 18 to 24 h.

constexpr double kHomePage = 0.25, kBrowsesByInterest = 0.7, kSearchesAtAll = 0.2, kSearchesWhatThePageIs = 0.6;
constexpr std::array<std::uint32_t, 24> kBusy = {3, 2, 1, 1, 1, 1, 2,  4,  7,  9,  10, 10,
                                                 9, 9, 9, 9, 9, 9, 10, 12, 12, 11, 8,  5};

/// Streams of random numbers that know nothing of each other.
enum class Purpose : std::uint64_t { tastes = 1, students, ads, visits };
Random random_of(std::uint64_t seed, Purpose purpose) {
  return Random(mix(seed * 0x9E3779B97F4A7C15U + static_cast<std::uint64_t>(purpose)));
}

double unit(Random& random) { return static_cast<double>(random.next() >> 11) * 0x1.0p-53; }

/// Nearly: the sum of twelve uniform numbers, as it is the same on any machine.
double normal(Random& random) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += unit(random);
  return sum;
}

template <class Interest>
void fill_interest(Interest& interest, Random& random, double deviation) {
  for (auto& one : interest) one = deviation * normal(random);
}

std::uint32_t draw(Random& random, std::span<const double> weights) {
  double sum = 0;
  for (const double weight : weights) sum += weight;
  double at = unit(random) * sum;
  for (std::uint32_t i = 0; i < weights.size(); ++i)
    if ((at -= weights[i]) < 0) return i;
  return static_cast<std::uint32_t>(weights.size() - 1);
}

/// Half of the visits are those of a fifth of the students: the place in [0, 1) among them.
double who_comes(double point) {
  constexpr double kOften = 0.2;
  return point < 0.5 ? 2 * point * kOften : kOften + (2 * point - 1) * (1 - kOften);
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// What of `topic` an ad of these topics is about.
double share_of(std::int32_t topic, std::size_t first, std::size_t second) {
  if (topic < 0) return 0;
  const auto wanted = static_cast<std::size_t>(topic);
  return wanted == first ? 1 : wanted == second ? kSecondTopic : 0;
}

}  // namespace

Environment::Environment(const EnvironmentOptions& options, std::uint64_t seed) : options_(options), seed_(seed) {
  make_tastes();
  make_students();
  make_ads();
  make_visits();
  calibrate();
}

void Environment::make_tastes() {
  auto random = random_of(seed_, Purpose::tastes);
  const auto make = [&](std::vector<Taste>& all, std::uint32_t count, double deviation) {
    all.resize(count);
    for (auto& taste : all) {
      fill_interest(taste.at_first, random, deviation);
      fill_interest(taste.later, random, deviation);
    }
  };
  make(of_program_, kEnvironmentPrograms, kOfProgram);
  make(of_college_, kColleges, kOfCollege);
  make(of_year_, kYears, kOfYear);
}

void Environment::make_students() {
  auto random = random_of(seed_, Purpose::students);
  std::array<double, kColleges> sizes{};
  for (std::size_t i = 0; i < sizes.size(); ++i) sizes[i] = 1 / static_cast<double>(i + 1);
  constexpr std::array<double, kDevices.size()> kDeviceShares = {0.6, 0.3, 0.1};
  constexpr double kLivesNearby = 0.7;
  students_.resize(options_.students);
  for (auto& one : students_) {
    one.college = static_cast<std::uint8_t>(draw(random, sizes));
    one.program = static_cast<std::uint8_t>(random.below(kEnvironmentPrograms));
    one.year = static_cast<std::uint8_t>(random.below(kYears));
    const bool is_near = unit(random) < kLivesNearby;
    const auto city = random.below(kEnvironmentCities);
    one.city = static_cast<std::uint8_t>(is_near ? one.college % kEnvironmentCities : city);
    one.device = static_cast<std::uint8_t>(draw(random, kDeviceShares));
    one.is_known = unit(random) < options_.consent;
    fill_interest(one.own.at_first, random, options_.individual);
    fill_interest(one.own.later, random, options_.individual);
  }
}

void Environment::make_ads() {
  auto random = random_of(seed_, Purpose::ads);
  const std::int64_t end_ms = kStartMs + options_.days * kDayMs;
  const auto span = static_cast<double>(end_ms - kStartMs);
  for (std::uint32_t i = 0; i < options_.campaigns; ++i) {
    const std::size_t topic = i % kTopics;
    const double quality = kOfCampaign * normal(random), born = unit(random), other = unit(random);
    std::int64_t from_ms = kStartMs, to_ms = end_ms;
    if (options_.life_days > 0) {
      const double life = options_.life_days * kDayMs;
      from_ms += static_cast<std::int64_t>(born * (span + life) - life);
      to_ms = from_ms + static_cast<std::int64_t>(life * (0.5 + other));
    } else if (other < options_.churn / 2) {
      from_ms += static_cast<std::int64_t>(born * span);
    } else if (other < options_.churn) {
      to_ms = kStartMs + static_cast<std::int64_t>(born * span);
    }
    std::vector<double> of_city(kEnvironmentCities);
    fill_interest(of_city, random, kOfCity);
    for (std::uint32_t j = 0; j < options_.ads_of_campaign; ++j) {
      ads_.push_back({.id = fmt::format("ad-{}-{}", i, j),
                      .campaign = fmt::format("campaign-{}", i),
                      .category = std::string(kTopicNames[topic].name),
                      .advertiser = fmt::format("college-{}", i / 2),
                      .from_ms = from_ms,
                      .to_ms = to_ms});
      auto& hidden = hidden_.emplace_back();
      hidden.topic = topic;
      hidden.second_topic = (topic + 1 + random.below(kTopics - 1)) % kTopics;
      hidden.quality = quality + kOfAd * normal(random);
      hidden.of_college.resize(kColleges);
      fill_interest(hidden.of_college, random, kOfCollegeAndAd);
      hidden.of_city = of_city;
    }
  }
}

void Environment::make_visits() {
  auto random = random_of(seed_, Purpose::visits);
  const Weighted hours(kBusy);
  visits_.resize(options_.visits);
  for (auto& visit : visits_) {
    visit.time_ms = kStartMs + random.below(options_.days) * kDayMs;
    visit.time_ms += hours.draw(random) * kHourMs;
    visit.time_ms += random.below(kHourMs);
  }
  std::ranges::sort(visits_, {}, &Visit::time_ms);
  for (auto& visit : visits_) {
    visit.student = static_cast<std::uint32_t>(who_comes(unit(random)) * options_.students);
    Interest liking = interest(visit, false);
    for (auto& one : liking) one = std::exp(one);
    const auto wished = static_cast<std::int32_t>(draw(random, liking)),
               any = static_cast<std::int32_t>(random.below(kTopics));
    const bool is_home = unit(random) < kHomePage, is_by_interest = unit(random) < kBrowsesByInterest;
    const bool searches = unit(random) < kSearchesAtAll, is_of_page = unit(random) < kSearchesWhatThePageIs;
    visit.page_topic = is_home ? -1 : is_by_interest ? wished : any;
    visit.page = static_cast<std::uint8_t>(random.below(kPagesOfTopic));
    if (searches) visit.query_topic = is_of_page && !is_home ? visit.page_topic : wished;
    visit.word = static_cast<std::uint8_t>(random.below(kTopicNames[0].words.size()));
    visit.filler = static_cast<std::uint8_t>(random.below(2 * kFillers.size()));
    if (visit.filler >= kFillers.size()) visit.filler = 0;
  }
}

/// Bisects for alpha over every so many-th visit and all ads that it may show, each in each slot.
void Environment::calibrate() {
  constexpr std::size_t kSample = 5'000;
  std::vector<double> logits, attraction;
  const auto step = std::max<std::size_t>(1, visits_.size() / kSample);
  std::vector<double> weights;  // So that each visit counts alike.
  for (std::size_t i = 0; i < visits_.size(); i += step) {
    const auto ads = eligible(visits_[i]);
    attraction.resize(ads.size());
    score(visits_[i], false, ads, attraction);
    for (const double logit : attraction) {
      logits.push_back(logit);
      weights.push_back(1 / static_cast<double>(ads.size()));
    }
  }
  double seen = 0, total = 0;
  for (std::size_t slot = 0; slot < options_.slots; ++slot) seen += options_.examination[slot];
  seen /= static_cast<double>(options_.slots);
  for (const double weight : weights) total += weight;
  double low = -15, high = 5;
  for (int i = 0; i < 30; ++i) {
    const double middle = (low + high) / 2;
    double sum = 0;
    for (std::size_t j = 0; j < logits.size(); ++j) sum += weights[j] * sigmoid(middle + logits[j]);
    (seen * sum / total < options_.uniform_ctr ? low : high) = middle;
  }
  alpha_ = (low + high) / 2;
}

VisibleContext Environment::visible(const Visit& visit) const {
  const auto& student = students_[visit.student];
  VisibleContext context;
  context.page_id = "home";
  context.device = kDevices[student.device];
  context.is_known = student.is_known;
  if (visit.page_topic >= 0) {
    context.course_category = kTopicNames[static_cast<std::size_t>(visit.page_topic)].name;
    context.page_id = fmt::format("{}-{}", context.course_category, visit.page);
  }
  if (visit.query_topic >= 0) {
    context.query = kTopicNames[static_cast<std::size_t>(visit.query_topic)].words[visit.word];
    if (visit.filler > 0) context.query = fmt::format("{} {}", kFillers[visit.filler], context.query);
  }
  if (!student.is_known) return context;
  context.user_id = fmt::format("student-{}", visit.student);
  context.college = fmt::format("college-{}", student.college);
  context.program = fmt::format("program-{}", student.program);
  context.city = fmt::format("city-{}", student.city);
  context.year = student.year + 1U;
  return context;
}

bool Environment::is_eligible(const Visit& visit, std::uint32_t ad) const {
  return ad < ads_.size() && ads_[ad].from_ms <= visit.time_ms && visit.time_ms < ads_[ad].to_ms;
}

std::vector<std::uint32_t> Environment::eligible(const Visit& visit) const {
  std::vector<std::uint32_t> all;
  for (std::uint32_t ad = 0; ad < ads_.size(); ++ad)
    if (is_eligible(visit, ad)) all.push_back(ad);
  return all;
}

Environment::Interest Environment::interest(const Visit& visit, bool is_visible_only) const {
  const auto& student = students_[visit.student];
  const double turned = options_.drift * static_cast<double>(visit.time_ms - kStartMs) / kWeekMs;
  const double first = std::cos(turned), later = std::sin(turned);
  Interest sum{};
  const auto add = [&](const Taste& taste) {
    for (std::size_t i = 0; i < kTopics; ++i) sum[i] += first * taste.at_first[i] + later * taste.later[i];
  };
  if (is_visible_only && !student.is_known) return sum;
  add(of_program_[student.program]);
  add(of_college_[student.college]);
  add(of_year_[student.year]);
  if (!is_visible_only) add(student.own);
  return sum;
}

/// Logits, without alpha.
void Environment::score(const Visit& visit, bool is_visible_only, std::span<const std::uint32_t> ads,
                        std::span<double> out) const {
  const auto& student = students_[visit.student];
  const auto interests = interest(visit, is_visible_only);
  const bool is_evening = (visit.time_ms % kDayMs) / kHourMs >= 18;
  const double context = kOfDevice[student.device] + (is_evening ? kEvening : 0);
  const bool knows_place = !is_visible_only || student.is_known;
  for (std::size_t i = 0; i < ads.size(); ++i) {
    const auto& ad = hidden_[ads[i]];
    double logit = context + ad.quality + interests[ad.topic] + kSecondTopic * interests[ad.second_topic];
    logit += kPageFits * share_of(visit.page_topic, ad.topic, ad.second_topic);
    logit += kQueryFits * share_of(visit.query_topic, ad.topic, ad.second_topic);
    if (knows_place) logit += ad.of_college[student.college] + ad.of_city[student.city];
    out[i] = logit;
  }
}

void Environment::attractions(const Visit& visit, std::span<const std::uint32_t> ads, std::span<double> out) const {
  score(visit, false, ads, out);
  for (auto& one : out) one = sigmoid(alpha_ + one);
}

void Environment::visible_attractions(const Visit& visit, std::span<const std::uint32_t> ads,
                                      std::span<double> out) const {
  score(visit, true, ads, out);
  for (auto& one : out) one = sigmoid(alpha_ + one);
}

}  // namespace marquee::simulate
