#include "marquee/ingest/collector.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "collector_metrics.h"
#include "collector_pixel.h"
#include "marquee/base/json_text.h"
#include "marquee/event/parser.h"
#include "marquee/ingest/rate_limiter.h"

namespace marquee::ingest {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kMostExpansion = 10;           ///< Of a compressed body, over CollectorOptions::max_body_bytes.
constexpr std::size_t kMostRejectionsNamed = 1'000;  ///< Rejections in one answer: enough to find the mistake.
constexpr std::string_view kRetryAfterFull = "5";

/// How an answer to good events looks.
enum class Form { json, beacon, image };

std::string answer_body(std::uint32_t accepted, const std::vector<event::Rejection>& rejections) {
  std::string body = fmt::format("{{\"accepted\":{},\"rejected\":[", accepted);
  const std::size_t named = std::min(rejections.size(), kMostRejectionsNamed);
  for (std::size_t i = 0; i < named; ++i) {
    fmt::format_to(std::back_inserter(body), "{}{{\"index\":{},\"field\":", i == 0 ? "" : ",", rejections[i].index);
    append_json_string(body, rejections[i].field);
    body += ",\"reason\":";
    append_json_string(body, rejections[i].reason);
    body += '}';
  }
  body += ']';
  if (named < rejections.size()) {
    fmt::format_to(std::back_inserter(body), ",\"rejected_not_named\":{}", rejections.size() - named);
  }
  return body + "}";
}

http::Response answer(Form form, std::uint32_t accepted, const std::vector<event::Rejection>& rejections) {
  if (accepted == 0 && !rejections.empty()) return http::Response::json(422, answer_body(accepted, rejections));
  if (form == Form::json || !rejections.empty()) return http::Response::json(200, answer_body(accepted, rejections));
  if (form == Form::image) return pixel_answer();
  http::Response response;
  response.status = 204;
  return response;
}

}  // namespace

class Collector::Impl : public std::enable_shared_from_this<Collector::Impl> {
 public:
  Impl(CollectorOptions options, log::EventLog& log, FindKey find_key)
      : options_(std::move(options)), log_(log), find_key_(std::move(find_key)), metrics_(options_.metrics) {
    if (!options_.clock) options_.clock = std::make_shared<SystemClock>();
  }

  void add_routes(http::Router& router) {
    const auto add = [&](const char* method, const char* path, auto handle) {
      router.add(method, path, [self = shared_from_this(), handle](http::Request request, http::Responder responder) {
        handle(*self, request, std::move(responder));
      });
    };
    add("POST", "/v1/events", [](Impl& self, http::Request& request, http::Responder responder) {
      self.collect(request, bearer(request), request.body, Form::json, std::move(responder));
    });
    add("POST", "/v1/beacon", [](Impl& self, http::Request& request, http::Responder responder) {
      self.collect(request, key_of_query(request), request.body, Form::beacon, std::move(responder));
    });
    add("GET", "/v1/pixel", [](Impl& self, http::Request& request, http::Responder responder) {
      self.collect(request, key_of_query(request), pixel_event(request), Form::image, std::move(responder));
    });
    const auto preflight = [](Impl&, http::Request& request, http::Responder responder) {
      responder.send(preflight_answer(request));
    };
    add("OPTIONS", "/v1/events", preflight);
    add("OPTIONS", "/v1/beacon", preflight);
  }

 private:
  static std::string key_of_query(const http::Request& request) { return request.query_parameter("key").value_or(""); }

  /// Why a request is refused before its body is looked at; nullopt where it is not.
  std::optional<http::Response> refuse(const http::Request& request, std::string_view key,
                                       const std::optional<WriteKey>& owner, SteadyClock::time_point now) {
    if (auto refused = refuse_access(request, key, owner, "takes no events from")) return refused;
    const std::uint64_t wait =
        std::max(key_limits_.wait_seconds(key, key_rate(*owner), now),
                 address_limits_.wait_seconds(request.remote_address, address_rate(*owner), now));
    if (wait == 0) return std::nullopt;
    http::Response response = error_answer(429, fmt::format("too many events a second; try again in {} s", wait));
    response.headers.add("Retry-After", std::to_string(wait));
    return response;
  }

  void collect(const http::Request& request, std::string_view key, std::string_view body, Form form,
               http::Responder responder) {
    const auto begin = SteadyClock::now();
    const auto owner = key.empty() ? std::nullopt : find_key_(key);
    // Of an unknown key, too: a page must see that it is refused, or it takes it for a broken network and sends again.
    const std::string origin(request.headers.get("Origin"));
    if (auto refused = refuse(request, key, owner, begin))
      return send(std::move(responder), std::move(*refused), origin);

    std::string decoded;
    const std::string_view encoding = request.headers.get("Content-Encoding");
    if (form != Form::image && (!encoding.empty() || body.size() > options_.max_body_bytes)) {
      auto result = decode(body, encoding);
      if (!result) return send(std::move(responder), std::move(result.error()), origin);
      decoded = std::move(*result);
      body = decoded;
    }
    parse(request, *owner, body, form, begin, origin, std::move(responder), key);
  }

