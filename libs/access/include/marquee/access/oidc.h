// Signing in by a provider of OpenID Connect: authorization code with PKCE.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "marquee/catalog/accounts.h"

namespace marquee::access {

struct OidcOptions {
  std::string issuer = {};  ///< Empty: there is no provider.
  std::string name = {};    ///< What people call it.
  std::string client_id = {}, client_secret = {};
  std::string scopes = "openid profile email";
  std::string name_claim = "preferred_username";  ///< What accounts are called by; email where there is none.
  std::string role_claim = "groups";              ///< A text or an array of them; a.b is the member b of a.
  /// By value of the claim; of several the one that may most.
  std::vector<std::pair<std::string, catalog::Role>> roles = {};
  std::optional<catalog::Role> default_role = {};  ///< Of who has none of them; without it they are refused.
  std::string ca_file = {};
};

/// "marquee-admins=admin,editors=manager"
[[nodiscard]] Result<std::vector<std::pair<std::string, catalog::Role>>> parse_role_map(std::string_view text);
/// The role that the claims give.
[[nodiscard]] std::optional<catalog::Role> role_of_claims(const std::string& claims_json, const OidcOptions& options);

/// Who came back from the provider.
struct OidcUser {
  std::string subject;  ///< "issuer sub".
  std::string name;     ///< As accounts are called; empty where no claim is a name that an account may have.
  catalog::Role role = catalog::Role::viewer;
  std::string to;  ///< Where in the console it was going.
};

/// Thread safe; blocks while the provider is asked, one at a time: others get Action::retry meanwhile.
class Oidc {
 public:
  Oidc(OidcOptions options, std::shared_ptr<const Clock> clock);
  ~Oidc();

  [[nodiscard]] const OidcOptions& options() const { return options_; }
  /// Begins: where the browser is to go. `browser`: a secret that it keeps in a cookie, so that nobody else's answer is
  /// taken in it. `back`: the address that the provider sends it back to.
  [[nodiscard]] Result<std::string> begin(const std::string& browser, const std::string& back, const std::string& to);
  /// Ends it: who it is. Each state holds once, for ten minutes, in the browser that it was made for.
  [[nodiscard]] Result<OidcUser> finish(const std::string& browser, const std::string& state, const std::string& code,
                                        const std::string& issuer);

 private:
  struct Provider {
    std::string authorization, token, keys_url, keys;
    bool is_basic = true;  ///< The client's secret goes as HTTP Basic.
  };
  struct Pending {
    std::string browser_hash, nonce, verifier, back, to;
    WallTime at;
  };
  [[nodiscard]] Result<Provider> provider(bool renew_keys);
  [[nodiscard]] Result<Provider> discover() const;
  [[nodiscard]] Result<std::string> fetch_text(const std::string& url) const;
  [[nodiscard]] Result<std::string> id_token(const Provider& provider, const Pending& pending,
                                             const std::string& code) const;
  [[nodiscard]] Result<OidcUser> user_of(const Pending& pending, const std::string& token);
  void forget_old(WallTime now);

  const OidcOptions options_;
  const std::shared_ptr<const Clock> clock_;
  std::mutex asking_;  ///< Held by who asks the provider for its addresses and keys.
  std::mutex mutex_;
  std::optional<Provider> provider_;  ///< Guarded by mutex_, as are the next three.
  WallTime failed_at_, renewed_at_;
  std::map<std::string, Pending> pending_;  ///< By hash of the state.
};

}  // namespace marquee::access
