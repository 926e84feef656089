#include "campus.h"

#include <fmt/format.h>

namespace marquee::simulate {
namespace {

constexpr std::array<std::string_view, 18> kCities = {
    "Pune",   "Delhi",  "Mumbai", "Bengaluru", "Chennai", "Hyderabad", "Kolkata",  "Jaipur", "Lucknow",
    "Indore", "Nagpur", "Kochi",  "Patna",     "Bhopal",  "Surat",     "Guwahati", "Mysuru", "Nashik"};
constexpr std::array<std::string_view, 7> kKinds = {"engineering", "arts",    "science",    "commerce",
                                                    "law",         "medical", "polytechnic"};
// Field and name; two campaigns a field.
constexpr std::array<std::string_view, kCampaigns> kCampaignNames = {
    "data-science-2027", "cloud-2027",      "embedded-2027", "vlsi-2027",      "robotics-2027", "auto-2027",
    "research-2027",     "telescope-2027",  "banking-2027",  "ca-2027",        "mba-2027",      "startup-2027",
    "writing-2027",      "journalism-2027", "law-2027",      "judiciary-2027", "nursing-2027",  "medicine-2027",
    "design-2027",       "film-2027",       "teaching-2027", "languages-2027", "laptops-2027",  "travel-2027"};
constexpr std::array<std::string_view, kCreatives> kCreativeNames = {"hero", "quiet", "video", "portrait"};
constexpr std::array<std::uint32_t, kCreatives> kCreativePull = {130, 80, 110, 90};
constexpr std::array<std::uint32_t, 4> kPositionPull = {13'000, 8'500, 5'500,
                                                        3'000};  // Clicks per million impressions.
constexpr std::array<std::string_view, 3> kPolicies = {"uniform", "affinity-v1", "affinity-v1"};

// Under affinity-v1 a campaign of the student's field weighs six, any other one.
constexpr std::uint32_t kInterested = 6;
constexpr std::uint32_t kAffinityTotal = kCampaigns - 2 + 2 * kInterested;
constexpr std::array<double, 3> kPropensities = {1.0 / (kCampaigns * kCreatives), 1.0 / (kAffinityTotal * kCreatives),
                                                 static_cast<double>(kInterested) / (kAffinityTotal * kCreatives)};
static_assert(kCampaigns == 2 * kFields);

Weighted zipf(std::uint32_t count) {
  std::vector<std::uint32_t> weights(count);
  for (std::uint32_t i = 0; i < count; ++i)
    weights[i] = (1U << 28) / (i + 1);  // The sum stays below 2^32 up to 10,000.
  return Weighted(weights);
}

template <class Weight>
Weighted page_weights(Weight weight) {
  std::vector<std::uint32_t> weights;
  for (const auto& page : kPages) weights.push_back(weight(page));
  return Weighted(weights);
}

std::string college_name(std::uint32_t index) {
  const auto city = index % kCities.size();
  const auto kind = (index + index / kCities.size()) % kKinds.size();
  const auto round = index / (kCities.size() * kKinds.size());
  auto name = fmt::format("{}-{}", kCities[city], kKinds[kind]);
  name[0] = static_cast<char>(name[0] - 'A' + 'a');
  if (round > 0) name += fmt::format("-{}", round + 1);
  return name;
}

}  // namespace

Campus::Campus(std::uint64_t seed, std::uint32_t colleges, std::uint32_t students)
    : seed_(mix(seed ^ 0x63616D707573U)),
      students_(students),
      sizes_(zipf(colleges)),
      courses_(zipf(kCourses)),
      searches_(zipf(static_cast<std::uint32_t>(kSearches.size()))),
      pages_(page_weights([](const PageKind& page) { return page.weight; })),
      exam_pages_(page_weights([](const PageKind& page) { return page.weight_in_exams; })),
      campaigns_(kCampaignNames) {
  Random random(seed_);
  for (std::uint32_t i = 0; i < colleges; ++i)
    colleges_.push_back({college_name(i), kCities[i % kCities.size()], random.between(75, 130)});
  for (auto& appeal : appeal_) appeal = random.between(55, 170);
  for (std::uint32_t campaign = 0; campaign < kCampaigns; ++campaign)
    for (std::uint32_t creative = 0; creative < kCreatives; ++creative)
      for (std::size_t how = 0; how < kPolicies.size(); ++how)
        ad_fields_.push_back(
            fmt::format(R"(,"campaign_id":"{0}","ad_id":"{0}-{1}","policy":"{2}","propensity":{3:.6f})",
                        campaigns_[campaign], kCreativeNames[creative], kPolicies[how], kPropensities[how]));
}

std::uint32_t Campus::draw_student(Random& random) const { return random.below(random.below(students_) + 1); }

Student Campus::student(std::uint32_t number) const {
  Random random(seed_ + number);
  Student student;
  student.number = number;
  student.college = sizes_.draw(random);
  // A college has its own favourite among the programs, which half of its students take.
  const auto programs = static_cast<std::uint32_t>(kPrograms.size());
  student.program = static_cast<std::uint8_t>(random.happens(Chance::percent(50)) ? student.college * 5 % programs
                                                                                  : random.below(programs));
  student.year = static_cast<std::uint8_t>(random.between(1, kPrograms[student.program].years));
  const auto consent = random.below(100);
  student.consent = consent < 82 ? 0 : consent < 93 ? 1 : consent < 97 ? 2 : 3;
  student.has_iphone = random.happens(Chance::percent(14));
  student.has_mac = random.happens(Chance::percent(18));
  return student;
}

std::uint8_t Campus::draw_page(Random& random, bool is_exam_season) const {
  return static_cast<std::uint8_t>((is_exam_season ? exam_pages_ : pages_).draw(random));
}

Choice Campus::draw_ad(Random& random, const Student& student) const {
  Choice choice;
  choice.creative = static_cast<std::uint8_t>(random.below(kCreatives));
  if (random.happens(Chance::percent(20))) {
    choice.campaign = static_cast<std::uint8_t>(random.below(kCampaigns));
    return choice;
  }
  // The numbers below 12 stand for the two campaigns of the field, the others for the rest in order.
  const std::uint32_t first = kPrograms[student.program].field * 2U;
  const auto ticket = random.below(kAffinityTotal);
  if (ticket < 2 * kInterested) {
    choice.campaign = static_cast<std::uint8_t>(first + ticket % 2);
    choice.how = 2;
  } else {
    const auto other = ticket - 2 * kInterested;
    choice.campaign = static_cast<std::uint8_t>(other < first ? other : other + 2);
    choice.how = 1;
  }
  return choice;
}

Chance Campus::click_chance(const Choice& choice, const Student& student, std::uint8_t position) const {
  std::uint64_t pull = kPositionPull[position - 1U];
  pull = pull * appeal_[choice.campaign] * kCreativePull[choice.creative] * colleges_[student.college].interest /
         1'000'000;
  if (choice.campaign / 2 == kPrograms[student.program].field) pull = pull * 18 / 10;
  return Chance::per_million(pull);
}

std::string_view Campus::ad_fields(const Choice& choice) const {
  return ad_fields_[(choice.campaign * std::size_t{kCreatives} + choice.creative) * kPolicies.size() + choice.how];
}

}  // namespace marquee::simulate