  std::expected<std::string, http::Response> decode(std::string_view body, std::string_view encoding) const {
    const std::size_t most = options_.max_body_bytes * kMostExpansion;
    if (body.size() > options_.max_body_bytes) {
      return std::unexpected(error_answer(
          413, fmt::format("the body is larger than {} bytes; send it in parts", options_.max_body_bytes)));
    }
    auto decoded = http::decode_body(body, encoding, most);
    if (decoded) return std::move(*decoded);
    if (decoded.error().action == Action::retry) return std::unexpected(error_answer(503, decoded.error().message));
    const bool is_too_large = decoded.error().message.find("larger than") != std::string::npos;
    return std::unexpected(error_answer(is_too_large ? 413 : 400, decoded.error().message));
  }

  void parse(const http::Request& request, const WriteKey& owner, std::string_view body, Form form,
             SteadyClock::time_point begin, std::string origin, http::Responder responder, std::string_view key) {
    event::Context context;
    context.site_id = owner.site_id;
    context.received_time_ms = options_.clock->now().time_since_epoch().count();
    context.user_agent = request.headers.get("User-Agent");
    context.hash_key = options_.hash_key;
    context.max_age_ms = owner.trusted ? 0 : static_cast<std::int64_t>(options_.max_event_age_ms);
    context.consent_required = owner.consent_required;
    context.trusted = owner.trusted;

    thread_local event::Parser parser;
    thread_local std::string record;
    std::vector<log::Batch> batches;
    const log::Partition partitions = log_.partitions();
    auto outcome = parser.parse(body, context, [&](const event::Event& event) {
      record.clear();
      event::encode(event, record);
      const std::uint64_t partition_key = event::partition_key(event);
      batch_of(batches, static_cast<log::Partition>(partition_key % partitions)).add(record, partition_key);
    });
    if (!outcome) return send(std::move(responder), error_answer(400, outcome.error().message), origin);
    const std::size_t events = outcome->accepted + outcome->rejections.size();
    if (events > options_.max_events) {
      return send(std::move(responder),
                  error_answer(413, fmt::format("{} events are more than the {} that one request may hold; "
                                                "send them in parts",
                                                events, options_.max_events)),
                  origin);
    }
    key_limits_.charge(key, key_rate(owner), static_cast<double>(events), begin);
    address_limits_.charge(request.remote_address, address_rate(owner), static_cast<double>(events), begin);
    metrics_.rejected(outcome->rejections.size());
    http::Response good = answer(form, outcome->accepted, outcome->rejections);
    if (batches.empty()) return send(std::move(responder), std::move(good), origin);
    log_.append(std::move(batches),
                [self = shared_from_this(), good = std::move(good), responder = std::move(responder),
                 origin = std::move(origin), accepted = outcome->accepted, begin](Result<void> done) mutable {
                  if (!done) return self->send(std::move(responder), unavailable(done.error()), origin);
                  self->metrics_.accepted(accepted, std::chrono::duration<double>(SteadyClock::now() - begin).count());
                  self->send(std::move(responder), std::move(good), origin);
                });
  }

  static log::Batch& batch_of(std::vector<log::Batch>& batches, log::Partition partition) {
    const auto found = std::ranges::find(batches, partition, &log::Batch::partition);
    return found != batches.end() ? *found : batches.emplace_back(partition);
  }

  static http::Response unavailable(const Error& error) {
    http::Response response = error_answer(503, error.message + "; send this request again");
    response.headers.add("Retry-After", std::string(kRetryAfterFull));
    return response;
  }

  void send(http::Responder responder, http::Response response, std::string_view origin) {
    metrics_.answered(response.status);
    allow_origin(response, origin);
    responder.send(std::move(response));
  }

  [[nodiscard]] double key_rate(const WriteKey& owner) const {
    return owner.events_per_second > 0 ? owner.events_per_second : owner.trusted ? 0 : options_.key_events_per_second;
  }
  /// A trusted key is a server's: one address for many users.
  [[nodiscard]] double address_rate(const WriteKey& owner) const {
    return owner.trusted ? 0 : options_.address_events_per_second;
  }

  CollectorOptions options_;
  log::EventLog& log_;
  const FindKey find_key_;
  RateLimiter key_limits_;
  RateLimiter address_limits_;
  CollectorMetrics metrics_;
};

Collector::Collector(CollectorOptions options, log::EventLog& log, FindKey find_key)
    : impl_(std::make_shared<Impl>(std::move(options), log, std::move(find_key))) {}
Collector::~Collector() = default;
void Collector::add_routes(http::Router& router) { impl_->add_routes(router); }

}  // namespace marquee::ingest
