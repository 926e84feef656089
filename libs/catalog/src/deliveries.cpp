#include "catalog_impl.h"
#include "notice_rows.h"

namespace marquee::catalog {
namespace {

constexpr const char* kDeliveryColumns =
    "SELECT id, report_id, url, format, schedule, owner, is_paused, pause_reason, made_ms, changed_ms, next_due_ms, "
    "failures FROM deliveries";

Delivery delivery_of(const soci::row& row) {
  return {.id = row.get<std::string>(0),
          .report_id = row.get<std::string>(1),
          .url = row.get<std::string>(2),
          .format = row.get<std::string>(3),
          .schedule = row.get<std::string>(4),
          .owner = row.get<std::string>(5),
          .is_paused = row.get<int>(6) != 0,
          .pause_reason = row.get<std::string>(7),
          .made_ms = row.get<long long>(8),
          .changed_ms = row.get<long long>(9),
          .next_due_ms = row.get<long long>(10),
          .failures = row.get<int>(11)};
}

std::optional<Delivery> find_delivery(soci::session& session, const std::string& id) {
  return find_by_id(session, kDeliveryColumns, id, delivery_of);
}

Result<void> check(const Delivery& delivery) {
  if (delivery.url.empty() || delivery.url.size() > 2000) return Error::reject("url: expected 1 to 2000 bytes");
  if (delivery.owner.empty() || delivery.owner.size() > 100) return Error::reject("owner: expected 1 to 100 bytes");
  return {};
}

/// A query is none: nobody is there to be held to what an analyst may read.
bool has_report(soci::session& session, const std::string& id) {
  int count = 0;
  const std::string query(kSavedQuery);
  session << "SELECT count(*) FROM saved_reports WHERE id = :i AND kind <> :q", soci::into(count), soci::use(id),
      soci::use(query);
  return count > 0;
}

Error no_report(const Delivery& delivery) {
  return Error::reject(
      fmt::format("report: there is no saved report \"{}\" that can be sent", delivery.report_id.substr(0, 64)));
}

}  // namespace

Result<std::vector<Delivery>> NotificationBook::deliveries(std::string_view report_id) const {
  return impl_.read([&](soci::session& session) -> Result<std::vector<Delivery>> {
    const std::string report(report_id);
    return each(
        (session.prepare << fmt::format("{} WHERE :r = '' OR report_id = :r ORDER BY made_ms, id", kDeliveryColumns),
         soci::use(report, "r")),
        delivery_of);
  });
}

Result<std::optional<Delivery>> NotificationBook::delivery(std::string_view id) const {
  return impl_.read([&](soci::session& session) -> Result<std::optional<Delivery>> {
    return find_delivery(session, std::string(id));
  });
}

Result<std::vector<Delivery>> NotificationBook::due_deliveries(std::int64_t now_ms) const {
  return impl_.read([&](soci::session& session) -> Result<std::vector<Delivery>> {
    const long long now = now_ms;
    return each((session.prepare << fmt::format("{} WHERE is_paused = 0 AND next_due_ms <= :n ORDER BY next_due_ms",
                                                kDeliveryColumns),
                 soci::use(now, "n")),
                delivery_of);
  });
}

Result<Delivery> NotificationBook::add(Delivery delivery, std::string_view actor) {
  if (auto checked = check(delivery); !checked) return checked.error();
  delivery.id = new_id();
  delivery.made_ms = delivery.changed_ms = impl_.now_ms();
  const long long now = delivery.made_ms, due = delivery.next_due_ms;
  const int paused = delivery.is_paused ? 1 : 0;
  const auto added = impl_.edit(
      actor, fmt::format("delivery {} of report {} made", delivery.id, delivery.report_id),
      [&](soci::session& session) {
        if (!has_report(session, delivery.report_id)) return Edit::missing;
        session << "INSERT INTO deliveries (id, report_id, url, format, schedule, owner, is_paused, pause_reason, "
                   "made_ms, changed_ms, next_due_ms, failures) VALUES (:i, :r, :u, :f, :s, :o, :p, '', :m, :c, :d, 0)",
            soci::use(delivery.id), soci::use(delivery.report_id), soci::use(delivery.url), soci::use(delivery.format),
            soci::use(delivery.schedule), soci::use(delivery.owner), soci::use(paused), soci::use(now), soci::use(now),
            soci::use(due);
        return Edit::done;
      });
  if (!added) return added.error();
  if (*added == Edit::missing) return no_report(delivery);
  return delivery;
}

Result<Edit> NotificationBook::replace(Delivery& delivery, Version version, std::string_view actor) {
  if (auto checked = check(delivery); !checked) return checked.error();
  bool is_report_missing = false;
  const auto what = fmt::format("delivery {} of report {} changed", delivery.id, delivery.report_id);
  const auto edit = impl_.edit(actor, what, [&](soci::session& session) {
    const auto before = find_delivery(session, delivery.id);
    if (const auto expected = expect(before, version); expected != Edit::done) return expected;
    is_report_missing = !has_report(session, delivery.report_id);
    if (is_report_missing) return Edit::missing;
    delivery.made_ms = before->made_ms;
    delivery.changed_ms = impl_.version_after(before->changed_ms);
    delivery.failures = 0;
    const long long now = delivery.changed_ms, due = delivery.next_due_ms;
    const int paused = delivery.is_paused ? 1 : 0;
    session
        << "UPDATE deliveries SET report_id = :r, url = :u, format = :f, schedule = :s, owner = :o, is_paused = :p, "
           "pause_reason = '', changed_ms = :c, next_due_ms = :d, failures = 0 WHERE id = :i",
        soci::use(delivery.report_id), soci::use(delivery.url), soci::use(delivery.format),
        soci::use(delivery.schedule), soci::use(delivery.owner), soci::use(paused), soci::use(now), soci::use(due),
        soci::use(delivery.id);
    give_up_waiting(session, NoticeSource::delivery, delivery.id, "the delivery was changed", now);
    return Edit::done;
  });
  if (is_report_missing) return no_report(delivery);
  return edit;
}

Result<Edit> NotificationBook::remove_delivery(std::string_view id, Version version, std::string_view actor) {
  std::string what;
  return impl_.edit(actor, what, [&](soci::session& session) {
    const std::string which(id);
    const auto before = find_delivery(session, which);
    if (const auto expected = expect(before, version); expected != Edit::done) return expected;
    what = fmt::format("delivery {} of report {} removed", id, before->report_id);
    session << "DELETE FROM deliveries WHERE id = :i", soci::use(which);
    forget_notices(session, NoticeSource::delivery, which);
    return Edit::done;
  });
}

Result<Edit> NotificationBook::plan(const Delivery& delivery, const Notice& notice, std::int64_t next_due_ms,
                                    int max_failures) {
  return impl_.edit("", "", [&](soci::session& session) {
    const auto before = find_delivery(session, delivery.id);
    if (const auto expected = expect(before, delivery.changed_ms); expected != Edit::done) return expected;
    const long long due = next_due_ms;
    session << "UPDATE deliveries SET next_due_ms = :d WHERE id = :i", soci::use(due), soci::use(delivery.id);
    if (has_notice(session, notice.id)) return Edit::done;
    constexpr const char* kOvertaken = "the next one became due before it was taken";
    const bool is_paused = give_up_waiting(session, NoticeSource::delivery, delivery.id, kOvertaken, impl_.now_ms()) &&
                           count_failure(session, delivery.id, kOvertaken, max_failures);
    if (!is_paused) insert_notice(session, notice);
    return Edit::done;
  });
}

}  // namespace marquee::catalog
