#include "catalog_impl.h"
#include "notice_rows.h"

namespace marquee::catalog {
namespace {

constexpr const char* kAlertColumns =
    "SELECT id, name, site_id, rule, url, owner, is_paused, made_ms, changed_ms, state, next_check_ms FROM alerts";

Alert alert_of(const soci::row& row) {
  return {.id = row.get<std::string>(0),
          .name = row.get<std::string>(1),
          .site_id = row.get<std::string>(2),
          .rule = row.get<std::string>(3),
          .url = row.get<std::string>(4),
          .owner = row.get<std::string>(5),
          .is_paused = row.get<int>(6) != 0,
          .made_ms = row.get<long long>(7),
          .changed_ms = row.get<long long>(8),
          .state = row.get<std::string>(9),
          .next_check_ms = row.get<long long>(10)};
}

std::optional<Alert> find_alert(soci::session& session, const std::string& id) {
  return find_by_id(session, kAlertColumns, id, alert_of);
}

Result<void> check(const Alert& alert) {
  if (alert.name.empty() || alert.name.size() > 200) return Error::reject("name: expected 1 to 200 bytes");
  if (alert.url.empty() || alert.url.size() > 2000) return Error::reject("url: expected 1 to 2000 bytes");
  if (alert.owner.empty() || alert.owner.size() > 100) return Error::reject("owner: expected 1 to 100 bytes");
  if (alert.rule.size() > 20'000) return Error::reject("rule: at most 20 kB are taken");
  return {};
}

}  // namespace

Result<std::vector<Alert>> NotificationBook::alerts(std::string_view site_id) const {
  return impl_.read([&](soci::session& session) -> Result<std::vector<Alert>> {
    const std::string site(site_id);
    return each((session.prepare << fmt::format("{} WHERE :s = '' OR site_id = :s ORDER BY name, id", kAlertColumns),
                 soci::use(site, "s")),
                alert_of);
  });
}

Result<std::optional<Alert>> NotificationBook::alert(std::string_view id) const {
  return impl_.read(
      [&](soci::session& session) -> Result<std::optional<Alert>> { return find_alert(session, std::string(id)); });
}

Result<std::vector<Alert>> NotificationBook::due_alerts(std::int64_t now_ms) const {
  return impl_.read([&](soci::session& session) -> Result<std::vector<Alert>> {
    const long long now = now_ms;
    return each((session.prepare << fmt::format("{} WHERE is_paused = 0 AND next_check_ms <= :n ORDER BY "
                                                "next_check_ms",
                                                kAlertColumns),
                 soci::use(now, "n")),
                alert_of);
  });
}

Result<Alert> NotificationBook::add(Alert alert, std::string_view actor) {
  if (auto checked = check(alert); !checked) return checked.error();
  alert.id = new_id();
  alert.made_ms = alert.changed_ms = impl_.now_ms();
  const long long now = alert.made_ms, next = alert.next_check_ms;
  const int paused = alert.is_paused ? 1 : 0;
  const auto what = fmt::format("alert {} made: \"{}\" of site {}", alert.id, alert.name, alert.site_id);
  const auto added = impl_.edit(actor, what, [&](soci::session& session) {
    session << "INSERT INTO alerts (id, name, site_id, rule, url, owner, is_paused, made_ms, changed_ms, state, "
               "next_check_ms) VALUES (:i, :n, :s, :r, :u, :o, :p, :m, :c, '{}', :t)",
        soci::use(alert.id), soci::use(alert.name), soci::use(alert.site_id), soci::use(alert.rule),
        soci::use(alert.url), soci::use(alert.owner), soci::use(paused), soci::use(now), soci::use(now),
        soci::use(next);
    return Edit::done;
  });
  if (!added) return added.error();
  return alert;
}

Result<Edit> NotificationBook::replace(Alert& alert, Version version, std::string_view actor) {
  if (auto checked = check(alert); !checked) return checked.error();
  const auto what = fmt::format("alert {} is now \"{}\" of site {}", alert.id, alert.name, alert.site_id);
  return impl_.edit(actor, what, [&](soci::session& session) {
    const auto before = find_alert(session, alert.id);
    if (const auto expected = expect(before, version); expected != Edit::done) return expected;
    alert.made_ms = before->made_ms;
    alert.changed_ms = impl_.version_after(before->changed_ms);
    alert.state = "{}";
    const long long now = alert.changed_ms, next = alert.next_check_ms;
    const int paused = alert.is_paused ? 1 : 0;
    session << "UPDATE alerts SET name = :n, site_id = :s, rule = :r, url = :u, owner = :o, is_paused = :p, changed_ms "
               "= :c, state = '{}', next_check_ms = :t WHERE id = :i",
        soci::use(alert.name), soci::use(alert.site_id), soci::use(alert.rule), soci::use(alert.url),
        soci::use(alert.owner), soci::use(paused), soci::use(now), soci::use(next), soci::use(alert.id);
    give_up_waiting(session, NoticeSource::alert, alert.id, "the alert was changed", now);
    return Edit::done;
  });
}

Result<Edit> NotificationBook::remove_alert(std::string_view id, Version version, std::string_view actor) {
  std::string what;
  return impl_.edit(actor, what, [&](soci::session& session) {
    const std::string which(id);
    const auto before = find_alert(session, which);
    if (const auto expected = expect(before, version); expected != Edit::done) return expected;
    what = fmt::format("alert {} \"{}\" removed", id, before->name);
    session << "DELETE FROM alerts WHERE id = :i", soci::use(which);
    forget_notices(session, NoticeSource::alert, which);
    return Edit::done;
  });
}

Result<Edit> NotificationBook::record_check(const Alert& alert, const std::optional<Notice>& notice) {
  return impl_.edit("", "", [&](soci::session& session) {
    const auto before = find_alert(session, alert.id);
    if (const auto expected = expect(before, alert.changed_ms); expected != Edit::done) return expected;
    const long long next = alert.next_check_ms;
    session << "UPDATE alerts SET state = :s, next_check_ms = :t WHERE id = :i", soci::use(alert.state),
        soci::use(next), soci::use(alert.id);
    if (notice && !has_notice(session, notice->id)) insert_notice(session, *notice);
    return Edit::done;
  });
}

}  // namespace marquee::catalog
