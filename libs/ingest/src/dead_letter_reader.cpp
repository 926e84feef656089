#include "dead_letter_reader.h"

#include <fmt/format.h>
#include <simdjson.h>
#include <xxhash.h>

#include <algorithm>

namespace marquee::ingest {
namespace {

constexpr std::size_t kLongestId = 128;
constexpr std::size_t kShownText = 4'096;
constexpr std::size_t kShownBytes = 256;

/// An event that has nothing to be known by is known by where it comes from, or each replay would be another event.
std::string source_id(const DeadLetter& letter) {
  std::string id = fmt::format("dead-letter:{}/{}/{}", letter.topic, letter.partition, letter.offset);
  if (id.size() <= kLongestId) return id;
  const auto hash = XXH3_64bits(letter.topic.data(), letter.topic.size());
  return fmt::format("dead-letter:{:016x}/{}/{}", hash, letter.partition, letter.offset);
}

/// `id` is storage for what the event may borrow.
void ensure_identity(event::Event& event, const DeadLetter& letter, std::string& id) {
  if (event.seq != 0 || !event.external_id.empty()) return;
  id = source_id(letter);
  event.external_id = id;
}

/// The record with an identity, where it is an event that the store can hold.
Result<std::string> finished(std::string_view record, const DeadLetter& letter) {
  auto event = event::decode(record);
  if (!event) return event.error();
  if (auto checked = event::check(*event); !checked) return checked.error();
  std::string id;
  ensure_identity(*event, letter, id);
  std::string out;
  event::encode(*event, out);
  return out;
}

bool is_json_object(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  return parser.parse(text.data(), text.size()).get(element) == simdjson::SUCCESS && element.is_object();
}

bool is_for_people(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size()) && std::ranges::none_of(text, [](char c) {
           return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t';
         });
}

std::string shown_bytes(std::string_view bytes) {
  if (is_for_people(bytes)) {
    std::string text(bytes.substr(0, kShownText));
    while (!simdjson::validate_utf8(text)) text.pop_back();
    return text + (text.size() < bytes.size() ? " ..." : "");
  }
  std::string text;
  for (const char c : bytes.substr(0, kShownBytes)) {
    fmt::format_to(std::back_inserter(text), "{}{:02x}", text.empty() ? "" : " ", static_cast<unsigned char>(c));
  }
  return text + (bytes.size() > kShownBytes ? " ..." : "");
}

}  // namespace

Result<std::string> DeadLetterReader::read(const DeadLetter& letter, std::int64_t time_ms) const {
  if (!is_own(letter.topic)) {
    const auto reader = options_.readers.find(letter.topic);
    if (reader == options_.readers.end())
      return Error::reject(fmt::format("topic {} is not one that this Marquee reads", letter.topic));
    const auto record = reader->second(letter);
    return record ? finished(*record, letter) : record;
  }
  if (is_json_object(letter.bytes)) return read_json(letter, letter.bytes, time_ms);
  return finished(letter.bytes, letter);
}

Result<std::string> DeadLetterReader::read_json(const DeadLetter& letter, std::string_view json,
                                                std::int64_t time_ms) const {
  // No write key says which site it is of, so it must itself.
  simdjson::dom::parser sites;
  simdjson::dom::element root;
  std::string_view site;
  if (sites.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS || !root.is_object())
    return Error::reject("no JSON object");
  if (root["site_id"].get(site) != simdjson::SUCCESS) return Error::reject("site_id: missing");
  const auto consent_required = options_.consent_required(site);
  if (!consent_required) return Error::reject(fmt::format("site_id: there is no site {}", site.substr(0, 64)));
  event::Context context;
  context.site_id = site;
  context.received_time_ms = time_ms;
  context.hash_key = options_.hash_key;
  context.max_age_ms = 0;
  context.consent_required = *consent_required;
  context.trusted = true;
  event::Parser parser;
  std::string record;
  const auto outcome =
      parser.parse(simdjson::minify(root), context, [&](const event::Event& event) { event::encode(event, record); });
  if (!outcome) return outcome.error();
  if (!outcome->rejections.empty()) {
    const auto& [index, field, reason] = outcome->rejections.front();
    return Error::reject(field.empty() ? reason : fmt::format("{}: {}", field, reason));
  }
  if (outcome->accepted != 1) return Error::reject(fmt::format("{} events in one record", outcome->accepted));
  return finished(record, letter);
}

void DeadLetterReader::show(ListedLetter& listed) const {
  const DeadLetter& letter = listed.letter;
  if (is_own(letter.topic)) {
    if (auto event = event::decode(letter.bytes)) {
      std::string id;
      ensure_identity(*event, letter, id);
      if (auto json = event::to_json(*event)) {
        listed.text = std::move(*json);
        listed.is_event = true;
        return;
      }
    } else if (is_json_object(letter.bytes)) {
      listed.text = letter.bytes;
      listed.is_event = true;
      return;
    }
  }
  listed.text = shown_bytes(letter.bytes);
}

}  // namespace marquee::ingest
