// Who asks, and in which roles: users of the command line, and those that were made by SQL.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/engine/access_state.h"
#include "marquee/engine/failure.h"
#include "marquee/engine/grants.h"
#include "marquee/engine/request.h"
#include "marquee/engine/users.h"
#include "query_watch.h"

namespace marquee::engine {

/// Who sent a request, and what it may do.
struct Caller {
  std::shared_ptr<const User> user;
  Role role = Role::reader;
  std::optional<Scope> scope{};      ///< Where it may not touch all tables: which.
  std::vector<std::string> roles{};  ///< The names of those it has now.
  bool has_password = true;          ///< Else anybody is this user.
  std::shared_ptr<const Client> client{};
};

/// Thread safe.
class Access {
 public:
  /// Reads the users that were made by SQL from `directory`, where changes are kept.
  [[nodiscard]] static Result<std::unique_ptr<Access>> open(const std::filesystem::path& directory,
                                                            const std::vector<User>& fixed);

  /// AUTHENTICATION_FAILED, which does not tell whether the user exists; UNKNOWN_ROLE and SET_NON_GRANTED_ROLE for a
  /// role= that the user has not. Fills in what the user says where the request says nothing.
  [[nodiscard]] Answer<Caller> admit(StoreRequest& request);

  /// Changes users or roles; has been written down once it returns. Nothing is changed where it fails.
  [[nodiscard]] Answer<> apply(AccessStatement statement);
  /// What SHOW USERS, SHOW ROLES or SHOW GRANTS lists.
  [[nodiscard]] Answer<std::vector<std::string>> list(const AccessStatement& statement, const Caller& caller) const;

 private:
  explicit Access(std::filesystem::path file) : file_(std::move(file)) {}
  [[nodiscard]] Answer<> authenticate(const StoreRequest& request);
  [[nodiscard]] bool is_password_of(const std::string& name, const std::string& hash, const std::string& password);
  [[nodiscard]] Answer<Caller> as_fixed(const StoreRequest& request, const std::shared_ptr<const User>& user) const;
  [[nodiscard]] Answer<Caller> as_made(const StoreRequest& request, const SqlUser& user) const;
  [[nodiscard]] Answer<std::set<std::string>> wanted_roles(const StoreRequest& request,
                                                           const std::set<std::string>& granted) const;
  void give(Caller& caller, const std::set<std::string>& active, std::vector<Grant> grants, bool only_reads) const;
  [[nodiscard]] Result<void> write_down(const AccessState& state) const;
  [[nodiscard]] std::set<std::string> names_of_fixed() const;

  std::filesystem::path file_;
  std::map<std::string, std::shared_ptr<const User>> fixed_;
  mutable std::mutex mutex_;
  AccessState state_;
  std::map<std::string, std::string> verified_;  ///< The last right password by hash, as hashing takes its time.
};

}  // namespace marquee::engine
