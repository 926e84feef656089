#include "letter_answers.h"

#include <fmt/format.h>

#include <limits>

#include "answers.h"
#include "marquee/base/base64.h"

namespace marquee::api {
namespace {

constexpr std::uint64_t kMostListed = 1'000;
constexpr std::size_t kMostMended = 1'000;

Json next_json(const std::string& next) { return next.empty() ? Json(nullptr) : Json(next); }

Json place_json(const ingest::DeadLetter& letter) {
  return {{"topic", letter.topic}, {"partition", letter.partition}, {"offset", letter.offset}};
}

Result<ingest::LetterFilter> letter_filter_of(const http::Request& request) {
  ingest::LetterFilter filter;
  filter.reason = request.query_parameter("reason").value_or("");
  filter.topic = request.query_parameter("source");
  const auto since = time_parameter(request, "since");
  if (!since) return since.error();
  filter.since_ms = *since;
  return filter;
}

/// A member that is a whole number up to `most`.
Result<std::uint64_t> number_of(const Json& body, const std::string& name, std::uint64_t most) {
  const auto found = body.find(name);
  if (found == body.end()) return Error::reject(name + ": missing");
  if (!found->is_number_unsigned() || found->get<std::uint64_t>() > most)
    return Error::reject(fmt::format("{}: expected a whole number of at most {}", name, most));
  return found->get<std::uint64_t>();
}

Result<ingest::MendedLetter> mended_of(const Json& one) {
  if (auto known = require_object(one, {"topic", "partition", "offset", "event", "bytes_base64"}); !known)
    return Error::reject("letters: " + known.error().message);
  const auto topic = text_of(one, "topic", std::nullopt);
  if (!topic) return topic.error();
  const auto partition = number_of(one, "partition", std::numeric_limits<std::uint16_t>::max());
  if (!partition) return partition.error();
  const auto offset = number_of(one, "offset", std::numeric_limits<std::int64_t>::max());
  if (!offset) return offset.error();
  ingest::MendedLetter letter{*topic, static_cast<log::Partition>(*partition), *offset, {}, {}};
  if (one.contains("event") == one.contains("bytes_base64"))
    return Error::reject("letters: each needs event or bytes_base64, and not both");
  if (const auto event = one.find("event"); event != one.end()) {
    if (!event->is_object()) return Error::reject("event: expected an object");
    letter.event = event->dump();
    return letter;
  }
  const auto text = text_of(one, "bytes_base64", std::nullopt);
  if (!text) return text.error();
  auto bytes = decode_base64(*text);
  if (!bytes) return Error::reject("bytes_base64: not Base64");
  letter.bytes = std::move(*bytes);
  return letter;
}

Result<void> read_mended(const Json& body, ingest::ReplayOrder& order) {
  const auto letters = body.find("letters");
  if (letters == body.end()) return {};
  for (const char* name : {"reason", "source", "since", "after"}) {
    if (body.contains(name))
      return Error::reject(fmt::format("{}: not with letters, which are named one by one", name));
  }
  if (!letters->is_array() || letters->empty() || letters->size() > kMostMended)
    return Error::reject(fmt::format("letters: expected a list of 1 to {}", kMostMended));
  for (const Json& one : *letters) {
    auto letter = mended_of(one);
    if (!letter) return letter.error();
    order.mended.push_back(std::move(*letter));
  }
  return {};
}

Result<ingest::ReplayOrder> order_of(const http::Request& request) {
  const auto body = read_object(request, {"reason", "source", "since", "after", "dry_run", "letters"});
  if (!body) return body.error();
  ingest::ReplayOrder order;
  const auto reason = text_of(*body, "reason", "");
  if (!reason) return reason.error();
  order.filter.reason = *reason;
  const auto after = text_of(*body, "after", "");
  if (!after) return after.error();
  order.after = *after;
  if (body->contains("source")) {
    const auto source = text_of(*body, "source", std::nullopt);
    if (!source) return source.error();
    order.filter.topic = *source;
  }
  if (body->contains("since")) {
    const auto since = text_of(*body, "since", std::nullopt);
    if (!since) return since.error();
    const auto time = time_of(*since, "since");
    if (!time) return time.error();
    order.filter.since_ms = *time;
  }
  if (const auto dry_run = body->find("dry_run"); dry_run != body->end()) {
    if (!dry_run->is_boolean()) return Error::reject("dry_run: expected true or false");
    order.is_dry_run = dry_run->get<bool>();
  }
  if (auto read = read_mended(*body, order); !read) return read.error();
  return order;
}

}  // namespace

http::Response LetterAnswers::list(const http::Request& request) {
  const auto filter = letter_filter_of(request);
  if (!filter) return error_answer(filter.error());
  const auto which = choice_parameter(request, "replayed", {"any", "no", "yes"});
  if (!which) return error_answer(which.error());
  const auto limit = whole_parameter(request, "limit", 100);
  if (!limit) return error_answer(limit.error());
  if (*limit > kMostListed) return error_answer(400, fmt::format("limit: at most {}", kMostListed), "limit");
  const auto is_replayed = *which == "any" ? std::optional<bool>() : std::optional(*which == "yes");
  const auto page = office_.list(*filter, is_replayed, request.query_parameter("after").value_or(""), *limit);
  if (!page) return error_answer(page.error());
  Json reasons = Json::array();
  for (const auto& one : page->by_reason) {
    reasons.push_back({{"reason", one.reason},
                       {"count", one.count},
                       {"unreplayed", one.unreplayed},
                       {"newest", time_text(one.newest_ms)}});
  }
  Json letters = Json::array();
  for (const auto& one : page->letters) {
    Json letter = place_json(one.letter);
    letter["time"] = time_text(one.time_ms);
    letter["reason"] = one.letter.reason;
    letter["text"] = one.text;
    letter["is_event"] = one.is_event;
    letter["bytes_base64"] = encode_base64(one.letter.bytes);
    letter["replayed"] = time_or_null(one.replayed_ms);
    letters.push_back(std::move(letter));
  }
  return json_answer(200, {{"count", page->count},
                           {"unreplayed", page->unreplayed},
                           {"by_reason", std::move(reasons)},
                           {"letters", std::move(letters)},
                           {"next", next_json(page->next)}});
}

http::Response LetterAnswers::replay(const http::Request& request) {
  const auto order = order_of(request);
  if (!order) return error_answer(order.error());
  const auto report = office_.replay(*order);
  if (!report) return error_answer(report.error());
  Json unreadable = Json::array();
  for (const auto& one : report->unreadable) {
    Json letter = place_json(one);
    letter["reason"] = one.reason;
    unreadable.push_back(std::move(letter));
  }
  return json_answer(200, {{"tried", report->tried},
                           {"replayed", report->replayed},
                           {"already_counted", report->already_counted},
                           {"replayed_before", report->replayed_before},
                           {"unreadable", std::move(unreadable)},
                           {"unreadable_not_named", report->unreadable_not_named},
                           {"next", next_json(report->next)}});
}

}  // namespace marquee::api
