// One visit of one student: plans a page at a time, and writes its events as lines.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "campus.h"
#include "marquee/event/event.h"
#include "random.h"

namespace marquee::simulate {

/// An event that is going to happen on the page at hand. Which fields count follows from its type.
struct Step {
  std::int64_t time_ms = 0;
  event::Type type = event::Type::page_view;
  std::uint8_t ad = 0;         ///< Index of the ads of the page.
  std::uint16_t x = 0, y = 0;  ///< In 1/10,000 of the slot.
  std::uint16_t depth = 0;     ///< scroll_depth.
  std::uint32_t ms = 0;        ///< dwell_ms or visible_ms.
  std::uint32_t subject = 0;   ///< Course, or search.
  std::uint32_t amount = 0;    ///< results_count, or value.
};

/// Not thread safe. A session is used again for the next student, so that its buffers stay.
class Session {
 public:
  /// `id` must be unique within the stream.
  void begin(const Campus& campus, Random& random, std::uint64_t id, std::int64_t time_ms, bool is_exam_season);
  [[nodiscard]] bool is_over() const { return next_ == steps_.size(); }
  [[nodiscard]] std::int64_t next_time_ms() const { return steps_[next_].time_ms; }
  /// Appends the event that happens next, with `event_time_ms`, and moves on; plans the next page where there is one.
  void take(const Campus& campus, Random& random, bool is_exam_season, std::int64_t event_time_ms, std::string& ndjson);

 private:
  struct Ad {
    Choice choice;
    std::uint64_t decision = 0;
  };

  void write_fields(const Campus& campus, Random& random, std::uint64_t id);
  void open_page(const Campus& campus, Random& random, std::uint8_t page, std::int64_t time_ms);
  void plan_scrolls(Random& random, std::int64_t from_ms, std::uint32_t dwell_ms);
  void plan_ads(const Campus& campus, Random& random, std::int64_t from_ms, std::uint32_t& dwell_ms);
  void plan_purpose(const Campus& campus, Random& random, std::int64_t from_ms, std::uint32_t dwell_ms);
  void follow(const Campus& campus, Random& random, bool is_exam_season, std::int64_t time_ms);
  /// How far down the page shows before any scroll, in 1/10,000.
  [[nodiscard]] std::uint32_t first_depth() const { return is_mobile_ ? 1'400 : 2'600; }
  void add(Step step) { steps_.push_back(step); }
  void sort_steps();
  void write(const Campus& campus, const Step& step, std::int64_t event_time_ms, std::string& out) const;
  void write_ad(const Campus& campus, std::uint8_t ad, bool has_slot, std::string& out) const;
  void write_point(const Step& step, std::string& out) const;

  std::string fields_;       // What all events of the session share, as JSON members.
  std::string page_fields_;  // What all events of the page share.
  std::vector<Step> steps_;
  std::size_t next_ = 0;
  std::array<Ad, kPlaces.size()> ads_{};
  Student student_;
  std::uint32_t seq_ = 0;
  std::uint32_t course_ = 0;
  std::uint32_t deepest_ = 0;
  std::uint8_t page_ = 0;
  std::uint8_t pages_left_ = 0;
  std::uint8_t clicked_ = kNothing;  // The ad whose offer comes next, or is on the page.
  std::uint8_t referrer_ = 0;
  bool is_mobile_ = false;

  static constexpr std::uint8_t kNothing = 0xFF;
};

}  // namespace marquee::simulate
