#include "marquee/notify/schedule.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "marquee/base/zone.h"

namespace marquee::notify {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kEvery = {std::string_view("minutes"), std::string_view("hour"), std::string_view("day"),
                               std::string_view("week")};
constexpr std::array kWeekdays = {std::string_view("monday"),    std::string_view("tuesday"),
                                  std::string_view("wednesday"), std::string_view("thursday"),
                                  std::string_view("friday"),    std::string_view("saturday"),
                                  std::string_view("sunday")};
constexpr std::uint64_t kMostMinutes = 1440;
constexpr Millis kHour = std::chrono::hours(1);

Error wrong(std::string_view what) { return Error::reject(fmt::format("schedule: {}", what)); }

/// "08:05"
bool read_clock(const std::string& text, Schedule& schedule) {
  const auto digit = [&](std::size_t i) { return static_cast<unsigned>(text[i] - '0'); };
  if (text.size() != 5 || text[2] != ':') return false;
  for (const std::size_t i : {0U, 1U, 3U, 4U})
    if (text[i] < '0' || text[i] > '9') return false;
  schedule.hour = digit(0) * 10 + digit(1);
  schedule.minute = digit(3) * 10 + digit(4);
  return schedule.hour < 24 && schedule.minute < 60;
}

std::vector<std::string_view> members_of(Schedule::Every every) {
  switch (every) {
    case Schedule::Every::minutes:
      return {"every", "minutes"};
    case Schedule::Every::hour:
      return {"every", "minute", "zone"};
    case Schedule::Every::day:
      return {"every", "at", "zone"};
    case Schedule::Every::week:
      return {"every", "on", "at", "zone"};
  }
  return {};
}

Result<void> read_members(const Json& json, Schedule& schedule) {
  const auto members = members_of(schedule.every);
  for (const auto& [name, value] : json.items()) {
    if (name == "every") continue;
    if (std::ranges::find(members, name) == members.end())
      return wrong(fmt::format("every {} has no \"{}\"; there are {}", kEvery[static_cast<std::size_t>(schedule.every)],
                               name.substr(0, 64), fmt::join(members, ", ")));
    if (name == "minutes" || name == "minute") {
      const bool is_interval = name == "minutes";
      const std::uint64_t least = is_interval ? 1 : 0, most = is_interval ? kMostMinutes : 59;
      if (!value.is_number_unsigned() || value.get<std::uint64_t>() < least || value.get<std::uint64_t>() > most)
        return wrong(fmt::format("{}: expected a whole number from {} to {}", name, least, most));
      (is_interval ? schedule.minutes : schedule.minute) = value.get<unsigned>();
    } else if (!value.is_string()) {
      return wrong(fmt::format("{}: expected text", name));
    } else if (name == "at") {
      if (!read_clock(value, schedule)) return wrong("at: expected a time of day like 08:00");
    } else if (name == "on") {
      const auto day = std::ranges::find(kWeekdays, value.get<std::string>());
      if (day == kWeekdays.end()) return wrong(fmt::format("on: expected one of {}", fmt::join(kWeekdays, ", ")));
      schedule.weekday = static_cast<unsigned>(day - kWeekdays.begin()) + 1;
    } else {
      schedule.zone = value;
      if (find_zone(schedule.zone) == nullptr)
        return wrong(fmt::format("zone: there is no time zone \"{}\"; expected a name like Asia/Kolkata",
                                 schedule.zone.substr(0, 64)));
    }
  }
  return {};
}

/// When that time of that local day is.
WallTime moment_of(const Schedule& schedule, const date::time_zone& zone, date::local_days day) {
  const auto local = day + std::chrono::hours(schedule.hour) + std::chrono::minutes(schedule.minute);
  const auto info = zone.get_info(local);
  // In a gap `first` ends, and `second` begins, where the clock is set forward.
  if (info.result == date::local_info::nonexistent) return std::chrono::time_point_cast<Millis>(info.first.end);
  return WallTime(std::chrono::duration_cast<Millis>(local.time_since_epoch() - info.first.offset));
}

WallTime next_of_days(const Schedule& schedule, const date::time_zone& zone, WallTime after) {
  const auto info = zone.get_info(after);
  const auto local = date::local_time<Millis>(after.time_since_epoch() + info.offset);
  auto day = date::floor<date::days>(local) - date::days(2);
  for (;; day += date::days(1)) {
    if (schedule.every == Schedule::Every::week && date::weekday(day).iso_encoding() != schedule.weekday) continue;
    if (const auto moment = moment_of(schedule, zone, day); moment > after) return moment;
  }
}

/// The next time that so many milliseconds have passed since a multiple of `step`.
WallTime next_of_grid(WallTime after, Millis step, Millis phase) {
  const auto since = (after.time_since_epoch() - phase).count();
  const auto steps = since >= 0 ? since / step.count() : -((-since + step.count() - 1) / step.count());
  return WallTime(phase + (steps + 1) * step);
}

WallTime next_of_hours(const Schedule& schedule, const date::time_zone& zone, WallTime after) {
  const auto next_at = [&](WallTime from, std::chrono::seconds offset) {
    return next_of_grid(from, kHour, std::chrono::minutes(schedule.minute) - Millis(offset));
  };
  const auto info = zone.get_info(after);
  const auto next = next_at(after, info.offset);
  if (next < info.end) return next;
  // From there on another offset holds; not every one differs by whole hours.
  const auto change = std::chrono::time_point_cast<Millis>(info.end);
  return next_at(change - Millis(1), zone.get_info(change).offset);
}

}  // namespace

