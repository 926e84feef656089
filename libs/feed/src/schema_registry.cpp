#include "schema_registry.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "json_parts.h"
#include "marquee/base/base64.h"

namespace marquee::feed {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kMaxParts = 200;
constexpr std::size_t kMaxAnswerBytes = 4u << 20u;

}  // namespace

SchemaRegistry::SchemaRegistry(RegistryOptions options) : options_(std::move(options)) {
  const auto slash = options_.url.find('/', options_.url.find("://") + 3);
  if (slash != std::string::npos) path_ = options_.url.substr(slash);
  client_ = std::make_unique<http::Client>(
      options_.url.substr(0, slash),
      http::ClientOptions{.timeout_ms = 5'000, .max_response_bytes = kMaxAnswerBytes, .pool_size = 2});
}

Result<RegisteredSchema> SchemaRegistry::schema(std::uint32_t id) {
  auto answer = get(fmt::format("/schemas/ids/{}", id));
  if (!answer && answer.error().action == Action::reject)
    return Error::reject(fmt::format("schema {}: {}", id, answer.error().message));
  if (!answer) return answer.error();
  RegisteredSchema schema;
  schema.type = answer->type.empty() ? "AVRO" : answer->type;
  std::set<std::string> seen;
  if (auto added = add(*answer, fmt::format("schema-{}", id), seen, schema); !added) return added.error();
  return schema;
}

Result<void> SchemaRegistry::add(const Answer& answer, const std::string& name, std::set<std::string>& seen,
                                 RegisteredSchema& schema) {
  for (const auto& reference : answer.references) {
    if (!seen.insert(reference.name).second) continue;
    if (seen.size() > kMaxParts) return Error::reject(fmt::format("{}: more than {} references", name, kMaxParts));
    const auto referred =
        get(fmt::format("/subjects/{}/versions/{}", http::percent_encode(reference.subject), reference.version));
    if (!referred && referred.error().action == Action::reject)
      return Error::reject(fmt::format("reference {} (version {} of {}): {}", reference.name, reference.version,
                                       reference.subject, referred.error().message));
    if (!referred) return referred.error();
    if (auto added = add(*referred, reference.name, seen, schema); !added) return added;
  }
  schema.parts.push_back({name, answer.text});
  return {};
}

Result<SchemaRegistry::Answer> SchemaRegistry::get(const std::string& target) {
  http::Headers headers;
  headers.add("Accept", "application/vnd.schemaregistry.v1+json, application/json");
  if (!options_.user.empty())
    headers.add("Authorization", "Basic " + encode_base64(options_.user + ":" + options_.password));
  const auto response = client_->send("GET", path_ + target, headers, "");
  if (!response)
    return Error::retry(
        fmt::format("the schema registry {} does not answer: {}", options_.url, response.error().message));
  if (response->status == 404)
    return Error::reject(fmt::format("the schema registry {} does not have it", options_.url));
  if (response->status != 200)
    return Error::retry(fmt::format("the schema registry {} answers {} to {}: {}", options_.url, response->status,
                                    target, response->body.substr(0, 200)));
  dom::parser parser;
  dom::object body;
  Answer answer;
  if (parser.parse(response->body).get(body) != simdjson::SUCCESS || (answer.text = text_of(body, "schema")).empty())
    return Error::retry(fmt::format("the schema registry {} answers {} with no schema: {}", options_.url, target,
                                    response->body.substr(0, 200)));
  answer.type = text_of(body, "schemaType");
  if (dom::array references; body["references"].get(references) == simdjson::SUCCESS) {
    for (auto element : references) {
      dom::object reference;
      if (element.get(reference) != simdjson::SUCCESS) continue;
      Answer::Reference one{text_of(reference, "name"), text_of(reference, "subject"), 0};
      if (reference["version"].get(one.version) != simdjson::SUCCESS) one.version = 1;
      answer.references.push_back(std::move(one));
    }
  }
  return answer;
}

}  // namespace marquee::feed
