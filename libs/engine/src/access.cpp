#include "access.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <utility>

#include "password_hash.h"

namespace marquee::engine {
namespace {

using AccessKind = AccessStatement::Kind;

constexpr std::array kAllRoles = {Role::admin, Role::writer, Role::reader};

/// Takes as long for a nearly right password as for a wrong one.
bool same(const std::string& given, const std::string& right) {
  unsigned difference = given.size() == right.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char other = right.empty() ? '\0' : right[i % right.size()];
    difference |= static_cast<unsigned char>(given[i] ^ other);
  }
  return difference == 0;
}

std::set<std::string> names_of(const std::set<Role>& roles) {
  std::set<std::string> out;
  for (const Role role : roles) out.emplace(name_of(role));
  return out;
}

std::vector<Grant> everywhere(std::initializer_list<Privilege> privileges) {
  std::vector<Grant> out;
  for (const Privilege privilege : privileges) out.push_back({.privilege = privilege});
  return out;
}

/// Replaces a file at once, so that whoever reads it finds the old or the new.
bool replace_file(const std::filesystem::path& path, std::string_view text) {
  const std::string part = path.string() + ".part";
  const int file = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return false;
  bool written = true;
  while (written && !text.empty()) {
    const ssize_t count = ::write(file, text.data(), text.size());
    written = count > 0;
    if (written) text.remove_prefix(static_cast<std::size_t>(count));
  }
  written = written && ::fsync(file) == 0;
  return ::close(file) == 0 && written && ::rename(part.c_str(), path.c_str()) == 0;
}

}  // namespace

