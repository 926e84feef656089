#include "marquee/feed/translator.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "decoder.h"
#include "mapper.h"
#include "marquee/event/parser.h"

namespace marquee::feed {

namespace {

constexpr std::size_t kMaxReason = 1'000;

}  // namespace

class Translator::Impl {
 public:
  Impl(const Description& feed, const Decoder& decoder) : feed_(feed), decoder_(decoder), mapper_(feed) {}

  Result<const Translation*> translate(const MessageView& message, const Rules& rules, std::int64_t now_ms) {
    translation_.record.clear();
    translation_.reason.clear();
    translation_.outcome = Translation::Outcome::ignored;
    if (!message.value) return &translation_;
    const auto done = read(message, rules, now_ms);
    if (done) return &translation_;
    if (done.error().action == Action::retry) return done.error();
    translation_.outcome = Translation::Outcome::refused;
    translation_.reason = done.error().message.substr(0, kMaxReason);
    return &translation_;
  }

 private:
  Result<void> read(const MessageView& message, const Rules& rules, std::int64_t now_ms) {
    if (message.value->size() > kMaxMessageBytes)
      return Error::reject(fmt::format("{} bytes; at most {} are read", message.value->size(), kMaxMessageBytes));
    json_.clear();
    if (auto decoded = decoder_.decode(*message.value, json_); !decoded) return decoded;
    simdjson::dom::element value;
    if (const auto error = parser_.parse(json_).get(value); error != simdjson::SUCCESS)
      return Error::reject(fmt::format("not JSON: {}", simdjson::error_message(error)));
    const auto mapped = mapper_.map(message, value);
    if (!mapped) return mapped.error();
    if ((*mapped)->is_ignored) return {};
    return validate(**mapped, rules, now_ms);
  }

  Result<void> validate(const Mapped& mapped, const Rules& rules, std::int64_t now_ms) {
    event::Context context;
    context.site_id = feed_.site;
    context.received_time_ms = now_ms;
    context.user_agent = mapped.user_agent;
    context.hash_key = rules.hash_key;
    context.max_age_ms = feed_.is_trusted ? 0 : static_cast<std::int64_t>(rules.max_event_age_ms);
    context.consent_required = rules.consent_required;
    context.trusted = feed_.is_trusted;
    const auto parsed = events_.parse(mapped.event, context, [this](const event::Event& event) {
      event::encode(event, translation_.record);
      translation_.partition_key = event::partition_key(event);
    });
    if (!parsed) return parsed.error();
    if (parsed->accepted == 1) {
      translation_.outcome = Translation::Outcome::event;
      return {};
    }
    if (parsed->rejections.empty()) return Error::reject("it is no event");
    const event::Rejection& rejection = parsed->rejections.front();
    return Error::reject(rejection.field.empty() ? rejection.reason
                                                 : fmt::format("{}: {}", rejection.field, rejection.reason));
  }

  const Description& feed_;
  const Decoder& decoder_;
  Mapper mapper_;
  simdjson::dom::parser parser_;
  event::Parser events_;
  std::string json_;
  Translation translation_;
};

Translator::Translator(const Description& feed, const Decoder& decoder)
    : impl_(std::make_unique<Impl>(feed, decoder)) {}
Translator::~Translator() = default;

Result<const Translation*> Translator::translate(const MessageView& message, const Rules& rules, std::int64_t now_ms) {
  return impl_->translate(message, rules, now_ms);
}

}  // namespace marquee::feed
