#include "decision_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "marquee/clickhouse/row_binary.h"
#include "marquee/decision/names.h"
#include "marquee/serving/decision_person.h"

namespace marquee::serving {
namespace {

static_assert(std::endian::native == std::endian::little, "as RowBinary is");

/// What stands in front. Records of the first form had no mark: they began with their site's id, which is not empty.
constexpr char kMark = '\0';
enum class Form : char { all_named = 0, counted = 1, inventory = 2, described = 3 };

/// Of rows. Each form has what the one before it had, and more.
bool has_counts(Form form) { return form == Form::counted || form == Form::described; }

constexpr std::string_view kInsertAllNamed =
    "INSERT INTO marquee.decisions (site_id, decision_id, placement, decision_time, user_key, policy, "
    "inventory_version, slot_id, position, campaign_id, ad_id, because, propensity, is_bound, context, candidate_ads, "
    "candidate_scores, candidate_propensities)";
constexpr std::string_view kInsertCounted =
    "INSERT INTO marquee.decisions (site_id, decision_id, placement, decision_time, user_key, policy, "
    "inventory_version, slot_id, position, campaign_id, ad_id, because, propensity, is_bound, turn, price_micros, "
    "context, "
    "candidate_ads, candidate_scores, candidate_values, candidate_propensities, others, others_propensity, inventory, "
    "others_rows)";
constexpr std::string_view kInsertDescribed =
    "INSERT INTO marquee.decisions (site_id, decision_id, placement, decision_time, user_key, policy, "
    "inventory_version, slot_id, position, campaign_id, ad_id, because, propensity, is_bound, turn, price_micros, "
    "context, "
    "candidate_ads, candidate_scores, candidate_values, candidate_propensities, others, others_propensity, inventory, "
    "others_rows, category, advertiser)";
constexpr std::string_view kInsertInventory = "INSERT INTO marquee.inventories (site_id, inventory, ads)";

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
std::string context_of(const decision::Context& context) {
  const auto& known = context.known;
  const auto is_same = [](const decision::Known& a, const decision::Known& b) {
    return a.field == b.field && (a.field != decision::Field::attribute || a.name == b.name);
  };
  std::string out, fields;
  RowWriter write(fields);
  std::size_t count = 0;
  for (auto first = known.begin(); first != known.end(); ++first) {
    const auto is_of_it = [&](const decision::Known& one) { return is_same(one, *first); };
    if (std::any_of(known.begin(), first, is_of_it)) continue;
    ++count;
    const auto field = decision::name(first->field);
    if (first->field == decision::Field::attribute) {
      write.size(field.size() + 1 + first->name.size());
      fields.append(field).append(".").append(first->name);
    } else {
      write.text(field);
    }
    write.size(static_cast<std::size_t>(std::count_if(first, known.end(), is_of_it)));
    for (auto one = first; one != known.end(); ++one)
      if (is_of_it(*one)) write.text(one->value);
  }
  RowWriter(out).size(count);
  return out += fields;
}

/// Candidates as a record has them.
struct Split {
  std::vector<const decision::Candidate*> named;
  std::uint32_t others = 0;
  float others_propensity = 0;
  std::vector<std::uint64_t> others_rows;  ///< Bits by row of the inventory.
};

/// The chance that more than half have; where there is none, any of them (Boyer, Moore, "MJRTY", 1991).
float usual_propensity(const std::vector<decision::Candidate>& candidates) {
  float usual = 0;
  std::size_t lead = 0;
  for (const auto& one : candidates) {
    if (lead == 0) usual = one.propensity;
    lead = one.propensity == usual ? lead + 1 : lead - 1;
  }
  return usual;
}

Split split_of(const decision::Choice& choice) {
  Split split;
  const bool names_all = choice.candidates.size() <= kMostNamed;
  split.named.reserve(names_all ? choice.candidates.size() : 2 * kMostNamed);
  if (names_all) {
    for (const auto& one : choice.candidates) split.named.push_back(&one);
    return split;
  }
  constexpr std::uint32_t kBits = 64;
  const float usual = usual_propensity(choice.candidates);
  std::uint32_t last_row = 0;
  for (const auto& one : choice.candidates) last_row = std::max(last_row, one.row);
  split.others_rows.resize(last_row / kBits + 1);
  auto* rows = split.others_rows.data();
  for (const auto& one : choice.candidates) {
    if (one.propensity != usual || one.ad == choice.ad)
      split.named.push_back(&one);
    else
      rows[one.row / kBits] |= std::uint64_t{1} << one.row % kBits;
  }
  while (!split.others_rows.empty() && split.others_rows.back() == 0) split.others_rows.pop_back();
  split.others = static_cast<std::uint32_t>(choice.candidates.size() - split.named.size());
  if (split.others > 0) split.others_propensity = usual;
  return split;
}

void write_candidates(RowWriter& write, const decision::Choice& choice, std::uint64_t inventory) {
  const auto [named, others, others_propensity, others_rows] = split_of(choice);
  write.size(named.size());
  for (const auto* one : named) write.text(one->ad->ad->id);
  const auto numbers = [&](float decision::Candidate::* number) {
    write.size(named.size());
    for (const auto* one : named) write.number(one->*number);
  };
  numbers(&decision::Candidate::score);
  if (std::ranges::any_of(named, [](const auto* one) { return one->value > 0; }))
    numbers(&decision::Candidate::value);
  else
    write.size(0);
  numbers(&decision::Candidate::propensity);
  write.number(others);
  write.number(others_propensity);
  write.number(others > 0 ? inventory : std::uint64_t{0});
  write.size(others_rows.size());
  for (const auto word : others_rows) write.number(word);
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

/// What comes after its context, which nobody here asks for.
bool pass_candidates(clickhouse::RowBinaryReader& reader, Form form) {
  const auto text = [&] { return reader.text().has_value(); };
  const auto number = [&] { return reader.number<float>().has_value(); };
  const auto word = [&] { return reader.number<std::uint64_t>().has_value(); };
  if (!read_array(reader, text) || !read_array(reader, number) || !read_array(reader, number)) return false;
  if (!has_counts(form)) return true;
  return read_array(reader, number) && reader.number<std::uint32_t>() && reader.number<float>() &&
         reader.number<std::uint64_t>() && read_array(reader, word);
}

std::optional<LoggedChoice> read_row(clickhouse::RowBinaryReader& reader, Form form) {
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
  one.propensity = reader.number<float>().value_or(0);
  static_cast<void>(reader.number<std::uint8_t>());
  if (has_counts(form)) {
    static_cast<void>(reader.number<std::uint8_t>());
    static_cast<void>(reader.number<std::int64_t>());
  }
  const auto field = [&] {
    const auto name = reader.text();
    return name && read_array(reader, [&] {
             const auto value = reader.text();
             if (value) one.context.emplace_back(*name, *value);
             return value.has_value();
           });
  };
  if (!read_array(reader, field) || !pass_candidates(reader, form)) return std::nullopt;
  if (form == Form::described) {
    take(one.category);
    take(one.advertiser);
  }
  if (reader.failed()) return std::nullopt;
  return one;
}

Error damaged() { return Error::give_up("a record of the decisions' log is damaged"); }

/// Of those that have an ad.
Result<std::vector<LoggedChoice>> read_rows(std::string_view rows, Form form) {
  std::vector<LoggedChoice> choices;
  clickhouse::RowBinaryReader reader(rows);
  while (!reader.at_end()) {
    auto one = read_row(reader, form);
    if (!one) return damaged();
    if (!one->ad_id.empty()) choices.push_back(std::move(*one));
  }
  return choices;
}

/// And what follows the mark.
Result<std::pair<Form, std::string_view>> form_of(std::string_view record) {
  if (record.empty() || record.front() != kMark) return std::pair(Form::all_named, record);
  if (record.size() < 2) return damaged();
  const Form form{record[1]};
  if (!has_counts(form) && form != Form::inventory)
    return Error::give_up("a record of the decisions' log was written by a later Marquee: run that one, or a later");
  return std::pair(form, record.substr(2));
}

void mark(Form form, std::string& out) {
  out += kMark;
  out += static_cast<char>(form);
}

}  // namespace

void append_record(std::string_view site_id, const decision::Request& request, const decision::Decision& decision,
                   std::string& out) {
  mark(Form::described, out);
  RowWriter write(out);
  const auto id = decision::text_of(decision.id);
  const auto context = context_of(request.context);
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
    write.number(choice.turn);
    write.number(choice.price_micros);
    out += context;
    write_candidates(write, choice, decision.inventory ? decision.inventory->fingerprint() : 0);
    const auto* campaign = choice.ad != nullptr ? choice.ad->campaign->campaign : nullptr;
    write.text(campaign != nullptr ? std::string_view(campaign->category) : std::string_view());
    write.text(campaign != nullptr ? std::string_view(campaign->advertiser) : std::string_view());
  }
}

void append_inventory(std::string_view site_id, const decision::Inventory& inventory, std::string& out) {
  mark(Form::inventory, out);
  RowWriter write(out);
  write.text(site_id);
  write.number(inventory.fingerprint());
  write.size(inventory.ads().size());
  for (const auto& row : inventory.ads()) write.text(row.ad->id);
}

/// All rows of a record are of one decision, and so of one user.
bool is_decision_of(std::string_view record, std::string_view site_id, std::uint64_t user_key, std::int64_t until_ms) {
  const auto form = form_of(record);
  if (!form || form->first == Form::inventory) return false;
  clickhouse::RowBinaryReader reader(form->second);
  const auto site = reader.text();
  static_cast<void>(reader.text());
  static_cast<void>(reader.number<std::uint8_t>());
  const auto time = reader.number<std::int64_t>();
  const auto user = reader.number<std::uint64_t>();
  return user && *site == site_id && *user == user_key && *time <= until_ms;
}

Result<Landing> landing_of(std::string_view record) {
  const auto form = form_of(record);
  if (!form) return form.error();
  switch (form->first) {
    case Form::all_named:
      return Landing{kInsertAllNamed, form->second};
    case Form::counted:
      return Landing{kInsertCounted, form->second};
    case Form::described:
      return Landing{kInsertDescribed, form->second};
    case Form::inventory:
      return Landing{kInsertInventory, form->second, false};
  }
  return damaged();
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
  const auto form = form_of(record);
  if (!form) return form.error();
  if (form->first == Form::inventory) return std::vector<LoggedChoice>();
  return read_rows(form->second, form->first);
}

std::string select_decisions() {
  const auto columns = kInsertDescribed.substr(kInsertDescribed.find('(') + 1);
  return fmt::format(
      "SELECT {} FROM marquee.decisions FINAL WHERE decision_time >= fromUnixTimestamp64Milli({{from:Int64}}) "
      "AND decision_time < fromUnixTimestamp64Milli({{to:Int64}}) ORDER BY decision_time, site_id, decision_id, "
      "placement",
      columns.substr(0, columns.size() - 1));
}

Result<std::vector<LoggedChoice>> read_selected(std::string_view rows) { return read_rows(rows, Form::described); }

}  // namespace marquee::serving
