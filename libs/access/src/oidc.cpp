#include "marquee/access/oidc.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "fetch.h"
#include "marquee/access/id_token.h"

namespace marquee::access {
namespace {

constexpr std::size_t kMostPending = 1'000;
constexpr auto kPendingFor = std::chrono::minutes(10);
constexpr auto kAskAgainAfter = std::chrono::seconds(5);    ///< A provider that failed.
constexpr auto kRenewKeysAfter = std::chrono::seconds(30);  ///< At most so often for a key that is not known.

std::string base64url(const unsigned char* bytes, std::size_t size) {
  std::string text(sodium_base64_encoded_len(size, sodium_base64_VARIANT_URLSAFE_NO_PADDING), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes, size, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  text.resize(std::char_traits<char>::length(text.c_str()));
  return text;
}

std::string random_token() {
  unsigned char bytes[32];
  randombytes_buf(bytes, sizeof bytes);
  return base64url(bytes, sizeof bytes);
}

/// RFC 7636, section 4.2.
std::string challenge_of(const std::string& verifier) {
  unsigned char hash[crypto_hash_sha256_BYTES];
  crypto_hash_sha256(hash, reinterpret_cast<const unsigned char*>(verifier.data()), verifier.size());
  return base64url(hash, sizeof hash);
}

/// application/x-www-form-urlencoded, of which what is unreserved in addresses stays as it is.
std::string form_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          std::string_view("-._~").contains(c);
    if (is_plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string form_of(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string out;
  for (const auto& [name, value] : fields)
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, form_encoded(value));
  return out;
}

std::string text_in(const nlohmann::json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

const nlohmann::json* claim_at(const nlohmann::json& claims, std::string_view path) {
  // A claim's own name may have dots (https://example.com/roles).
  const auto* at = &claims;
  if (const auto whole = at->find(path); whole != at->end()) return &*whole;
  while (!path.empty()) {
    const auto dot = std::min(path.find('.'), path.size());
    if (!at->is_object()) return nullptr;
    const auto found = at->find(path.substr(0, dot));
    if (found == at->end()) return nullptr;
    at = &*found;
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return at;
}

std::optional<catalog::Role> role_of_json(const nlohmann::json& claims, const OidcOptions& options) {
  auto best = options.default_role;
  const auto* claim = claims.is_object() ? claim_at(claims, options.role_claim) : nullptr;
  const auto consider = [&](const nlohmann::json& value) {
    for (const auto& [name, role] : options.roles)
      if (value.is_string() && value == name && (!best || role > *best)) best = role;
  };
  if (claim && claim->is_array()) {
    for (const auto& value : *claim) consider(value);
  } else if (claim) {
    consider(*claim);
  }
  return best;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

}  // namespace

Result<std::vector<std::pair<std::string, catalog::Role>>> parse_role_map(std::string_view text) {
  std::vector<std::pair<std::string, catalog::Role>> roles;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    const auto pair = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    const auto equals = pair.rfind('=');
    const auto role = equals == std::string_view::npos ? std::nullopt : catalog::role_of(pair.substr(equals + 1));
    if (!role || equals == 0)
      return Error::reject(fmt::format(
          "sign_in.oidc.roles: \"{}\": expected <value of the claim>=<viewer, analyst, manager or admin>", pair));
    roles.emplace_back(std::string(pair.substr(0, equals)), *role);
  }
  return roles;
}

std::optional<catalog::Role> role_of_claims(const std::string& claims_json, const OidcOptions& options) {
  return role_of_json(nlohmann::json::parse(claims_json, nullptr, /*allow_exceptions=*/false), options);
}

Oidc::Oidc(OidcOptions options, std::shared_ptr<const Clock> clock)
    : options_(std::move(options)), clock_(std::move(clock)) {}
Oidc::~Oidc() = default;

Result<std::string> Oidc::fetch_text(const std::string& url) const {
  const auto answer =
      fetch({.url = url, .body = {}, .fields = {{"Accept", "application/json"}}, .ca_file = options_.ca_file});
  if (!answer) return answer.error();
  if (answer->status != 200) return Error::retry(fmt::format("{} answered {}", url, answer->status));
  return answer->body;
}

/// OpenID Connect Discovery, section 4.
Result<Oidc::Provider> Oidc::discover() const {
  const bool has_slash = options_.issuer.ends_with('/');
  const auto text =
      fetch_text(fmt::format("{}{}.well-known/openid-configuration", options_.issuer, has_slash ? "" : "/"));
  if (!text) return text.error();
  const auto json = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (text_in(json, "issuer") != options_.issuer)
    return Error::retry(
        fmt::format("the provider calls itself \"{}\", sign_in.oidc.issuer is \"{}\": they must be the same",
                    text_in(json, "issuer").substr(0, 200), options_.issuer));
  Provider provider{.authorization = text_in(json, "authorization_endpoint"),
                    .token = text_in(json, "token_endpoint"),
                    .keys_url = text_in(json, "jwks_uri"),
                    .keys = {}};
  if (provider.authorization.empty() || provider.token.empty() || provider.keys_url.empty())
    return Error::retry("the provider does not tell its authorization_endpoint, token_endpoint and jwks_uri");
  const auto methods = json.find("token_endpoint_auth_methods_supported");
  // Without it, client_secret_basic.
  if (methods != json.end() && methods->is_array())
    provider.is_basic = std::ranges::find(*methods, "client_secret_basic") != methods->end();
  auto keys = fetch_text(provider.keys_url);
  if (!keys) return keys.error();
  provider.keys = std::move(*keys);
  return provider;
}

Result<Oidc::Provider> Oidc::provider(bool renew_keys) {
  const auto now = clock_->now();
  {
    const std::lock_guard lock(mutex_);
    const bool may_renew = renew_keys && now - renewed_at_ >= kRenewKeysAfter;
    if (provider_ && !may_renew) return *provider_;
    if (now - failed_at_ < kAskAgainAfter) return Error::retry("the provider did not answer a moment ago");
  }
  const std::unique_lock asking(asking_, std::try_to_lock);
  if (!asking.owns_lock()) return Error::retry("the provider is being asked for its keys");
  auto found = discover();
  const std::lock_guard lock(mutex_);
  if (found) {
    provider_ = *found;
    renewed_at_ = now;
  } else {
    failed_at_ = now;
  }
  return found;
}

void Oidc::forget_old(WallTime now) {
  std::erase_if(pending_, [&](const auto& entry) { return now - entry.second.at >= kPendingFor; });
  if (pending_.size() < kMostPending) return;
  pending_.erase(std::ranges::min_element(pending_, {}, [](const auto& entry) { return entry.second.at; }));
}

Result<std::string> Oidc::begin(const std::string& browser, const std::string& back, const std::string& to) {
  const auto known = provider(/*renew_keys=*/false);
  if (!known) return known.error();
  const auto state = random_token();
  const Pending pending{.browser_hash = catalog::hash_of_secret(browser),
                        .nonce = random_token(),
                        .verifier = random_token(),
                        .back = back,
                        .to = to,
                        .at = clock_->now()};
  const auto query = form_of({{"response_type", "code"},
                              {"client_id", options_.client_id},
                              {"redirect_uri", back},
                              {"scope", options_.scopes},
                              {"state", state},
                              {"nonce", pending.nonce},
                              {"code_challenge", challenge_of(pending.verifier)},
                              {"code_challenge_method", "S256"}});
  const std::lock_guard lock(mutex_);
  forget_old(pending.at);
  pending_.emplace(catalog::hash_of_secret(state), pending);
  return fmt::format("{}{}{}", known->authorization, known->authorization.contains('?') ? "&" : "?", query);
}

Result<std::string> Oidc::id_token(const Provider& known, const Pending& pending, const std::string& code) const {
  std::vector<std::pair<std::string, std::string>> form = {{"grant_type", "authorization_code"},
                                                           {"code", code},
                                                           {"redirect_uri", pending.back},
                                                           {"code_verifier", pending.verifier}};
  FetchRequest request{
      .url = known.token,
      .body = {},
      .fields = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}},
      .ca_file = options_.ca_file};
  if (!options_.client_secret.empty() && known.is_basic) {
    // RFC 6749, section 2.3.1: both are form-encoded before.
    const auto pair = fmt::format("{}:{}", form_encoded(options_.client_id), form_encoded(options_.client_secret));
    std::string basic(sodium_base64_encoded_len(pair.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
    sodium_bin2base64(basic.data(), basic.size(), reinterpret_cast<const unsigned char*>(pair.data()), pair.size(),
                      sodium_base64_VARIANT_ORIGINAL);
    request.fields.emplace_back("Authorization", fmt::format("Basic {}", basic.c_str()));
  } else {
    form.emplace_back("client_id", options_.client_id);
    if (!options_.client_secret.empty()) form.emplace_back("client_secret", options_.client_secret);
  }
  request.body = form_of(form);
  const auto answer = fetch(request);
  if (!answer) return answer.error();
  const auto json = nlohmann::json::parse(answer->body, nullptr, /*allow_exceptions=*/false);
  if (answer->status != 200)
    return Error::reject(fmt::format("the provider refused the code: {} {}", answer->status, text_in(json, "error")));
  auto token = text_in(json, "id_token");
  if (token.empty()) return Error::reject("the provider gave no ID token: is openid among sign_in.oidc.scopes?");
  return token;
}

Result<OidcUser> Oidc::user_of(const Pending& pending, const std::string& token) {
  const TokenRules rules{.issuer = options_.issuer, .audience = options_.client_id, .nonce = pending.nonce};
  auto known = provider(/*renew_keys=*/false);
  if (!known) return known.error();
  auto claims = verify_id_token(token, known->keys, rules, clock_->now());
  if (!claims && claims.error().action == Action::retry) {
    known = provider(/*renew_keys=*/true);
    if (!known) return known.error();
    claims = verify_id_token(token, known->keys, rules, clock_->now());
  }
  if (!claims) return claims.error();
  const auto role = role_of_json(*claims, options_);
  if (!role) return Error::reject(fmt::format("the claim {} gives no role (sign_in.oidc.roles)", options_.role_claim));
  OidcUser user{.subject = fmt::format("{} {}", options_.issuer, text_in(*claims, "sub")),
                .name = {},
                .role = *role,
                .to = pending.to};
  // An address that nobody has proven to be theirs is no name.
  const auto* verified = claim_at(*claims, "email_verified");
  const bool is_proven = verified && (*verified == true || *verified == "true");
  for (const auto& [claim, may] : {std::pair(options_.name_claim, options_.name_claim != "email" || is_proven),
                                   {std::string("email"), is_proven}}) {
    const auto* value = claim_at(*claims, claim);
    if (!may || !value || !value->is_string() || !user.name.empty()) continue;
    auto name = lower(value->get<std::string>());
    if (catalog::check_account_name(name)) user.name = std::move(name);
  }
  return user;
}

Result<OidcUser> Oidc::finish(const std::string& browser, const std::string& state, const std::string& code,
                              const std::string& issuer) {
  Pending pending;
  {
    const std::lock_guard lock(mutex_);
    forget_old(clock_->now());
    const auto found = pending_.find(catalog::hash_of_secret(state));
    if (found == pending_.end())
      return Error::reject("state: there is no such sign-in, or it took longer than ten minutes");
    if (browser.empty() || found->second.browser_hash != catalog::hash_of_secret(browser))
      return Error::reject("state: the sign-in was begun in another browser");
    pending = std::move(found->second);
    pending_.erase(found);
  }
  // RFC 9207: an answer of another provider, mixed in.
  if (!issuer.empty() && issuer != options_.issuer) return Error::reject("iss: the answer is of another issuer");
  if (code.empty()) return Error::reject("code: missing");
  const auto known = provider(/*renew_keys=*/false);
  if (!known) return known.error();
  const auto token = id_token(*known, pending, code);
  if (!token) return token.error();
  return user_of(pending, *token);
}

}  // namespace marquee::access
