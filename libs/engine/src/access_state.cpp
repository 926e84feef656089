#include "marquee/engine/access_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace marquee::engine {
namespace {

using AccessKind = AccessStatement::Kind;

std::unexpected<Failure> exists(std::string_view what, std::string_view name) {
  return std::unexpected(
      failure(kAccessEntityExists, "ACCESS_ENTITY_ALREADY_EXISTS", fmt::format("{} `{}` already exists", what, name)));
}

std::unexpected<Failure> no_user(std::string_view name) {
  return std::unexpected(
      failure(kUnknownUser, "UNKNOWN_USER", fmt::format("There is no user `{}` that was made by SQL", name)));
}

std::unexpected<Failure> no_role(std::string_view name) {
  return std::unexpected(
      failure(kUnknownRole, "UNKNOWN_ROLE", fmt::format("There is no role `{}` in user directories", name)));
}

std::string quoted_names(const auto& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + quote_name(name);
  return out;
}

std::string text_of_user(const std::string& name, const SqlUser& user) {
  std::string out =
      fmt::format("CREATE USER {} IDENTIFIED WITH ARGON2_HASH BY {}", quote_name(name), quote_text(user.password_hash));
  if (!user.database.empty()) out += " DEFAULT DATABASE " + quote_name(user.database);
  for (std::size_t i = 0; i < user.settings.size(); ++i) {
    out += fmt::format("{} {} = {}", i == 0 ? " SETTINGS" : ",", user.settings[i].first, user.settings[i].second);
  }
  return out + "\n";
}

std::string text_of_defaults(const std::string& name, const RoleChoice& defaults) {
  if (defaults.is_all) return {};
  const std::string chosen = defaults.names.empty() ? "NONE" : quoted_names(defaults.names);
  return fmt::format("SET DEFAULT ROLE {} TO {}\n", chosen, quote_name(name));
}

std::string text_of_grants(const std::string& name, const std::vector<Grant>& grants,
                           const std::set<std::string>& roles) {
  std::string out;
  for (const Grant& grant : grants) out += fmt::format("GRANT {} TO {}\n", grant.text(), quote_name(name));
  if (!roles.empty()) out += fmt::format("GRANT {} TO {}\n", quoted_names(roles), quote_name(name));
  return out;
}

/// A grant goes with all that is within it: REVOKE SELECT ON *.* takes that on db.table, too.
bool is_within(const Grant& inner, const Grant& outer) {
  return outer.covers(inner.privilege, inner.database, inner.table);
}

void change_roles(const AccessStatement& statement, std::set<std::string>& roles) {
  for (const std::string& role : statement.roles) {
    if (statement.kind == AccessKind::grant_roles) {
      roles.insert(role);
    } else {
      roles.erase(role);
    }
  }
}

Answer<> change(const AccessStatement& statement, std::vector<Grant>& grants, std::set<std::string>& roles) {
  change_roles(statement, roles);
  for (const Grant& grant : statement.grants) {
    if (statement.kind != AccessKind::revoke) {
      if (std::ranges::find(grants, grant) == grants.end()) grants.push_back(grant);
      continue;
    }
    std::erase_if(grants, [&](const Grant& held) { return is_within(held, grant); });
    if (std::ranges::any_of(grants, [&](const Grant& held) { return is_within(grant, held); })) {
      return std::unexpected(failure(kNotImplemented, "NOT_IMPLEMENTED",
                                     fmt::format("the store cannot take {} out of a wider grant; revoke that and "
                                                 "grant what remains",
                                                 grant.text())));
    }
  }
  return {};
}

}  // namespace

bool is_built_in_role(std::string_view name) { return name == "admin" || name == "writer" || name == "reader"; }

