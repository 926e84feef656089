#include "marquee/catalog/accounts.h"

#include <algorithm>
#include <limits>

#include "catalog_impl.h"

namespace marquee::catalog {
namespace {

constexpr std::size_t kMostNameBytes = 64;

bool may_begin_name(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool may_be_in_name(char c) { return may_begin_name(c) || std::string_view("._-@+").contains(c); }

constexpr const char* kAccountColumns =
    "SELECT name, role, password, subject, made_ms, changed_ms, seen_ms FROM accounts";

Account account_of(const soci::row& row) {
  // A role that this program does not know may do the least.
  return {.name = row.get<std::string>(0),
          .role = role_of(row.get<std::string>(1)).value_or(Role::viewer),
          .password = row.get<std::string>(2),
          .subject = row.get<std::string>(3),
          .made_ms = row.get<long long>(4),
          .changed_ms = row.get<long long>(5),
          .seen_ms = row.get<long long>(6)};
}

/// As the database has it now: the snapshot may be behind a change that another thread has just made.
std::optional<Account> find_account(soci::session& session, std::string_view name) {
  const std::string which(name);
  const soci::rowset<soci::row> rows =
      (session.prepare << fmt::format("{} WHERE name = :n", kAccountColumns), soci::use(which, "n"));
  std::optional<Account> found;
  for (const auto& row : rows) found = account_of(row);
  return found;
}

/// Whether all that would be left are accounts that can make no others.
bool is_last_admin(soci::session& session, const Account& account) {
  int others = 0;
  session << "SELECT count(*) FROM accounts WHERE role = 'admin' AND name <> :n", soci::into(others),
      soci::use(account.name);
  return account.role == Role::admin && others == 0;
}

void write_account_row(soci::session& session, const Account& account) {
  const std::string role(name_of(account.role));
  const long long made = account.made_ms, changed = account.changed_ms, seen = account.seen_ms;
  session << "DELETE FROM accounts WHERE name = :n", soci::use(account.name);
  session << "INSERT INTO accounts (name, role, password, subject, made_ms, changed_ms, seen_ms) VALUES (:n, :r, :p, "
             ":s, :m, :c, :e)",
      soci::use(account.name), soci::use(role), soci::use(account.password), soci::use(account.subject),
      soci::use(made), soci::use(changed), soci::use(seen);
}

void forget_sessions(soci::session& session, const std::string& account, const std::string& kept) {
  session << "DELETE FROM account_sessions WHERE account = :a AND hash <> :k", soci::use(account), soci::use(kept);
}

}  // namespace

void Catalog::Impl::read_accounts(Snapshot& next) {
  const soci::rowset<soci::row> accounts = (session_.prepare << kAccountColumns);
  for (const auto& row : accounts) {
    auto account = account_of(row);
    next.accounts.emplace(account.name, std::move(account));
  }
  const soci::rowset<soci::row> sessions =
      (session_.prepare << "SELECT hash, account, made_ms, seen_ms FROM account_sessions");
  for (const auto& row : sessions)
    next.sessions.emplace(row.get<std::string>(0), AccountSession{row.get<std::string>(0), row.get<std::string>(1),
                                                                  row.get<long long>(2), row.get<long long>(3)});
}

std::string_view name_of(Role role) {
  constexpr std::array<std::string_view, 4> kNames = {"viewer", "analyst", "manager", "admin"};
  return kNames.at(static_cast<std::size_t>(role));
}

std::optional<Role> role_of(std::string_view name) {
  for (const auto role : kRoles)
    if (name_of(role) == name) return role;
  return std::nullopt;
}

Result<void> check_account_name(std::string_view name) {
  if (name.empty() || name.size() > kMostNameBytes || !may_begin_name(name.front()) ||
      !std::ranges::all_of(name, may_be_in_name))
    return Error::reject(
        "name: expected 1 to 64 lower-case letters, digits or any of . _ - @ +, beginning with a letter or digit");
  return {};
}

bool AccountBook::is_empty() const { return impl_.snapshot()->accounts.empty(); }

std::vector<Account> AccountBook::all() const {
  std::vector<Account> all;
  for (const auto& [name, account] : impl_.snapshot()->accounts) all.push_back(account);
  return all;
}

std::optional<Account> AccountBook::find(std::string_view name) const {
  const auto snapshot = impl_.snapshot();
  const auto found = snapshot->accounts.find(name);
  return found == snapshot->accounts.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Account> AccountBook::find_subject(std::string_view subject) const {
  for (const auto& [name, account] : impl_.snapshot()->accounts)
    if (!account.subject.empty() && account.subject == subject) return account;
  return std::nullopt;
}

Result<Edit> AccountBook::add(Account& account, std::string_view actor) {
  if (auto checked = check_account_name(account.name); !checked) return checked.error();
  std::optional<Error> refusal;
  const auto what = fmt::format("account {} made, {}", account.name, name_of(account.role));
  const auto edit = impl_.edit(actor, what, [&](soci::session& session) {
    if (find_account(session, account.name)) return Edit::exists;
    std::size_t count = 0;
    session << "SELECT count(*) FROM accounts", soci::into(count);
    if (count == 0 && account.role != Role::admin) {
      refusal = Error::reject("role: the first account must be an admin, who can make the others");
    } else if (count >= kMostAccounts) {
      refusal = Error::reject(fmt::format("name: there are {} accounts already", kMostAccounts));
    }
    if (refusal) return Edit::in_use;
    account.made_ms = account.changed_ms = impl_.now_ms();
    write_account_row(session, account);
    return Edit::done;
  });
  if (refusal) return *refusal;
  impl_.renew();
  return edit;
}

Result<Edit> AccountBook::set_role(std::string_view name, Role role, std::string_view actor) {
  std::string what;
  const auto edit = impl_.edit(actor, what, [&](soci::session& session) {
    const auto found = find_account(session, name);
    if (!found) return Edit::missing;
    auto account = *found;
    if (account.role == role) return Edit::done;
    if (is_last_admin(session, account)) return Edit::in_use;
    what = fmt::format("account {} is now {}, was {}", name, name_of(role), name_of(account.role));
    account.role = role;
    account.changed_ms = impl_.version_after(account.changed_ms);
    write_account_row(session, account);
    return Edit::done;
  });
  impl_.renew();
  return edit;
}

Result<Edit> AccountBook::set_password(std::string_view name, const std::string& password, std::string_view kept,
                                       std::string_view actor) {
  const auto what = fmt::format("password of account {} changed", name);
  const auto edit = impl_.edit(actor, what, [&](soci::session& session) {
    const auto found = find_account(session, name);
    if (!found) return Edit::missing;
    auto account = *found;
    account.password = password;
    account.changed_ms = impl_.version_after(account.changed_ms);
    write_account_row(session, account);
    forget_sessions(session, account.name, std::string(kept));
    return Edit::done;
  });
  impl_.renew();
  return edit;
}

Result<void> AccountBook::renew_password(std::string_view name, const std::string& before, const std::string& after) {
  const auto edit = impl_.edit("", "", [&](soci::session& session) {
    const std::string which(name);
    session << "UPDATE accounts SET password = :a WHERE name = :n AND password = :b", soci::use(after),
        soci::use(which), soci::use(before);
    return Edit::done;
  });
  impl_.renew();
  return edit ? Result<void>() : Result<void>(edit.error());
}

Result<Edit> AccountBook::remove(std::string_view name, std::string_view actor) {
  const auto what = fmt::format("account {} removed", name);
  const auto edit = impl_.edit(actor, what, [&](soci::session& session) {
    const auto found = find_account(session, name);
    if (!found) return Edit::missing;
    if (is_last_admin(session, *found)) return Edit::in_use;
    const std::string which(name);
    session << "DELETE FROM accounts WHERE name = :n", soci::use(which);
    forget_sessions(session, which, "");
    return Edit::done;
  });
  impl_.renew();
  return edit;
}

std::optional<AccountSession> AccountBook::session(std::string_view hash) const {
  const auto snapshot = impl_.snapshot();
  const auto found = snapshot->sessions.find(hash);
  return found == snapshot->sessions.end() ? std::nullopt : std::optional(found->second);
}

std::vector<AccountSession> AccountBook::sessions(std::string_view account) const {
  std::vector<AccountSession> all;
  for (const auto& [hash, session] : impl_.snapshot()->sessions)
    if (session.account == account) all.push_back(session);
  return all;
}

Result<Edit> AccountBook::begin_session(const AccountSession& begun, const std::string& password,
                                        const std::string& note) {
  const auto edit = impl_.edit(begun.account, note, [&](soci::session& session) {
    const auto found = find_account(session, begun.account);
    if (!found) return Edit::missing;
    if (found->password != password) return Edit::changed;
    const long long made = begun.made_ms, seen = begun.seen_ms;
    session << "INSERT INTO account_sessions (hash, account, made_ms, seen_ms) VALUES (:h, :a, :m, :s)",
        soci::use(begun.hash), soci::use(begun.account), soci::use(made), soci::use(seen);
    session << "UPDATE accounts SET seen_ms = :s WHERE name = :n", soci::use(made), soci::use(begun.account);
    const auto most = static_cast<long long>(kMostSessions);
    session << "DELETE FROM account_sessions WHERE account = :a AND hash NOT IN (SELECT hash FROM account_sessions "
               "WHERE account = :a ORDER BY seen_ms DESC, made_ms DESC LIMIT :n)",
        soci::use(begun.account, "a"), soci::use(most, "n");
    return Edit::done;
  });
  impl_.renew();
  return edit;
}

Result<void> AccountBook::end_session(std::string_view hash, std::string_view actor, const std::string& note) {
  return impl_.change(actor, note, [&](soci::session& session) {
    const std::string which(hash);
    session << "DELETE FROM account_sessions WHERE hash = :h", soci::use(which);
  });
}

Result<std::optional<std::size_t>> AccountBook::end_sessions(std::string_view account, std::string_view actor) {
  if (!find(account)) return std::optional<std::size_t>();
  const std::size_t count = sessions(account).size();
  const auto done = impl_.change(actor, fmt::format("sessions of account {} ended: {}", account, count),
                                 [&](soci::session& session) { forget_sessions(session, std::string(account), ""); });
  if (!done) return done.error();
  return std::optional(count);
}

Result<void> AccountBook::keep_sessions(const std::vector<std::pair<std::string, std::int64_t>>& seen,
                                        std::int64_t made_ms, std::int64_t seen_ms) {
  const auto edit = impl_.edit("", "", [&](soci::session& session) {
    for (const auto& [hash, time] : seen) {
      const long long at = time;
      session << "UPDATE account_sessions SET seen_ms = :s WHERE hash = :h", soci::use(at), soci::use(hash);
    }
    const long long made = made_ms, idle = seen_ms;
    session << "DELETE FROM account_sessions WHERE made_ms < :m OR seen_ms < :s", soci::use(made), soci::use(idle);
    return Edit::done;
  });
  impl_.renew();
  return edit ? Result<void>() : Result<void>(edit.error());
}

Result<void> AccountBook::note(std::string_view actor, const std::string& what, std::int64_t most) {
  const auto edit = impl_.edit(actor, what, [&](soci::session& session) {
    const std::string who(actor);
    const long long kept = most;
    session << "DELETE FROM changes WHERE actor = :a AND time_ms < (SELECT time_ms FROM changes WHERE actor = :a ORDER "
               "BY time_ms DESC LIMIT 1 OFFSET :n)",
        soci::use(who, "a"), soci::use(kept, "n");
    return Edit::done;
  });
  return edit ? Result<void>() : Result<void>(edit.error());
}

Result<std::vector<Change>> AccountBook::audit(std::string_view actor, std::int64_t before_ms,
                                               std::size_t limit) const {
  return impl_.read([&](soci::session& session) -> Result<std::vector<Change>> {
    const std::string who(actor);
    const long long before = before_ms, most = static_cast<long long>(limit);
    constexpr auto kRow = [](const soci::row& row) {
      return Change{row.get<long long>(0), row.get<std::string>(1), row.get<std::string>(2)};
    };
    return each((session.prepare << "SELECT time_ms, actor, what FROM changes WHERE (:a = '' OR actor = :a) AND "
                                    "time_ms < :b AND time_ms >= (SELECT coalesce(min(time_ms), 0) FROM (SELECT "
                                    "time_ms FROM changes WHERE (:a = '' OR actor = :a) AND time_ms < :b ORDER BY "
                                    "time_ms DESC LIMIT :n) AS page) ORDER BY time_ms DESC",
                 soci::use(who, "a"), soci::use(before, "b"), soci::use(most, "n")),
                kRow);
  });
}

}  // namespace marquee::catalog
