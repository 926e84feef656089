// The binary form of an event: version, a bitmap of the fields present, the fields in the order of the bitmap. Integers
// are LEB128 varints (zigzag where signed), text is length and bytes, floating point its little-endian bytes.
#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "marquee/event/event.h"

namespace marquee::event {
namespace {

constexpr char kVersion = 1;

class CodecWriter {
 public:
  explicit CodecWriter(std::string& out) : out_(out) {}
  void varint(std::uint64_t value) {
    while (value >= 0x80) {
      out_ += static_cast<char>(value | 0x80);
      value >>= 7;
    }
    out_ += static_cast<char>(value);
  }
  void field(std::string_view text, bool) {
    varint(text.size());
    out_ += text;
  }
  template <class T>
    requires std::is_unsigned_v<T>
  void field(T value, bool) {
    if constexpr (std::is_same_v<T, bool>) {
      // The bitmap says it.
    } else {
      varint(value);
    }
  }
  template <class T>
    requires std::is_signed_v<T> && std::is_integral_v<T>
  void field(T value, bool) {
    const auto wide = static_cast<std::int64_t>(value);
    varint((static_cast<std::uint64_t>(wide) << 1) ^ static_cast<std::uint64_t>(wide >> 63));
  }
  template <class T>
    requires std::is_floating_point_v<T>
  void field(T value, bool) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    out_.append(bytes, sizeof value);
  }
  template <class T>
    requires std::is_enum_v<T>
  void field(T value, bool) {
    varint(static_cast<std::uint64_t>(value));
  }

 private:
  std::string& out_;
};

class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  [[nodiscard]] bool is_good() const { return is_good_; }
  [[nodiscard]] bool is_at_end() const { return in_.empty(); }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (in_.empty()) return fail();
      const auto byte = static_cast<unsigned char>(in_.front());
      in_.remove_prefix(1);
      if (shift == 63 && byte > 1) return fail();
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    return fail();
  }
  void field(std::string_view& text, bool) {
    const auto size = varint();
    if (size > in_.size()) {
      fail();
      return;
    }
    text = in_.substr(0, size);
    in_.remove_prefix(size);
  }
  template <class T>
    requires std::is_unsigned_v<T>
  void field(T& value, bool) {
    if constexpr (std::is_same_v<T, bool>) {
      value = true;
    } else {
      const auto wide = varint();
      value = static_cast<T>(wide);
      if (value != wide) fail();
    }
  }
  template <class T>
    requires std::is_signed_v<T> && std::is_integral_v<T>
  void field(T& value, bool) {
    const auto raw = varint();
    const auto wide = static_cast<std::int64_t>(raw >> 1) ^ -static_cast<std::int64_t>(raw & 1);
    value = static_cast<T>(wide);
    if (value != wide) fail();
  }
  template <class T>
    requires std::is_floating_point_v<T>
  void field(T& value, bool) {
    if (in_.size() < sizeof value) {
      fail();
      return;
    }
    std::memcpy(&value, in_.data(), sizeof value);
    in_.remove_prefix(sizeof value);
  }
  template <class T>
    requires std::is_enum_v<T>
  void field(T& value, bool) {
    const auto wide = varint();
    const auto most =
        std::is_same_v<T, Type> ? static_cast<std::uint64_t>(Type::custom) : static_cast<std::uint64_t>(Consent::full);
    if (wide > most || (std::is_same_v<T, Type> && wide == 0)) {
      fail();
      return;
    }
    value = static_cast<T>(wide);
  }

 private:
  std::uint64_t fail() {
    is_good_ = false;
    in_ = {};
    return 0;
  }
  std::string_view in_;
  bool is_good_ = true;
};

// Visits every field in the order of the bitmap. The order is the format: only append to it.
template <class E, class F>
void for_each_field(E& e, F&& visit) {
  visit(e.site_id);
  visit(e.session_id);
  visit(e.seq);
  visit(e.external_id);
  visit(e.event_time_ms);
  visit(e.received_time_ms);
  visit(e.type);
  visit(e.user_key);
  visit(e.college_id);
  visit(e.program);
  visit(e.city);
  visit(e.device);
  visit(e.os);
  visit(e.browser);
  visit(e.year_of_study);
  visit(e.is_bot);
  visit(e.consent);
  visit(e.page_id);
  visit(e.page_path);
  visit(e.referrer_host);
  visit(e.slot_id);
  visit(e.position);
  visit(e.viewport_width);
  visit(e.viewport_height);
  visit(e.scroll_depth);
  visit(e.slot_x);
  visit(e.slot_y);
  visit(e.page_x);
  visit(e.page_y);
  visit(e.campaign_id);
  visit(e.ad_id);
  visit(e.decision_id);
  visit(e.course_id);
  visit(e.search_query);
  visit(e.results_count);
  visit(e.dwell_ms);
  visit(e.visible_ms);
  visit(e.value);
  visit(e.propensity);
  visit(e.policy);
  visit(e.props);
}

template <class T>
bool is_same_value(const T& a, const T& b) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::memcmp(&a, &b, sizeof a) == 0;  // -0 and NaN are kept as they are
  } else {
    return a == b;
  }
}

std::uint64_t presence(const Event& event) {
  static const Event kAbsent;
  std::uint64_t bits = 0;
  std::array<const void*, 41> defaults{};
  std::size_t count = 0;
  for_each_field(kAbsent, [&](const auto& field) { defaults[count++] = &field; });
  std::size_t index = 0;
  for_each_field(event, [&](const auto& field) {
    using T = std::decay_t<decltype(field)>;
    if (!is_same_value(field, *static_cast<const T*>(defaults[index]))) bits |= std::uint64_t{1} << index;
    ++index;
  });
  return bits;
}

}  // namespace

void encode(const Event& event, std::string& out) {
  const auto bits = presence(event);
  out += kVersion;
  CodecWriter writer(out);
  writer.varint(bits);
  std::size_t index = 0;
  for_each_field(event, [&](const auto& field) {
    if (bits >> index++ & 1) writer.field(field, true);
  });
}

Result<Event> decode(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != kVersion)
    return Error::reject(fmt::format("an event of unknown version {}", bytes.empty() ? -1 : int{bytes.front()}));
  Reader reader(bytes.substr(1));
  const auto bits = reader.varint();
  if (bits >> 41 != 0) return Error::reject("an event with fields that this version does not know");
  Event event;
  std::size_t index = 0;
  for_each_field(event, [&](auto& field) {
    if (bits >> index++ & 1) reader.field(field, true);
  });
  if (!reader.is_good()) return Error::reject("an event that is cut off or malformed");
  if (!reader.is_at_end()) return Error::reject("an event with bytes after its end");
  return event;
}

}  // namespace marquee::event
