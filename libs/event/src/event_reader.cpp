#include "event_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <forward_list>
#include <vector>

#include "fields.h"
#include "marquee/base/json_text.h"
#include "marquee/event/person.h"
#include "marquee/event/timestamp.h"

namespace marquee::event {
namespace {

constexpr std::size_t kPropsLimit = 8192;
constexpr std::size_t kMaxDepth = 32;

std::string_view kind_name(dom::element value) {
  switch (value.type()) {
    case dom::element_type::ARRAY:
      return "a list";
    case dom::element_type::OBJECT:
      return "an object";
    case dom::element_type::STRING:
      return "text";
    case dom::element_type::BOOL:
      return "true or false";
    case dom::element_type::NULL_VALUE:
      return "null";
    default:
      return "a number";
  }
}

std::string_view host_of(std::string_view url) {
  if (const auto scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#"));
  if (const auto user = url.rfind('@'); user != std::string_view::npos) url.remove_prefix(user + 1);
  if (!url.starts_with('[')) url = url.substr(0, url.find(':'));
  return url;
}

// Reads one event object. The first refusal stays; later fields are then only skipped.
class EventReader {
 public:
  EventReader(const Context& context, const UserAgent& agent, std::string& props)
      : context_(context), agent_(agent), props_(props) {}

  /// `offset_ms` is what to add to client times (received - sent_at), where the request says when it was sent.
  bool read(dom::element element, std::optional<std::int64_t> offset_ms, Event& event, Rejection& rejection) {
    rejection_ = &rejection;
    dom::object object;
    if (element.get(object) != simdjson::SUCCESS)
      return refuse("", fmt::format("expected an object, got {}", kind_name(element)));
    event = Event();
    event.site_id = context_.site_id;
    event.received_time_ms = context_.received_time_ms;
    props_.clear();
    for (const auto& [name, value] : object)
      if (!read_field(name, value, event)) return false;
    return finish(offset_ms, event);
  }

 private:
  bool refuse(std::string_view field, std::string reason) {
    rejection_->field = field.substr(0, 128);
    rejection_->reason = std::move(reason);
    return false;
  }

  bool read_field(std::string_view name, dom::element value, Event& event) {
    if (value.is_null()) return true;
    const auto* spec = find_field(name);
    if (spec == nullptr) return keep_in_props(name, value, false);
    auto* member = reinterpret_cast<char*>(&event) + spec->offset;
    switch (spec->kind) {
      case Kind::text:
        return read_text(*spec, value, *reinterpret_cast<std::string_view*>(member));
      case Kind::u8:
        return read_whole(*spec, value, *reinterpret_cast<std::uint8_t*>(member));
      case Kind::u16:
      case Kind::permyriad:
        return read_whole(*spec, value, *reinterpret_cast<std::uint16_t*>(member));
      case Kind::u32:
        return read_whole(*spec, value, *reinterpret_cast<std::uint32_t*>(member));
      case Kind::i32:
        return read_whole(*spec, value, *reinterpret_cast<std::int32_t*>(member));
      case Kind::real:
        return read_real(*spec, value, event.value);
      case Kind::propensity:
        return read_propensity(*spec, value, event);
      case Kind::props:
        return read_props(value);
      case Kind::viewport:
        return read_viewport(value, event);
      default:
        return read_special(*spec, value, event);
    }
  }

  bool read_special(const Spec& spec, dom::element value, Event& event) {
    switch (spec.kind) {
      case Kind::type:
        return read_type(spec, value, event);
      case Kind::event_time:
        return read_time(spec, value, event_time_);
      case Kind::sent_at:
        return read_time(spec, value, sent_at_);
      case Kind::received_time:
        if (!context_.trusted) return refuse(spec.name, "only a trusted key may set it");
        return read_time(spec, value, received_time_);
      case Kind::session_id:
        return read_id(spec, value, session_, session_text_);
      case Kind::user_id:
        return read_id(spec, value, user_, user_text_);
      case Kind::session_key:
        return read_key(spec, value, "session_id", event.session_id);
      case Kind::user_key:
        return read_key(spec, value, "user_id", event.user_key);
      case Kind::is_bot:
        return read_is_bot(spec, value, event);
      case Kind::consent:
        return read_consent(spec, value, event);
      case Kind::site_id:
        return read_site(spec, value);
      case Kind::referrer:
        return read_referrer(spec, value, event);
      default:
        return true;
    }
  }

  bool read_text(const Spec& spec, dom::element value, std::string_view& target) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) {
      // Ids are often numbers where they come from a database.
      std::uint64_t number;
      if (value.get(number) != simdjson::SUCCESS)
        return refuse(spec.name, fmt::format("expected text, got {}", kind_name(value)));
      text = keep(std::to_string(number));
    }
    if (text.size() > spec.limit)
      return refuse(spec.name, fmt::format("{} bytes long; at most {} are taken", text.size(), spec.limit));
    if (text.find('\0') != std::string_view::npos) return refuse(spec.name, "contains a NUL character");
    target = text;
    return true;
  }

