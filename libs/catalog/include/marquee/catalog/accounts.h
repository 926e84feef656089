// Who may sign in to the console and the API, their sessions, and what was noted of both.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/catalog/catalog.h"

namespace marquee::catalog {

/// Each may do what those before it may.
enum class Role { viewer, analyst, manager, admin };
inline constexpr std::array kRoles = {Role::viewer, Role::analyst, Role::manager, Role::admin};
[[nodiscard]] std::string_view name_of(Role role);
[[nodiscard]] std::optional<Role> role_of(std::string_view name);

struct Account {
  std::string name;  ///< 1 to 64 bytes; see check_account_name.
  Role role = Role::viewer;
  std::string password = {};  ///< Its hash, as libsodium writes it; empty: it has none and cannot be signed in by one.
  std::string subject = {};   ///< Of a provider's user: issuer and sub, separated by a space. Empty: it is local.
  std::int64_t made_ms = 0;
  std::int64_t changed_ms = 0;  ///< Also its version.
  std::int64_t seen_ms = 0;     ///< Last sign-in; 0: never.
};

/// What a browser that is signed in holds the secret of.
struct AccountSession {
  std::string hash;  ///< Of the secret; see hash_of_secret.
  std::string account;
  std::int64_t made_ms = 0;
  std::int64_t seen_ms = 0;
};

/// Lower-case letters, digits and '.', '_', '-', '@', '+'; the first is a letter or digit.
[[nodiscard]] Result<void> check_account_name(std::string_view name);

/// Storage of all of them, in the catalog's database. Thread safe. Reads of accounts and sessions look at a snapshot
/// and never wait for the database; changes block.
class AccountBook {
 public:
  /// `catalog` must outlive it.
  explicit AccountBook(Catalog& catalog) : impl_(*catalog.impl_) {}

  [[nodiscard]] bool is_empty() const;
  [[nodiscard]] std::vector<Account> all() const;  ///< By name.
  [[nodiscard]] std::optional<Account> find(std::string_view name) const;
  [[nodiscard]] std::optional<Account> find_subject(std::string_view subject) const;

  /// Edit::exists where the name is taken. Action::reject names what is wrong. The first one must be an admin, or
  /// nobody could make others.
  [[nodiscard]] Result<Edit> add(Account& account, std::string_view actor);
  /// Edit::in_use for the last admin that a password or a provider lets in. Ends no session: what it may do is looked
  /// up at each request.
  [[nodiscard]] Result<Edit> set_role(std::string_view name, Role role, std::string_view actor);
  /// Ends all of its sessions but `kept` (a hash; empty: all).
  [[nodiscard]] Result<Edit> set_password(std::string_view name, const std::string& password, std::string_view kept,
                                          std::string_view actor);
  /// The same password, hashed with newer parameters: ends nothing and is not recorded.
  [[nodiscard]] Result<void> renew_password(std::string_view name, const std::string& before, const std::string& after);
  /// Its sessions, too. Edit::in_use for the last admin.
  [[nodiscard]] Result<Edit> remove(std::string_view name, std::string_view actor);

  [[nodiscard]] std::optional<AccountSession> session(std::string_view hash) const;
  [[nodiscard]] std::vector<AccountSession> sessions(std::string_view account) const;
  /// Beyond `kMostSessions` of an account the one that was seen longest ago ends. Edit::missing without the account,
  /// Edit::changed where its password's hash is not `password` any more, by which it was let in.
  [[nodiscard]] Result<Edit> begin_session(const AccountSession& session, const std::string& password,
                                           const std::string& note);
  [[nodiscard]] Result<void> end_session(std::string_view hash, std::string_view actor, const std::string& note);
  /// How many there were. Edit::missing as nullopt.
  [[nodiscard]] Result<std::optional<std::size_t>> end_sessions(std::string_view account, std::string_view actor);
  /// Writes down when sessions were last seen, and removes those made before `made_ms` or last seen before `seen_ms`.
  [[nodiscard]] Result<void> keep_sessions(const std::vector<std::pair<std::string, std::int64_t>>& seen,
                                           std::int64_t made_ms, std::int64_t seen_ms);

  /// Notes what is no change: a sign-in that was refused. Of those of `actor` the newest `most` stay, and
  /// one or two more.
  [[nodiscard]] Result<void> note(std::string_view actor, const std::string& what, std::int64_t most);
  /// Changes and notes before `before_ms`, newest first: `limit`, and all further ones of the last one's millisecond.
  /// Of one actor where `actor` is not empty.
  [[nodiscard]] Result<std::vector<Change>> audit(std::string_view actor, std::int64_t before_ms,
                                                  std::size_t limit) const;

  static constexpr std::size_t kMostAccounts = 10'000;
  static constexpr std::size_t kMostSessions = 20;

 private:
  Catalog::Impl& impl_;
};

/// What is kept of a secret: its BLAKE2b-256, as 64 hexadecimal digits.
[[nodiscard]] std::string hash_of_secret(std::string_view secret);

}  // namespace marquee::catalog
