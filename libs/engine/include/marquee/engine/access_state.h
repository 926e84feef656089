// The users and roles that were made by SQL, as values: what a statement makes of them, and how they are written down.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/engine/access_statement.h"
#include "marquee/engine/grants.h"

namespace marquee::engine {

/// Roles that are always there, by name: as those of --user.
[[nodiscard]] bool is_built_in_role(std::string_view name);

struct SqlRole {
  std::vector<Grant> grants{};
  std::set<std::string> roles{};
};

struct SqlUser {
  std::string password_hash{};
  std::string database{};  ///< Where a request names none; empty: "default".
  Settings settings{};
  std::vector<Grant> grants{};
  std::set<std::string> roles{};
  RoleChoice defaults{};
};

class AccessState {
 public:
  /// Reads what text() wrote.
  [[nodiscard]] static Result<AccessState> read(std::string_view lines);
  /// One statement a line, without passwords but with their hashes.
  [[nodiscard]] std::string text() const;

  /// Changes nothing where it fails. `fixed` are names of users that are not made by SQL. A password has been replaced
  /// by its hash before.
  [[nodiscard]] Answer<> apply(const AccessStatement& statement, const std::set<std::string>& fixed);

  [[nodiscard]] const SqlUser* user(const std::string& name) const;
  [[nodiscard]] bool has_role(const std::string& name) const;
  /// Those that a user of the command line was granted beside its own.
  [[nodiscard]] std::set<std::string> roles_of_fixed(const std::string& name) const;
  [[nodiscard]] const std::map<std::string, SqlUser>& users() const { return users_; }
  [[nodiscard]] const std::map<std::string, SqlRole>& roles() const { return roles_; }
  /// `names` and all roles that those have.
  [[nodiscard]] std::set<std::string> with_inner_roles(const std::set<std::string>& names) const;

 private:
  [[nodiscard]] Answer<> make_users(const AccessStatement& statement, const std::set<std::string>& fixed);
  [[nodiscard]] Answer<> make_roles(const AccessStatement& statement);
  [[nodiscard]] Answer<> drop_users(const AccessStatement& statement, const std::set<std::string>& fixed);
  [[nodiscard]] Answer<> drop_roles(const AccessStatement& statement);
  [[nodiscard]] Answer<> change_grants(const AccessStatement& statement, const std::set<std::string>& fixed);
  [[nodiscard]] Answer<> set_defaults(const AccessStatement& statement);
  [[nodiscard]] Answer<> know_roles(const std::vector<std::string>& names) const;
  [[nodiscard]] Answer<> configure(const AccessStatement& statement, SqlUser& user) const;

  std::map<std::string, SqlUser> users_;
  std::map<std::string, SqlRole> roles_;
  std::map<std::string, std::set<std::string>> roles_of_fixed_;
};

}  // namespace marquee::engine