  template <class T>
  bool read_whole(const Spec& spec, dom::element value, T& target) {
    double number;
    if (value.get(number) != simdjson::SUCCESS)
      return refuse(spec.name, fmt::format("expected a whole number, got {}", kind_name(value)));
    if (!(number >= static_cast<double>(spec.least) && number <= static_cast<double>(spec.limit)) ||
        number != std::floor(number))
      return refuse(spec.name,
                    fmt::format("expected a whole number from {} to {}, got {}", spec.least, spec.limit, number));
    target = static_cast<T>(number);
    return true;
  }

  bool read_real(const Spec& spec, dom::element value, double& target) {
    double number;
    if (value.get(number) != simdjson::SUCCESS || !std::isfinite(number) || std::abs(number) > kLargestValue)
      return refuse(spec.name, fmt::format("expected a number of at most 1e12, got {}", kind_name(value)));
    target = number;
    return true;
  }

  bool read_propensity(const Spec& spec, dom::element value, Event& event) {
    double number = 0;
    if (!read_real(spec, value, number)) return false;
    if (!(number > 0 && number <= 1))
      return refuse(spec.name, fmt::format("expected a probability above 0 and at most 1, got {}", number));
    event.propensity = static_cast<float>(number);
    return true;
  }

  bool read_type(const Spec& spec, dom::element value, Event& event) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS)
      return refuse(spec.name, fmt::format("expected text, got {}", kind_name(value)));
    const auto type = parse_type(text);
    if (!type)
      return refuse(
          spec.name,
          fmt::format("unknown type \"{}\"; the nearest is \"{}\" (use \"custom\" and props.name for your own)",
                      text.substr(0, 64), nearest_type(text)));
    event.type = *type;
    has_type_ = true;
    return true;
  }

  bool read_time(const Spec& spec, dom::element value, std::optional<std::int64_t>& target) {
    double number;
    std::string_view text;
    if (value.get(number) == simdjson::SUCCESS) {
      if (number >= 0 && number < static_cast<double>(kLatestMs)) target = static_cast<std::int64_t>(number);
    } else if (value.get(text) == simdjson::SUCCESS) {
      target = parse_timestamp(text);
      if (target && (*target < 0 || *target >= kLatestMs)) target.reset();
    }
    return target || refuse(spec.name, "expected milliseconds since 1970 or an RFC 3339 time, before 2100");
  }

  bool read_id(const Spec& spec, dom::element value, std::string_view& target, std::string& storage) {
    if (value.get(target) != simdjson::SUCCESS) {
      std::int64_t number;
      if (value.get(number) != simdjson::SUCCESS)
        return refuse(spec.name, fmt::format("expected text or a number, got {}", kind_name(value)));
      storage = std::to_string(number);
      target = storage;
    }
    if (target.empty() || target.size() > spec.limit)
      return refuse(spec.name, fmt::format("expected 1 to {} bytes, got {}", spec.limit, target.size()));
    return true;
  }

  /// A hash as it is stored: a number, or its digits as text, since many tools round large numbers.
  bool read_key(const Spec& spec, dom::element value, std::string_view instead, std::uint64_t& target) {
    if (!context_.trusted)
      return refuse(spec.name, fmt::format("only a trusted key may set it; send {}, which is hashed", instead));
    if (value.get(target) == simdjson::SUCCESS) return true;
    std::string_view text;
    const auto* const begin = value.get(text) == simdjson::SUCCESS ? text.data() : nullptr;
    const auto [end, error] = std::from_chars(begin, begin + text.size(), target);
    return (error == std::errc() && end == begin + text.size()) || refuse(spec.name, "expected a whole number");
  }

  bool read_is_bot(const Spec& spec, dom::element value, Event& event) {
    if (!context_.trusted) return refuse(spec.name, "only a trusted key may set it");
    has_is_bot_ = true;
    return value.get(event.is_bot) == simdjson::SUCCESS || refuse(spec.name, "expected true or false");
  }

  bool read_consent(const Spec& spec, dom::element value, Event& event) {
    bool is_given = false;
    std::string_view text;
    if (value.get(is_given) == simdjson::SUCCESS) {
      event.consent = is_given ? Consent::full : Consent::denied;
      return true;
    }
    if (value.get(text) == simdjson::SUCCESS) {
      if (text == "full")
        event.consent = Consent::full;
      else if (text == "contextual")
        event.consent = Consent::contextual;
      else if (text == "denied")
        event.consent = Consent::denied;
      else if (text != "unknown")
        return refuse(spec.name, "expected \"full\", \"contextual\", \"denied\" or \"unknown\"");
      return true;
    }
    return refuse(spec.name, fmt::format("expected text, true or false, got {}", kind_name(value)));
  }

  bool read_site(const Spec& spec, dom::element value) {
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS && text == context_.site_id) return true;
    return refuse(spec.name, fmt::format("the write key is for site \"{}\"", context_.site_id));
  }

  bool read_referrer(const Spec& spec, dom::element value, Event& event) {
    std::string_view text;
    if (!read_text(spec, value, text)) return false;
    event.referrer_host = host_of(text).substr(0, 253);
    return true;
  }

  bool read_viewport(dom::element value, Event& event) {
    dom::object object;
    if (value.get(object) != simdjson::SUCCESS) return refuse("viewport", "expected an object with width and height");
    static constexpr Spec kWidth{"viewport.width", Kind::u16, 0, 65535};
    static constexpr Spec kHeight{"viewport.height", Kind::u16, 0, 65535};
    for (const auto& [name, member] : object) {
      if (name == "width" && !read_whole(kWidth, member, event.viewport_width)) return false;
      if (name == "height" && !read_whole(kHeight, member, event.viewport_height)) return false;
    }
    return true;
  }

  bool read_props(dom::element value) {
    dom::object object;
    if (value.get(object) != simdjson::SUCCESS)
      return refuse("props", fmt::format("expected an object, got {}", kind_name(value)));
    for (const auto& [name, member] : object)
      if (!keep_in_props(name, member, true)) return false;
    return true;
  }

  // Appends `"name":value` to the props text. Names met twice: props' own win, the other goes under "_" + name.
  bool keep_in_props(std::string_view name, dom::element value, bool is_own) {
    if (name.find('\0') != std::string_view::npos) return refuse("props", "a name contains a NUL character");
    if (depth_of(value, 0) > kMaxDepth)
      return refuse(is_own ? "props" : name, fmt::format("nested deeper than {} levels", kMaxDepth));
    (is_own ? own_props_ : other_props_).emplace_back(name, value);
    return true;
  }

  static std::size_t depth_of(dom::element value, std::size_t depth) {
    if (depth > kMaxDepth) return depth;
    std::size_t deepest = depth;
    if (dom::array array; value.get(array) == simdjson::SUCCESS) {
      for (auto member : array) deepest = std::max(deepest, depth_of(member, depth + 1));
    } else if (dom::object object; value.get(object) == simdjson::SUCCESS) {
      for (auto member : object) deepest = std::max(deepest, depth_of(member.value, depth + 1));
    }
    return deepest;
  }

  bool write_props(Event& event) {
    if (own_props_.empty() && other_props_.empty()) return true;
    std::vector<std::string> names;
    const auto write = [&](std::string name, dom::element value) {
      while (std::find(names.begin(), names.end(), name) != names.end()) name.insert(0, "_");
      props_ += props_.empty() ? '{' : ',';
      append_json_string(props_, name);
      props_ += ':';
      props_ += simdjson::minify(value);
      names.push_back(std::move(name));
    };
    for (const auto& [name, value] : own_props_) write(std::string(name), value);
    for (const auto& [name, value] : other_props_) write(std::string(name), value);
    props_ += '}';
    if (props_.size() > kPropsLimit)
      return refuse("props", fmt::format("{} bytes with the fields that are not known; at most {} are taken",
                                         props_.size(), kPropsLimit));
    event.props = props_;
    return true;
  }

  std::string_view keep(std::string text) { return kept_.emplace_front(std::move(text)); }

  bool finish(std::optional<std::int64_t> offset_ms, Event& event) {
    if (!has_type_) return refuse("type", "missing");
    if (event.external_id.empty()) {
      if (session_.empty() && event.session_id == 0)
        return refuse("session_id", "missing: an event needs session_id and seq, or external_id");
      if (event.seq == 0) return refuse("seq", "missing: an event with session_id needs seq, from 1");
    }
    return finish_time(offset_ms, event) && write_props(event) && finish_person(event);
  }

  bool finish_time(std::optional<std::int64_t> offset_ms, Event& event) {
    if (received_time_) event.received_time_ms = *received_time_;
    if (sent_at_) offset_ms = context_.received_time_ms - *sent_at_;
    const auto client_time =
        event_time_.value_or(offset_ms ? event.received_time_ms - *offset_ms : event.received_time_ms);
    client_day_ = client_time / 86'400'000;
    event.event_time_ms = client_time + offset_ms.value_or(0);
    const auto age = event.received_time_ms - event.event_time_ms;
    if (context_.max_age_ms > 0 && age > context_.max_age_ms)
      return refuse("event_time", fmt::format("{} days old; at most {} are taken", age / 86'400'000,
                                              context_.max_age_ms / 86'400'000));
    if (event.event_time_ms < 0 || event.event_time_ms >= kLatestMs ||
        (!context_.trusted && -age > context_.max_future_ms))
      event.event_time_ms = event.received_time_ms;
    return true;
  }

  bool finish_person(Event& event) {
    if (event.device.empty()) event.device = agent_.device;
    if (event.os.empty()) event.os = agent_.os;
    if (event.browser.empty()) event.browser = agent_.browser;
    if (!has_is_bot_) event.is_bot = agent_.is_bot;
    const bool is_denied =
        event.consent == Consent::denied || (event.consent == Consent::unknown && context_.consent_required);
    if (!is_denied) {
      if (!session_.empty()) event.session_id = hash_session(context_.hash_key, session_);
      if (!user_.empty()) event.user_key = hash_user(context_.hash_key, user_);
      if (event.consent == Consent::contextual) event.user_key = 0;
      return true;
    }
    // Enough identity to drop a retry, for a day; nothing that links days or tells who.
    if (!session_.empty()) event.session_id = hash_session_of_day(context_.hash_key, client_day_, session_);
    event.user_key = 0;
    event.college_id = event.program = event.city = event.search_query = event.props = {};
    event.year_of_study = 0;
    return true;
  }

  const Context& context_;
  const UserAgent& agent_;
  std::string& props_;
  Rejection* rejection_ = nullptr;
  std::optional<std::int64_t> event_time_, sent_at_, received_time_;
  std::string_view session_, user_;
  std::string session_text_, user_text_;
  std::forward_list<std::string> kept_;  // A list, so that views into it stay valid.
  std::vector<std::pair<std::string_view, dom::element>> own_props_, other_props_;
  std::int64_t client_day_ = 0;
  bool has_type_ = false, has_is_bot_ = false;
};

}  // namespace

bool read_event(dom::element element, const Context& context, const UserAgent& agent,
                std::optional<std::int64_t> offset_ms, std::string& props, Rejection& rejection,
                const std::function<void(const Event&)>& on_event) {
  Event event;
  EventReader reader(context, agent, props);
  if (!reader.read(element, offset_ms, event, rejection)) return false;
  on_event(event);
  return true;
}

}  // namespace marquee::event
