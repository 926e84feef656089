// A week of students and ads whose truth is known: what a policy is worth in it can be told exactly, click or no click.
//
//   p(click) = examination(slot) * attraction(student, page, ad, time) * freshness(student, ad)
//   logit attraction = alpha + quality(ad) + interest(student, time) . topics(ad) + page and query that fit the ad
//                      + tastes of college and city + device + hour
//   freshness = 1 / (1 + fatigue * views),   views of the ad by the student, half of them forgotten in a day
//
// Interests are the program's, the college's, the year's, and each student's own; they turn over the week (`drift`).
// A decider sees a visit's VisibleContext and the ads' campaigns and categories. It does not see interests, an ad's
// quality and second topic, nor views. alpha is such that the uniform policy's CTR is `uniform_ctr`.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace marquee::simulate {

inline constexpr std::size_t kTopics = 12;
inline constexpr std::size_t kMostSlots = 4;

struct EnvironmentOptions {
  std::string_view name, about;
  double uniform_ctr = 0.011;
  std::uint32_t visits = 100'000, days = 7;
  std::uint32_t students = 10'000;
  std::uint32_t campaigns = 24, ads_of_campaign = 3;
  double churn = 0.5;        ///< Share of the campaigns that begin, or end, within the week.
  double life_days = 0;      ///< If given, all do: each lives half to one and a half times as long.
  double drift = 0.3;        ///< Radians by which tastes turn in a week: pi / 2 leaves nothing of the first ones.
  double individual = 0.25;  ///< Standard deviation of what a student's interest differs from that of the likes.
  double fatigue = 0.15;
  double consent = 0.85;  ///< Share of students who are known; of the others only page, query and device are.
  std::size_t slots = 2;
  std::array<double, kMostSlots> examination = {1, 0.55};
};

/// The published ones. They and the seeds that are reported (1 and up) were fixed before any learner was run on them.
[[nodiscard]] std::span<const EnvironmentOptions> environments();
/// Null where there is none of that name.
[[nodiscard]] const EnvironmentOptions* find_environment(std::string_view name);

struct Visit {
  std::int64_t time_ms = 0;
  std::uint32_t student = 0;
  std::int32_t page_topic = -1;       ///< -1: the home page, which is about nothing.
  std::int32_t query_topic = -1;      ///< -1: nothing was searched.
  std::uint8_t page = 0;              ///< Of its topic.
  std::uint8_t word = 0, filler = 0;  ///< Of the query; filler 0: none.
};

/// What a decider may know.
struct VisibleContext {
  std::string page_id, course_category, query, device;
  bool is_known = false;  ///< Whether the student consents; else what follows is empty.
  std::string user_id, college, program, city;
  std::uint32_t year = 0;
};

/// Immutable once made: any number of Trials may run in it. The same options and seed give the same world.
class Environment {
 public:
  struct Ad {
    std::string id, campaign, category, advertiser;
    std::int64_t from_ms = 0, to_ms = 0;  ///< When it may be shown: [from, to).
  };

  Environment(const EnvironmentOptions& options, std::uint64_t seed);

  [[nodiscard]] const EnvironmentOptions& options() const { return options_; }
  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  [[nodiscard]] const std::vector<Ad>& ads() const { return ads_; }
  /// In the order of time.
  [[nodiscard]] const std::vector<Visit>& visits() const { return visits_; }
  [[nodiscard]] VisibleContext visible(const Visit& visit) const;
  [[nodiscard]] std::vector<std::uint32_t> eligible(const Visit& visit) const;
  [[nodiscard]] bool is_eligible(const Visit& visit, std::uint32_t ad) const;

  /// out[i]: the attraction of ads[i].
  void attractions(const Visit& visit, std::span<const std::uint32_t> ads, std::span<double> out) const;
  /// What of it can be told by what a decider sees, were all but the students' own differences known.
  void visible_attractions(const Visit& visit, std::span<const std::uint32_t> ads, std::span<double> out) const;

 private:
  using Interest = std::array<double, kTopics>;
  /// A taste at the beginning of the week, and the one that it turns to.
  struct Taste {
    Interest at_first{}, later{};
  };
  struct Student {
    std::uint8_t college = 0, program = 0, year = 0, city = 0, device = 0;
    bool is_known = true;
    Taste own;
  };
  struct Hidden {
    std::size_t topic = 0, second_topic = 0;
    double quality = 0;
    std::vector<double> of_college, of_city;
  };
  void make_tastes();
  void make_students();
  void make_ads();
  void make_visits();
  void calibrate();
  [[nodiscard]] Interest interest(const Visit& visit, bool is_visible_only) const;
  void score(const Visit& visit, bool is_visible_only, std::span<const std::uint32_t> ads, std::span<double> out) const;

  const EnvironmentOptions options_;
  const std::uint64_t seed_;
  double alpha_ = 0;
  std::vector<Taste> of_program_, of_college_, of_year_;
  std::vector<Student> students_;
  std::vector<Ad> ads_;
  std::vector<Hidden> hidden_;
  std::vector<Visit> visits_;
};

/// One policy's way through an environment: what it shows tires those who see it. All policies of a world have the same
/// luck: whether a chance is enough for a click hangs on visit and slot alone. Not thread safe.
class Trial {
 public:
  struct Shown {
    double chance = 0;                     ///< Of a click, truly.
    std::optional<std::int64_t> click_ms;  ///< How long after it, if it was clicked.
  };

  /// `environment` must outlive it.
  explicit Trial(const Environment& environment) : environment_(environment) {}

  /// The ads that would be clicked most, slot by slot, of what is eligible: the best by true chance, as what a slot
  /// gives is a factor. `is_visible_only`: the best that can be told without what is hidden of students and views.
  [[nodiscard]] std::vector<std::uint32_t> best(std::size_t visit, bool is_visible_only = false) const;
  /// Clicks that best() promises.
  [[nodiscard]] double best_value(std::size_t visit) const;
  /// Clicks that ads[i] in slot i promise.
  [[nodiscard]] double value(std::size_t visit, std::span<const std::uint32_t> ads) const;
  /// Shows ads[i] in slot i. All must be eligible, none twice: nullopt where that is not so.
  [[nodiscard]] std::optional<std::vector<Shown>> show(std::size_t visit, std::span<const std::uint32_t> ads);

 private:
  struct Views {
    double count = 0;
    std::int64_t at_ms = 0;
  };
  struct Ranked {
    double attraction;
    std::uint32_t ad;
  };
  [[nodiscard]] std::vector<Ranked> ranked(std::size_t visit, bool is_visible_only) const;
  [[nodiscard]] double views(const Visit& visit, std::uint32_t ad) const;
  [[nodiscard]] double freshness(const Visit& visit, std::uint32_t ad) const;

  const Environment& environment_;
  std::unordered_map<std::uint64_t, Views> views_;  ///< By student and ad.
};

}  // namespace marquee::simulate
