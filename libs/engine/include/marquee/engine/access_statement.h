// CREATE USER, GRANT and the like, read: the embedded engine has no storage that would take them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/engine/connection.h"
#include "marquee/engine/failure.h"
#include "marquee/engine/grants.h"

namespace marquee::engine {

/// Which of its roles a user has without asking for them.
struct RoleChoice {
  bool is_all = true;
  std::vector<std::string> names{};
};

struct AccessStatement {
  enum class Kind {
    create_user,
    alter_user,
    drop_user,
    create_role,
    drop_role,
    grant,         ///< `grants` to `names`.
    revoke,        ///< `grants` from `names`.
    grant_roles,   ///< `roles` to `names`.
    revoke_roles,  ///< `roles` from `names`.
    set_defaults,  ///< `defaults` of `names`.
    set_role,      ///< `roles` for who asks.
    show_users,
    show_roles,
    show_grants,  ///< Of the one in `names`; of who asks where it is empty.
  };
  Kind kind = Kind::create_user;
  std::vector<std::string> names{};  ///< The users or roles that it is about.
  bool if_exists = false;
  bool if_not_exists = false;
  bool or_replace = false;
  std::optional<std::string> password{};
  std::optional<std::string> password_hash{};  ///< As the store itself writes it down.
  std::optional<std::string> database{};       ///< DEFAULT DATABASE.
  std::optional<Settings> settings{};          ///< readonly, and bounds ("max_...").
  std::optional<RoleChoice> defaults{};
  std::vector<Grant> grants{};
  std::vector<std::string> roles{};

  [[nodiscard]] bool changes_something() const { return kind < Kind::set_role; }
};

/// Nothing where `text` is a statement of another kind. Fails with SYNTAX_ERROR, or with NOT_IMPLEMENTED for what
/// ClickHouse has and the store has not. `database` is the current one.
[[nodiscard]] std::optional<Answer<AccessStatement>> read_access_statement(std::string_view text,
                                                                           std::string_view database);

}  // namespace marquee::engine
