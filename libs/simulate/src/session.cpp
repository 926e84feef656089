#include "session.h"

#include <algorithm>

#include "text.h"

namespace marquee::simulate {
namespace {

using event::Type;

constexpr std::uint32_t kLeastDwellMs = 2'500;
constexpr std::uint32_t kMostDwellMs = 600'000;

std::uint32_t exponential(Random& random, std::uint32_t mean) {
  return static_cast<std::uint32_t>(random.exponential(mean));
}

// A point around the middle of what there is to look at; the sum of two draws makes the middle likelier.
std::uint16_t around(Random& random, std::uint32_t middle, std::uint32_t spread) {
  const auto at = static_cast<std::int64_t>(middle) + random.below(spread) + random.below(spread) - spread;
  return static_cast<std::uint16_t>(std::clamp<std::int64_t>(at, 0, 10'000));
}

}  // namespace

void Session::begin(const Campus& campus, Random& random, std::uint64_t id, std::int64_t time_ms, bool is_exam_season) {
  student_ = campus.student(campus.draw_student(random));
  is_mobile_ = random.happens(Chance::percent(64));
  seq_ = 0;
  clicked_ = kNothing;
  referrer_ = static_cast<std::uint8_t>(random.below(5));
  pages_left_ = static_cast<std::uint8_t>(std::min<std::uint32_t>(1 + exponential(random, 5), 40));
  write_fields(campus, random, id);
  const bool starts_at_home = random.happens(Chance::percent(60));
  open_page(campus, random, starts_at_home ? kHome : campus.draw_page(random, is_exam_season), time_ms);
}

void Session::open_page(const Campus& campus, Random& random, std::uint8_t page, std::int64_t time_ms) {
  page_ = page;
  --pages_left_;
  steps_.clear();
  next_ = 0;
  deepest_ = first_depth();
  const auto& kind = kPages[page];
  page_fields_ = R"(,"page_id":")";
  page_fields_.append(kind.id).append(R"(","page_path":")").append(kind.path);
  if (kind.has_course) {
    course_ = campus.draw_course(random);
    append_number(page_fields_, course_ + 1);
  } else if (page == kOffer) {
    page_fields_.append(campus.campaign(ads_[clicked_].choice.campaign));
  }
  page_fields_ += '"';
  auto dwell_ms = kLeastDwellMs + exponential(random, is_mobile_ ? kind.reading_ms * 3 / 4 : kind.reading_ms);
  dwell_ms = std::min(dwell_ms, kMostDwellMs);
  add({.time_ms = time_ms, .type = Type::page_view});
  plan_scrolls(random, time_ms, dwell_ms);
  plan_ads(campus, random, time_ms, dwell_ms);
  plan_purpose(campus, random, time_ms, dwell_ms);
  // A click ends the page early: what was planned for later does not happen.
  std::erase_if(steps_, [&](const Step& step) { return step.time_ms > time_ms + dwell_ms; });
  sort_steps();
  add({.time_ms = time_ms + dwell_ms, .type = Type::page_leave, .ms = dwell_ms});
}

void Session::plan_scrolls(Random& random, std::int64_t from_ms, std::uint32_t dwell_ms) {
  auto depth = first_depth();
  auto at = 900 + exponential(random, 3'500);
  for (int i = 0; i < 6 && at < dwell_ms && depth < 10'000; ++i) {
    depth = std::min(depth + 600 + exponential(random, 1'300), 10'000U);
    add({.time_ms = from_ms + at, .type = Type::scroll, .depth = static_cast<std::uint16_t>(depth)});
    at += 700 + exponential(random, 6'000);
  }
}

void Session::plan_ads(const Campus& campus, Random& random, std::int64_t from_ms, std::uint32_t& dwell_ms) {
  if (page_ == kOffer) return;
  clicked_ = kNothing;
  const auto whole_ms = dwell_ms;
  const auto scrolls = steps_.size();
  for (std::uint8_t i = 0; i < kPages[page_].slots; ++i) {
    // An ad is on the screen from the scroll that reaches it on.
    const std::uint32_t top = kPlaces[i].y;
    std::int64_t seen_ms = top < first_depth() ? from_ms : 0;
    for (std::size_t s = 1; s < scrolls && seen_ms == 0; ++s)
      if (steps_[s].depth >= top) seen_ms = steps_[s].time_ms;
    if (seen_ms == 0) break;
    ads_[i] = {campus.draw_ad(random, student_), random.next()};
    seen_ms += random.between(80, 450);
    const auto left_ms = static_cast<std::int64_t>(whole_ms) - (seen_ms - from_ms);
    add({.time_ms = seen_ms, .type = Type::impression, .ad = i});
    if (left_ms < 1'100 || random.happens(Chance::percent(18))) continue;
    const auto visible_ms =
        static_cast<std::uint32_t>(std::min<std::int64_t>(1'000 + exponential(random, 4'000), left_ms));
    add({.time_ms = seen_ms + visible_ms, .type = Type::viewable_impression, .ad = i, .ms = visible_ms});
    const auto clicks = random.happens(campus.click_chance(ads_[i].choice, student_, static_cast<std::uint8_t>(i + 1)));
    if (clicks || random.happens(Chance::percent(is_mobile_ ? 2 : 12))) {
      const auto hover_ms = 120 + exponential(random, 700);
      add({.time_ms = seen_ms + 1'000 + random.below(600),
           .type = Type::hover,
           .ad = i,
           .x = around(random, 5'000, 4'800),
           .y = around(random, 5'500, 4'200),
           .ms = hover_ms});
    }
    if (!clicks || clicked_ != kNothing) continue;
    const auto click_ms = seen_ms + 1'600 + exponential(random, 1'500);
    if (click_ms - from_ms >= dwell_ms) continue;
    // Around the button, which stands right of the middle.
    add({.time_ms = click_ms,
         .type = Type::click,
         .ad = i,
         .x = around(random, 6'800, 2'200),
         .y = around(random, 7'200, 1'800)});
    clicked_ = i;
    dwell_ms = static_cast<std::uint32_t>(click_ms - from_ms) + random.between(150, 600);
  }
}

void Session::plan_purpose(const Campus& campus, Random& random, std::int64_t from_ms, std::uint32_t dwell_ms) {
  if (kPages[page_].has_course) {
    add({.time_ms = from_ms + 300 + random.below(900), .type = Type::course_view, .subject = course_});
    auto at = 2'500 + exponential(random, 9'000);
    for (int i = 0; i < 3 && at < dwell_ms && random.happens(Chance::percent(48)); ++i) {
      add({.time_ms = from_ms + at, .type = Type::course_click, .subject = course_});
      at += 2'000 + exponential(random, 15'000);
    }
  } else if (page_ == kSearch) {
    const auto found = random.happens(Chance::percent(8)) ? 0 : 1 + exponential(random, 22);
    add({.time_ms = from_ms + 1'500 + exponential(random, 2'500),
         .type = Type::search,
         .subject = campus.draw_search(random),
         .amount = found});
  } else if (page_ == kOffer && random.happens(Chance::percent(7))) {
    add({.time_ms = from_ms + dwell_ms * 3 / 4, .type = Type::conversion, .amount = 500 * random.between(1, 20) - 1});
  }
}

// Insertion: some ten steps, nearly in order; and equal times keep their order on any machine.
void Session::sort_steps() {
  for (std::size_t i = 1; i < steps_.size(); ++i) {
    const auto step = steps_[i];
    auto at = i;
    for (; at > 0 && steps_[at - 1].time_ms > step.time_ms; --at) steps_[at] = steps_[at - 1];
    steps_[at] = step;
  }
}

void Session::follow(const Campus& campus, Random& random, bool is_exam_season, std::int64_t time_ms) {
  if (clicked_ != kNothing && page_ != kOffer) {
    pages_left_ = std::max<std::uint8_t>(pages_left_, 1);
    return open_page(campus, random, kOffer, time_ms);
  }
  if (pages_left_ == 0) return;
  auto page = campus.draw_page(random, is_exam_season);
  if ((page_ == kCourseList || page_ == kSearch) && random.happens(Chance::percent(50))) page = kCourse;
  open_page(campus, random, page, time_ms);
}

void Session::take(const Campus& campus, Random& random, bool is_exam_season, std::int64_t event_time_ms,
                   std::string& ndjson) {
  const auto& step = steps_[next_];
  ++seq_;
  if (step.type == Type::scroll) deepest_ = step.depth;
  write(campus, step, event_time_ms, ndjson);
  if (++next_ < steps_.size()) return;
  // The next page takes a moment to load.
  follow(campus, random, is_exam_season, steps_.back().time_ms + random.between(200, 1'500));
}

}  // namespace marquee::simulate