Result<AccessState> AccessState::read(std::string_view lines) {
  AccessState state;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (line.empty()) continue;
    const auto statement = read_access_statement(line, "default");
    if (!statement)
      return Error::give_up("this is no statement of users and roles: " + std::string(line.substr(0, 40)));
    if (!*statement) return Error::give_up(statement->error().message);
    std::set<std::string> fixed;  // Who is neither is of the command line, perhaps of that of another time.
    for (const std::string& name : (*statement)->names) {
      const bool is_ours =
          (*statement)->kind != AccessKind::grant_roles || state.user(name) != nullptr || state.has_role(name);
      if (!is_ours) fixed.insert(name);
    }
    if (auto done = state.apply(**statement, fixed); !done) return Error::give_up(done.error().message);
  }
  return state;
}

// Roles first, as grants name them; what they hold of each other last.
std::string AccessState::text() const {
  std::string out;
  for (const auto& [name, role] : roles_) out += fmt::format("CREATE ROLE {}\n", quote_name(name));
  for (const auto& [name, role] : roles_) out += text_of_grants(name, role.grants, role.roles);
  for (const auto& [name, user] : users_) {
    out += text_of_user(name, user);
    out += text_of_grants(name, user.grants, user.roles);
    out += text_of_defaults(name, user.defaults);
  }
  for (const auto& [name, roles] : roles_of_fixed_) out += text_of_grants(name, {}, roles);
  return out;
}

Answer<> AccessState::apply(const AccessStatement& statement, const std::set<std::string>& fixed) {
  AccessState changed = *this;
  Answer<> done;
  switch (statement.kind) {
    case AccessKind::create_user:
    case AccessKind::alter_user:
      done = changed.make_users(statement, fixed);
      break;
    case AccessKind::drop_user:
      done = changed.drop_users(statement, fixed);
      break;
    case AccessKind::create_role:
      done = changed.make_roles(statement);
      break;
    case AccessKind::drop_role:
      done = changed.drop_roles(statement);
      break;
    case AccessKind::set_defaults:
      done = changed.set_defaults(statement);
      break;
    default:
      done = changed.change_grants(statement, fixed);
  }
  if (done) *this = std::move(changed);
  return done;
}

Answer<> AccessState::know_roles(const std::vector<std::string>& names) const {
  for (const std::string& name : names) {
    if (!has_role(name)) return no_role(name);
  }
  return {};
}

Answer<> AccessState::configure(const AccessStatement& statement, SqlUser& user) const {
  if (statement.password_hash) user.password_hash = *statement.password_hash;
  if (statement.database) user.database = *statement.database;
  if (statement.settings) user.settings = *statement.settings;
  if (!statement.defaults) return {};
  user.defaults = *statement.defaults;
  if (auto known = know_roles(user.defaults.names); !known) return known;
  // As in ClickHouse: roles that a user is made with are granted to it; later only those it has can be its defaults.
  if (statement.kind == AccessKind::create_user)
    user.roles.insert(user.defaults.names.begin(), user.defaults.names.end());
  return {};
}

Answer<> AccessState::make_users(const AccessStatement& statement, const std::set<std::string>& fixed) {
  const bool alters = statement.kind == AccessKind::alter_user;
  for (const std::string& name : statement.names) {
    const auto found = users_.find(name);
    if (fixed.contains(name)) {
      if (statement.if_not_exists) continue;
      return exists("user", name);
    }
    if (alters && found == users_.end()) {
      if (statement.if_exists) continue;
      return no_user(name);
    }
    if (!alters && found != users_.end() && !statement.or_replace) {
      if (statement.if_not_exists) continue;
      return exists("user", name);
    }
    SqlUser user = alters ? found->second : SqlUser();
    if (auto done = configure(statement, user); !done) return done;
    if (user.password_hash.empty()) {
      return std::unexpected(failure(kBadArguments, "BAD_ARGUMENTS", "a user needs a password: IDENTIFIED BY '...'"));
    }
    users_[name] = std::move(user);
  }
  return {};
}

