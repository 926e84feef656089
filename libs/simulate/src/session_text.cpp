// How a session's events read as NDJSON. Fields that do not change are written once a session, or once a page.
#include "session.h"
#include "text.h"

namespace marquee::simulate {
namespace {

using event::Type;

struct Device {
  std::string_view fields;  ///< Device, os and browser.
  std::uint16_t width, height;
};

constexpr std::array<Device, 4> kAndroid = {{{R"(,"device":"mobile","os":"android","browser":"chrome")", 412, 915},
                                             {R"(,"device":"mobile","os":"android","browser":"chrome")", 360, 800},
                                             {R"(,"device":"mobile","os":"android","browser":"samsung")", 384, 854},
                                             {R"(,"device":"tablet","os":"android","browser":"chrome")", 800, 1280}}};
constexpr std::array<Device, 4> kApple = {{{R"(,"device":"mobile","os":"ios","browser":"safari")", 390, 844},
                                           {R"(,"device":"mobile","os":"ios","browser":"safari")", 430, 932},
                                           {R"(,"device":"mobile","os":"ios","browser":"chrome")", 375, 812},
                                           {R"(,"device":"tablet","os":"ios","browser":"safari")", 820, 1180}}};
constexpr std::array<Device, 4> kWindows = {{{R"(,"device":"desktop","os":"windows","browser":"chrome")", 1920, 1080},
                                             {R"(,"device":"desktop","os":"windows","browser":"edge")", 1366, 768},
                                             {R"(,"device":"desktop","os":"windows","browser":"firefox")", 1536, 864},
                                             {R"(,"device":"desktop","os":"linux","browser":"firefox")", 1920, 1080}}};
constexpr std::array<Device, 4> kMac = {{{R"(,"device":"desktop","os":"macos","browser":"safari")", 1440, 900},
                                         {R"(,"device":"desktop","os":"macos","browser":"chrome")", 1512, 982},
                                         {R"(,"device":"desktop","os":"macos","browser":"chrome")", 1728, 1117},
                                         {R"(,"device":"desktop","os":"macos","browser":"firefox")", 1440, 900}}};

constexpr std::array<std::string_view, 5> kReferrers = {
    "", R"(,"referrer":"https://www.google.com/")", R"(,"referrer":"https://mail.campus.example/inbox")",
    R"(,"referrer":"https://t.me/")", R"(,"referrer":"https://moodle.campus.example/my/")"};

}  // namespace

void Session::write_fields(const Campus& campus, Random& random, std::uint64_t id) {
  auto& out = fields_;
  out = R"(,"session_id":")";
  append_hex(out, id);
  out += R"(","consent":")";
  out.append(kConsents[student_.consent]) += '"';
  // Who denied consent is not named by the page either; some others have not logged in.
  const bool is_named = kConsents[student_.consent] != "denied";
  if (is_named && !random.happens(Chance::percent(7))) {
    out += R"(,"user_id":"student-)";
    append_number(out, student_.number);
    out += '"';
  }
  if (is_named) {
    out.append(R"(,"college_id":")").append(campus.college(student_.college));
    out.append(R"(","program":")").append(kPrograms[student_.program].name);
    append_member(out, R"(","year_of_study":)", student_.year);
    out.append(R"(,"city":")").append(campus.city(student_.college)) += '"';
  }
  const auto& devices = is_mobile_ ? (student_.has_iphone ? kApple : kAndroid) : (student_.has_mac ? kMac : kWindows);
  const auto ticket = random.below(100);
  const auto& device = devices[ticket < 45 ? 0 : ticket < 75 ? 1 : ticket < 92 ? 2 : 3];
  out += device.fields;
  append_member(out, R"(,"viewport_width":)", device.width);
  append_member(out, R"(,"viewport_height":)", device.height);
}

void Session::write_ad(const Campus& campus, std::uint8_t ad, bool has_slot, std::string& out) const {
  if (has_slot) {
    out.append(R"(,"slot_id":")").append(kPages[page_].id) += '-';
    out.append(kPlaces[ad].slot);
    append_member(out, R"(","position":)", ad + 1);
  }
  out.append(campus.ad_fields(ads_[ad].choice));
  out += R"(,"decision_id":")";
  append_hex(out, ads_[ad].decision);
  out += '"';
}

void Session::write_point(const Step& step, std::string& out) const {
  const auto& place = kPlaces[step.ad];
  append_member(out, R"(,"x":)", step.x);
  append_member(out, R"(,"y":)", step.y);
  append_member(out, R"(,"page_x":)", place.x + step.x * place.width / 10'000);
  append_member(out, R"(,"page_y":)", place.y + step.y * place.height / 10'000);
}

void Session::write(const Campus& campus, const Step& step, std::int64_t event_time_ms, std::string& out) const {
  out.append(R"({"type":")").append(event::name(step.type));
  append_member(out, R"(","seq":)", seq_);
  append_member(out, R"(,"event_time":)", event_time_ms);
  out.append(fields_).append(page_fields_);
  switch (step.type) {
    case Type::page_view:
      if (seq_ == 1) out += kReferrers[referrer_];
      break;
    case Type::page_leave:
      append_member(out, R"(,"dwell_ms":)", step.ms);
      append_member(out, R"(,"scroll_depth":)", deepest_);
      break;
    case Type::scroll:
      append_member(out, R"(,"scroll_depth":)", step.depth);
      break;
    case Type::impression:
      write_ad(campus, step.ad, true, out);
      break;
    case Type::viewable_impression:
      write_ad(campus, step.ad, true, out);
      append_member(out, R"(,"visible_ms":)", step.ms);
      break;
    case Type::hover:
      write_ad(campus, step.ad, true, out);
      write_point(step, out);
      append_member(out, R"(,"dwell_ms":)", step.ms);
      break;
    case Type::click:
      write_ad(campus, step.ad, true, out);
      write_point(step, out);
      break;
    case Type::conversion:
      write_ad(campus, clicked_, false, out);
      append_member(out, R"(,"value":)", step.amount);
      break;
    case Type::course_view:
    case Type::course_click:
      append_member(out, R"(,"course_id":"course-)", step.subject + 1);
      out += '"';
      break;
    case Type::search:
      out.append(R"(,"search_query":")").append(kSearches[step.subject]);
      append_member(out, R"(","results_count":)", step.amount);
      break;
    default:
      break;
  }
  out += "}\n";
}

}  // namespace marquee::simulate
