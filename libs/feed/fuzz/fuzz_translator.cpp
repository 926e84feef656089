// JSON messages of any bytes through a mapping that uses every kind of source: no crash, and what becomes an event
// decodes as one.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "decoder.h"
#include "mapper.h"
#include "marquee/event/event.h"
#include "marquee/feed/translator.h"

namespace {

constexpr std::string_view kFeeds = R"(feeds:
  - {name: f, topic: t, format: json, site: campus, fields: {
      type: {from: kind, values: {VIEW: impression, PING: $ignore}, otherwise: custom}, event_time: {from: at, unit: us},
      user_id: user.id, session_id: [session], seq: seq, external_id: $key, campaign_id: list.0.id, position: pos,
      value: price, consent: consent, user_agent: agent, props: $value, props.h: $headers.h, viewport: viewport}}
)";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace feed = marquee::feed;
  static const auto feeds = feed::parse_feeds(kFeeds, "fuzz");
  if (!feeds) std::abort();
  static const auto decoder = feed::make_decoder(feed::Format::json, nullptr);
  static feed::Translator translator((*feeds)[0], *decoder);
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  feed::MessageView message;
  message.value = text;
  if ((data[0] & 1U) != 0) message.key = text.substr(0, 40);
  if ((data[0] & 2U) != 0) message.timestamp_ms = 1'764'000'000'000;
  message.header = [&](const std::string&) { return std::optional(text.substr(0, 10)); };
  const auto translated = translator.translate(message, {}, 1'764'000'000'000);
  if (!translated) std::abort();  // JSON needs no registry.
  using Outcome = feed::Translation::Outcome;
  const auto& translation = **translated;
  if (translation.outcome == Outcome::event && !marquee::event::decode(translation.record)) std::abort();
  if ((translation.outcome == Outcome::refused) == translation.reason.empty()) std::abort();
  return 0;
}
