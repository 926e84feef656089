// Who and what there is: colleges, students, pages with their slots, courses, searches, campaigns and their ads.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "random.h"

namespace marquee::simulate {

/// A student as the network knows one. Follows from the student's number alone, so none is kept.
struct Student {
  std::uint32_t number = 0;
  std::uint32_t college = 0;
  std::uint8_t program = 0;
  std::uint8_t year = 1;
  std::uint8_t consent = 0;  ///< Index of kConsents.
  bool has_iphone = false;
  bool has_mac = false;
};

struct Program {
  std::string_view name;
  std::uint8_t years;
  std::uint8_t field;  ///< Campaigns of the same field interest its students.
};

/// A rectangle in 1/10,000 of the page.
struct Place {
  std::string_view slot;
  std::uint16_t x, y, width, height;
};

struct PageKind {
  std::string_view id;
  std::string_view path;     ///< A course's number is appended where has_course.
  std::uint32_t reading_ms;  ///< Mean time on the page.
  bool has_course;
  std::uint8_t slots;                    ///< The first of kPlaces.
  std::uint8_t weight, weight_in_exams;  ///< How often it is the next page.
};

inline constexpr std::uint8_t kFields = 12;
inline constexpr std::uint8_t kCreatives = 4;
inline constexpr std::uint8_t kCampaigns = 24;
inline constexpr std::uint32_t kCourses = 400;
inline constexpr std::uint8_t kHome = 0, kCourseList = 1, kCourse = 2, kSearch = 3, kOffer = 8;

inline constexpr std::array<std::string_view, 4> kConsents = {"full", "contextual", "denied", "unknown"};

inline constexpr std::array<Program, 14> kPrograms = {{{"btech-cse", 4, 0},
                                                       {"btech-ece", 4, 1},
                                                       {"btech-mech", 4, 2},
                                                       {"bsc-physics", 3, 3},
                                                       {"bsc-data", 3, 0},
                                                       {"bcom", 3, 4},
                                                       {"bba", 3, 5},
                                                       {"mba", 2, 5},
                                                       {"ba-economics", 3, 4},
                                                       {"ba-english", 3, 6},
                                                       {"llb", 5, 7},
                                                       {"mbbs", 5, 8},
                                                       {"bdes", 4, 9},
                                                       {"bed", 2, 10}}};

/// The place of each position, from the top of the page.
inline constexpr std::array<Place, 4> kPlaces = {{{"top", 500, 300, 9000, 1200},
                                                  {"feed", 600, 3200, 6000, 1400},
                                                  {"side", 7200, 4400, 2300, 2600},
                                                  {"foot", 500, 8600, 9000, 900}}};

inline constexpr std::array<PageKind, 9> kPages = {{{"home", "/", 18'000, false, 4, 22, 14},
                                                    {"courses", "/courses", 16'000, false, 3, 14, 8},
                                                    {"course", "/courses/", 48'000, true, 3, 26, 24},
                                                    {"search", "/search", 14'000, false, 2, 12, 12},
                                                    {"exams", "/exams", 30'000, false, 2, 7, 24},
                                                    {"library", "/library", 36'000, false, 2, 7, 14},
                                                    {"placements", "/placements", 32'000, false, 4, 7, 2},
                                                    {"timetable", "/timetable", 9'000, false, 1, 5, 2},
                                                    {"offer", "/offers/", 26'000, false, 0, 0, 0}}};

inline constexpr std::array<std::string_view, 40> kSearches = {
    "past papers",          "exam timetable",    "data structures notes",
    "hostel fees",          "internships",       "results",
    "linear algebra",       "library timings",   "thermodynamics",
    "constitution law",     "scholarship form",  "python course",
    "microeconomics",       "placement 2027",    "machine learning",
    "organic chemistry",    "syllabus",          "admit card",
    "bus routes",           "accounting basics", "anatomy atlas",
    "design portfolio",     "gate preparation",  "cat mock test",
    "quantum mechanics",    "moot court",        "english essay",
    "attendance",           "operating systems", "signals and systems",
    "marketing case study", "corporate law",     "mess menu",
    "fluid mechanics",      "statistics",        "teaching practice",
    "robotics club",        "exchange program",  "ielts",
    "backlog form"};

/// How an ad was chosen.
struct Choice {
  std::uint8_t campaign = 0;
  std::uint8_t creative = 0;
  std::uint8_t how = 0;  ///< Index of kPolicies' outcomes: 0 uniform, 1 affinity without interest, 2 affinity with it.
};

/// Immutable; shared by all sessions of a stream.
class Campus {
 public:
  Campus(std::uint64_t seed, std::uint32_t colleges, std::uint32_t students);

  /// Busy students come up more often than others.
  [[nodiscard]] std::uint32_t draw_student(Random& random) const;
  [[nodiscard]] Student student(std::uint32_t number) const;
  [[nodiscard]] std::string_view college(std::uint32_t index) const { return colleges_[index].name; }
  [[nodiscard]] std::string_view city(std::uint32_t college) const { return colleges_[college].city; }

  [[nodiscard]] std::uint8_t draw_page(Random& random, bool is_exam_season) const;
  [[nodiscard]] std::uint32_t draw_course(Random& random) const { return courses_.draw(random); }
  [[nodiscard]] std::uint32_t draw_search(Random& random) const { return searches_.draw(random); }
  [[nodiscard]] Choice draw_ad(Random& random, const Student& student) const;
  [[nodiscard]] Chance click_chance(const Choice& choice, const Student& student, std::uint8_t position) const;

  [[nodiscard]] std::string_view campaign(std::uint8_t index) const { return campaigns_[index]; }
  /// `,"campaign_id":...,"ad_id":...,"policy":...,"propensity":...`
  [[nodiscard]] std::string_view ad_fields(const Choice& choice) const;

 private:
  struct College {
    std::string name;
    std::string_view city;
    std::uint32_t interest = 100;  ///< Percent: how readily its students click.
  };

  std::uint64_t seed_;
  std::uint32_t students_;
  std::vector<College> colleges_;
  Weighted sizes_, courses_, searches_, pages_, exam_pages_;
  std::array<std::string_view, kCampaigns> campaigns_{};
  std::array<std::uint32_t, kCampaigns> appeal_{};
  std::vector<std::string> ad_fields_;
};

}  // namespace marquee::simulate