Result<std::unique_ptr<Access>> Access::open(const std::filesystem::path& directory, const std::vector<User>& fixed) {
  std::unique_ptr<Access> access(new Access(directory / "access.sql"));
  for (const User& user : fixed) access->fixed_[user.name] = std::make_shared<const User>(user);
  std::ifstream in(access->file_, std::ios::binary);
  if (!in) return access;  // None was ever made.
  const std::string lines((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  auto state = AccessState::read(lines);
  if (!state) {
    return Error::give_up(
        fmt::format("cannot read the users in {}: {}", access->file_.string(), state.error().message));
  }
  access->state_ = std::move(*state);
  return access;
}

Answer<Caller> Access::admit(StoreRequest& request) {
  if (auto right = authenticate(request); !right) return std::unexpected(right.error());
  if (const auto fixed = fixed_.find(request.user); fixed != fixed_.end()) return as_fixed(request, fixed->second);
  const std::scoped_lock lock(mutex_);
  const SqlUser* user = state_.user(request.user);
  if (user == nullptr) {  // Dropped since.
    return std::unexpected(failure(kAuthenticationFailed, "AUTHENTICATION_FAILED", "Authentication failed."));
  }
  if (request.database.empty()) request.database = user->database;
  return as_made(request, *user);
}

Answer<> Access::authenticate(const StoreRequest& request) {
  bool right = false;
  if (const auto fixed = fixed_.find(request.user); fixed != fixed_.end()) {
    right = fixed->second->password.empty() || same(request.password, fixed->second->password);
  } else {
    std::string hash;
    {
      const std::scoped_lock lock(mutex_);
      if (const SqlUser* user = state_.user(request.user); user != nullptr) hash = user->password_hash;
    }
    right = !hash.empty() && is_password_of(request.user, hash, request.password);
  }
  if (right) return {};
  return std::unexpected(
      failure(kAuthenticationFailed, "AUTHENTICATION_FAILED",
              fmt::format("{}: Authentication failed: password is incorrect, or there is no user with such name.",
                          request.user.substr(0, 64))));
}

bool Access::is_password_of(const std::string& name, const std::string& hash, const std::string& password) {
  {
    const std::scoped_lock lock(mutex_);
    const auto found = verified_.find(name + '\n' + hash);
    if (found != verified_.end() && same(password, found->second)) return true;
  }
  if (!matches_password(hash, password)) return false;
  const std::scoped_lock lock(mutex_);
  verified_[name + '\n' + hash] = password;
  return true;
}

/// Those that a request asks for; all of `granted` where it asks for none.
Answer<std::set<std::string>> Access::wanted_roles(const StoreRequest& request,
                                                   const std::set<std::string>& granted) const {
  std::set<std::string> out;
  for (const std::string& wanted : request.roles) {
    const std::string name = wanted.substr(0, 64);
    if (!state_.has_role(wanted)) {
      return std::unexpected(
          failure(kUnknownRole, "UNKNOWN_ROLE", fmt::format("There is no role `{}` in user directories", name)));
    }
    if (!granted.contains(wanted)) {
      return std::unexpected(failure(kRoleNotGranted, "SET_NON_GRANTED_ROLE",
                                     fmt::format("Role `{}` should be granted to set as current", name)));
    }
    out.insert(wanted);
  }
  return request.roles.empty() ? granted : out;
}

// A user of the command line has its own roles, and others only where it asks for them.
Answer<Caller> Access::as_fixed(const StoreRequest& request, const std::shared_ptr<const User>& user) const {
  const std::scoped_lock lock(mutex_);
  const std::set<std::string> own = names_of(user->roles);
  std::set<std::string> granted = state_.roles_of_fixed(user->name);
  granted.insert(own.begin(), own.end());
  auto wanted = wanted_roles(request, request.roles.empty() ? own : granted);
  if (!wanted) return std::unexpected(wanted.error());
  Caller caller{.user = user, .has_password = !user->password.empty()};
  give(caller, *wanted, {}, false);
  const bool is_plain = std::ranges::all_of(*wanted, [](const std::string& name) { return is_built_in_role(name); });
  if (is_plain) caller.scope.reset();
  return caller;
}

Answer<Caller> Access::as_made(const StoreRequest& request, const SqlUser& user) const {
  auto wanted = wanted_roles(request, user.roles);
  if (!wanted) return std::unexpected(wanted.error());
  if (request.roles.empty() && !user.defaults.is_all) {
    wanted->clear();
    for (const std::string& name : user.defaults.names) {
      if (user.roles.contains(name)) wanted->insert(name);
    }
  }
  auto made = std::make_shared<User>(User{.name = request.user, .password = {}, .roles = {Role::reader}});
  made->bounds = bounds_of_guests();
  bool only_reads = false;
  for (const auto& [name, value] : user.settings) {
    if (name == "readonly") {
      only_reads = value != "0";
      continue;
    }
    std::erase_if(made->bounds, [&](const auto& bound) { return bound.first == name; });
    made->bounds.emplace_back(name, value);
  }
  Caller caller{.user = std::move(made)};
  give(caller, *wanted, user.grants, only_reads);
  return caller;
}

/// What `active` roles and `grants` amount to.
void Access::give(Caller& caller, const std::set<std::string>& active, std::vector<Grant> grants,
                  bool only_reads) const {
  caller.roles.assign(active.begin(), active.end());
  const std::set<std::string> all = state_.with_inner_roles(active);
  if (all.contains("admin") && !only_reads) {
    caller.role = Role::admin;
    return;
  }
  const auto add = [&](const std::vector<Grant>& more) { grants.insert(grants.end(), more.begin(), more.end()); };
  if (all.contains("writer")) add(everywhere({Privilege::insert}));
  if (all.contains("writer") || all.contains("reader") || all.contains("admin")) add(everywhere({Privilege::select}));
  for (const std::string& name : all) {
    if (const auto role = state_.roles().find(name); role != state_.roles().end()) add(role->second.grants);
  }
  if (only_reads) {
    std::erase_if(grants, [](const Grant& grant) { return grant.privilege != Privilege::select; });
  }
  caller.scope.emplace(std::move(grants));
  caller.role = caller.scope->may_somewhere(Privilege::insert) ? Role::writer : Role::reader;
}

std::set<std::string> Access::names_of_fixed() const {
  std::set<std::string> out;
  for (const auto& [name, user] : fixed_) out.insert(name);
  return out;
}

Answer<> Access::apply(AccessStatement statement) {
  if (statement.password) {
    auto hash = hash_password(*statement.password);
    if (!hash) return std::unexpected(failure(kUnknown, "MEMORY_LIMIT_EXCEEDED", hash.error().message));
    statement.password_hash = std::move(*hash);
  }
  const std::scoped_lock lock(mutex_);
  AccessState changed = state_;
  if (auto done = changed.apply(statement, names_of_fixed()); !done) return done;
  if (auto written = write_down(changed); !written) {
    return std::unexpected(failure(kUnknown, "CANNOT_WRITE_TO_FILE_DESCRIPTOR", written.error().message));
  }
  state_ = std::move(changed);
  verified_.clear();
  return {};
}

Result<void> Access::write_down(const AccessState& state) const {
  if (replace_file(file_, state.text())) return {};
  return Error::retry(fmt::format("cannot write {}; is the disk full?", file_.string()));
}

Answer<std::vector<std::string>> Access::list(const AccessStatement& statement, const Caller& caller) const {
  const std::scoped_lock lock(mutex_);
  std::set<std::string> names;
  if (statement.kind == AccessKind::show_users) {
    names = names_of_fixed();
    for (const auto& [name, user] : state_.users()) names.insert(name);
  } else if (statement.kind == AccessKind::show_roles) {
    for (const Role role : kAllRoles) names.emplace(name_of(role));
    for (const auto& [name, role] : state_.roles()) names.insert(name);
  } else {
    const std::string who = statement.names.empty() ? caller.user->name : statement.names.front();
    std::vector<Grant> grants;
    std::set<std::string> roles;
    if (const SqlUser* user = state_.user(who); user != nullptr) {
      grants = user->grants;
      roles = user->roles;
    } else if (const auto role = state_.roles().find(who); role != state_.roles().end()) {
      grants = role->second.grants;
      roles = role->second.roles;
    } else if (const auto fixed = fixed_.find(who); fixed != fixed_.end()) {
      roles = names_of(fixed->second->roles);
      roles.merge(state_.roles_of_fixed(who));
    } else {
      return std::unexpected(failure(kUnknownUser, "UNKNOWN_USER", fmt::format("There is no user `{}`", who)));
    }
    for (const Grant& grant : grants) names.insert(fmt::format("GRANT {} TO {}", grant.text(), quote_name(who)));
    for (const std::string& role : roles) names.insert(fmt::format("GRANT {} TO {}", role, quote_name(who)));
  }
  return std::vector<std::string>(names.begin(), names.end());
}

}  // namespace marquee::engine