Answer<> AccessState::make_roles(const AccessStatement& statement) {
  for (const std::string& name : statement.names) {
    if (!has_role(name)) {
      roles_[name];
    } else if (statement.or_replace && !is_built_in_role(name)) {
      roles_[name] = {};
    } else if (!statement.if_not_exists) {
      return exists("role", name);
    }
  }
  return {};
}

Answer<> AccessState::drop_users(const AccessStatement& statement, const std::set<std::string>& fixed) {
  for (const std::string& name : statement.names) {
    if (fixed.contains(name)) {
      return std::unexpected(failure(kAccessDenied, "ACCESS_DENIED",
                                     fmt::format("Not enough privileges. User `{}` is of the command line", name)));
    }
    if (users_.erase(name) == 0 && !statement.if_exists) return no_user(name);
  }
  return {};
}

Answer<> AccessState::drop_roles(const AccessStatement& statement) {
  for (const std::string& name : statement.names) {
    if (roles_.erase(name) == 0 && !statement.if_exists) return no_role(name);
    for (auto& [other, role] : roles_) role.roles.erase(name);
    for (auto& [other, roles] : roles_of_fixed_) roles.erase(name);
    for (auto& [other, user] : users_) {
      user.roles.erase(name);
      std::erase(user.defaults.names, name);
    }
  }
  return {};
}

Answer<> AccessState::change_grants(const AccessStatement& statement, const std::set<std::string>& fixed) {
  if (auto known = know_roles(statement.roles); !known) return known;
  for (const std::string& name : statement.names) {
    if (const auto user = users_.find(name); user != users_.end()) {
      if (auto done = change(statement, user->second.grants, user->second.roles); !done) return done;
    } else if (const auto role = roles_.find(name); role != roles_.end()) {
      if (with_inner_roles({statement.roles.begin(), statement.roles.end()}).contains(name)) {
        return std::unexpected(failure(kBadArguments, "BAD_ARGUMENTS", "a role cannot be granted to itself"));
      }
      if (auto done = change(statement, role->second.grants, role->second.roles); !done) return done;
    } else if (!fixed.contains(name)) {
      return no_user(name);
    } else if (statement.grants.empty()) {
      change_roles(statement, roles_of_fixed_[name]);
    } else {
      return std::unexpected(
          failure(kAccessDenied, "ACCESS_DENIED",
                  fmt::format("Not enough privileges. What `{}` may do is said on the command line", name)));
    }
  }
  return {};
}

Answer<> AccessState::set_defaults(const AccessStatement& statement) {
  if (auto known = know_roles(statement.defaults->names); !known) return known;
  for (const std::string& name : statement.names) {
    const auto user = users_.find(name);
    if (user == users_.end()) return no_user(name);
    for (const std::string& role : statement.defaults->names) {
      if (!user->second.roles.contains(role)) {
        return std::unexpected(failure(kRoleNotGranted, "SET_NON_GRANTED_ROLE",
                                       fmt::format("Role `{}` should be granted to set default", role)));
      }
    }
    user->second.defaults = *statement.defaults;
  }
  return {};
}

const SqlUser* AccessState::user(const std::string& name) const {
  const auto found = users_.find(name);
  return found == users_.end() ? nullptr : &found->second;
}

std::set<std::string> AccessState::roles_of_fixed(const std::string& name) const {
  const auto found = roles_of_fixed_.find(name);
  return found == roles_of_fixed_.end() ? std::set<std::string>() : found->second;
}

bool AccessState::has_role(const std::string& name) const { return is_built_in_role(name) || roles_.contains(name); }

std::set<std::string> AccessState::with_inner_roles(const std::set<std::string>& names) const {
  std::set<std::string> out;
  std::vector<std::string> open(names.begin(), names.end());
  while (!open.empty()) {
    const std::string name = std::move(open.back());
    open.pop_back();
    if (!out.insert(name).second) continue;
    if (const auto role = roles_.find(name); role != roles_.end()) {
      open.insert(open.end(), role->second.roles.begin(), role->second.roles.end());
    }
  }
  return out;
}

}  // namespace marquee::engine
