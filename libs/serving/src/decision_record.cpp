#include "decision_record.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "marquee/clickhouse/row_binary.h"
#include "marquee/decision/inventory.h"
#include "marquee/decision/names.h"

namespace marquee::serving {
namespace {

static_assert(std::endian::native == std::endian::little, "as RowBinary is");

class RowWriter {
 public:
  explicit RowWriter(std::string& out) : out_(out) {}
  template <class T>
  void number(T value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    out_.append(bytes, sizeof bytes);
  }
  void size(std::size_t size) {
    for (; size >= 0x80; size >>= 7) out_ += static_cast<char>(size | 0x80);
    out_ += static_cast<char>(size);
  }
  void text(std::string_view text) {
    size(text.size());
    out_ += text;
  }

 private:
  std::string& out_;
};

/// By field, in order, as a Map of Arrays.
void write_context(RowWriter& write, const decision::Context& context) {
  std::vector<std::pair<std::string, std::vector<std::string_view>>> by_name;
  for (const auto& known : context.known) {
    std::string field(decision::name(known.field));
    if (known.field == decision::Field::attribute) field.append(".").append(known.name);
    const auto found =
        std::ranges::find(by_name, field, [](const auto& one) -> const std::string& { return one.first; });
    auto& values = found != by_name.end()
                       ? found->second
                       : by_name.emplace_back(std::move(field), std::vector<std::string_view>()).second;
    values.push_back(known.value);
  }
  write.size(by_name.size());
  for (const auto& [field, values] : by_name) {
    write.text(field);
    write.size(values.size());
    for (const auto value : values) write.text(value);
  }
}

/// A count of RowBinary's, which the reader has as the length of a text only.
std::optional<std::uint64_t> read_size(clickhouse::RowBinaryReader& reader) {
  std::uint64_t size = 0;
  for (unsigned shift = 0; shift <= 56; shift += 7) {
    const auto byte = reader.number<std::uint8_t>();
    if (!byte) return std::nullopt;
    size |= static_cast<std::uint64_t>(*byte & 0x7F) << shift;
    if (*byte < 0x80) return size;
  }
  return std::nullopt;
}

template <class Read>
bool read_array(clickhouse::RowBinaryReader& reader, Read read_one) {
  const auto size = read_size(reader);
  for (std::uint64_t i = 0; size && i < *size; ++i)
    if (!read_one()) return false;
  return size.has_value();
}

}  // namespace

void append_record(std::string_view site_id, const decision::Request& request, const decision::Decision& decision,
                   std::string& out) {
  RowWriter write(out);
  const auto id = decision::text_of(decision.id);
  for (std::size_t i = 0; i < decision.choices.size(); ++i) {
    const auto& choice = decision.choices[i];
    const auto& placement = request.placements[i];
    write.text(site_id);
    write.text(id);
    write.number(static_cast<std::uint8_t>(i));
    write.number(decision.time_ms);
    write.number(decision.user_key);
    write.text(decision.policy);
    write.number(decision.inventory ? decision.inventory->version() : std::int64_t{0});
    write.text(placement.slot);
    write.number(placement.position);
    write.text(choice.ad != nullptr ? std::string_view(choice.ad->campaign->campaign->id) : std::string_view());
    write.text(choice.ad != nullptr ? std::string_view(choice.ad->ad->id) : std::string_view());
    write.text(decision::name(choice.because));
    write.number(choice.propensity);
    write.number(static_cast<std::uint8_t>(choice.is_bound));
    write_context(write, request.context);
    write.size(choice.candidates.size());
    for (const auto& one : choice.candidates) write.text(one.ad->ad->id);
    write.size(choice.candidates.size());
    for (const auto& one : choice.candidates) write.number(one.score);
    write.size(choice.candidates.size());
    for (const auto& one : choice.candidates) write.number(one.propensity);
  }
}

event::Event event_of(const LoggedChoice& choice) {
  event::Event event;
  event.site_id = choice.site_id;
  event.decision_id = choice.decision_id;
  event.ad_id = choice.ad_id;
  event.slot_id = choice.slot_id;
  return event;
}

Result<std::vector<LoggedChoice>> read_record(std::string_view record) {
  std::vector<LoggedChoice> choices;
  clickhouse::RowBinaryReader reader(record);
  while (!reader.at_end()) {
    LoggedChoice one;
    const auto take = [&](std::string_view& target) { target = reader.text().value_or(std::string_view()); };
    take(one.site_id);
    take(one.decision_id);
    one.placement = reader.number<std::uint8_t>().value_or(0);
    one.time_ms = reader.number<std::int64_t>().value_or(0);
    one.user_key = reader.number<std::uint64_t>().value_or(0);
    static_cast<void>(reader.text());
    static_cast<void>(reader.number<std::int64_t>());
    take(one.slot_id);
    one.position = reader.number<std::uint8_t>().value_or(0);
    take(one.campaign_id);
    take(one.ad_id);
    static_cast<void>(reader.text());
    static_cast<void>(reader.number<float>());
    static_cast<void>(reader.number<std::uint8_t>());
    const auto text = [&] { return reader.text().has_value(); };
    const auto number = [&] { return reader.number<float>().has_value(); };
    const auto field = [&] {
      const auto name = reader.text();
      return name && read_array(reader, [&] {
               const auto value = reader.text();
               if (value) one.context.emplace_back(*name, *value);
               return value.has_value();
             });
    };
    const bool is_whole = read_array(reader, field) && read_array(reader, text) && read_array(reader, number) &&
                          read_array(reader, number);
    if (!is_whole || reader.failed()) return Error::give_up("a record of the decisions' log is damaged");
    if (!one.ad_id.empty()) choices.push_back(std::move(one));
  }
  return choices;
}

}  // namespace marquee::serving