Result<Schedule> read_schedule(const std::string& text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return wrong("expected an object");
  const auto every = json.find("every");
  const auto kind =
      every == json.end() || !every->is_string() ? kEvery.end() : std::ranges::find(kEvery, every->get<std::string>());
  if (kind == kEvery.end()) return wrong(fmt::format("every: expected one of {}", fmt::join(kEvery, ", ")));
  Schedule schedule;
  schedule.every = static_cast<Schedule::Every>(kind - kEvery.begin());
  for (const auto needed : {"minutes", "at", "on"}) {
    const auto members = members_of(schedule.every);
    if (std::ranges::find(members, needed) != members.end() && !json.contains(needed))
      return wrong(fmt::format("{}: missing", needed));
  }
  if (auto read = read_members(json, schedule); !read) return read.error();
  return schedule;
}

std::string write_schedule(const Schedule& schedule) {
  Json json = {{"every", kEvery[static_cast<std::size_t>(schedule.every)]}};
  using Every = Schedule::Every;
  if (schedule.every == Every::minutes) json["minutes"] = schedule.minutes;
  if (schedule.every == Every::hour) json["minute"] = schedule.minute;
  if (schedule.every == Every::week) json["on"] = kWeekdays[schedule.weekday - 1];
  if (schedule.every == Every::day || schedule.every == Every::week)
    json["at"] = fmt::format("{:02}:{:02}", schedule.hour, schedule.minute);
  if (schedule.every != Every::minutes) json["zone"] = schedule.zone;
  return json.dump();
}

WallTime next_due(const Schedule& schedule, WallTime after) {
  if (schedule.every == Schedule::Every::minutes)
    return next_of_grid(after, std::chrono::minutes(schedule.minutes), Millis(0));
  const auto* zone = find_zone(schedule.zone);
  if (zone == nullptr) zone = date::locate_zone("UTC");  // It was there when the schedule was read.
  return schedule.every == Schedule::Every::hour ? next_of_hours(schedule, *zone, after)
                                                 : next_of_days(schedule, *zone, after);
}

std::optional<WallTime> last_due(const Schedule& schedule, WallTime after, WallTime at) {
  auto first = next_due(schedule, after);
  if (first > at) return std::nullopt;
  // From shortly before `at`, so that a year of minutes is not gone through.
  const auto longest = schedule.every == Schedule::Every::week  ? std::chrono::days(9)
                       : schedule.every == Schedule::Every::day ? std::chrono::days(2)
                                                                : std::chrono::days(1);
  auto due = std::max(first, next_due(schedule, std::max(after, at - std::chrono::duration_cast<Millis>(longest))));
  if (due > at) due = first;
  for (auto next = next_due(schedule, due); next <= at; next = next_due(schedule, due)) due = next;
  return due;
}

}  // namespace marquee::notify
