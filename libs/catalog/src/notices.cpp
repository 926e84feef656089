#include <array>

#include "catalog_impl.h"
#include "marquee/base/base64.h"
#include "notice_rows.h"

namespace marquee::catalog {
namespace {

constexpr int kKeptOfSource = 50;  ///< Of a source.
constexpr std::array kStatuses = {std::string_view("waiting"), std::string_view("sent"), std::string_view("failed")};

constexpr const char* kNoticeColumns =
    "SELECT id, source, source_id, event, due_ms, status, tries, next_try_ms, done_ms, http_status, error, "
    "content_type, disposition FROM notices";

std::string text_of(NoticeSource source) { return source == NoticeSource::delivery ? "delivery" : "alert"; }

Notice::Status status_of(std::string_view name) {
  return static_cast<Notice::Status>(std::ranges::find(kStatuses, name) - kStatuses.begin());
}

Notice notice_of(const soci::row& row) {
  return {.id = row.get<std::string>(0),
          .source = row.get<std::string>(1) == "delivery" ? NoticeSource::delivery : NoticeSource::alert,
          .source_id = row.get<std::string>(2),
          .event = row.get<std::string>(3),
          .due_ms = row.get<long long>(4),
          .status = status_of(row.get<std::string>(5)),
          .tries = row.get<int>(6),
          .next_try_ms = row.get<long long>(7),
          .done_ms = row.get<long long>(8),
          .http_status = row.get<int>(9),
          .error = row.get<std::string>(10),
          .content_type = row.get<std::string>(11),
          .disposition = row.get<std::string>(12)};
}

std::vector<Notice> notices_of(const soci::rowset<soci::row>& rows) {
  std::vector<Notice> all;
  for (const auto& row : rows) all.push_back(notice_of(row));
  return all;
}

void prune(soci::session& session, const Notice& notice) {
  const auto source = text_of(notice.source);
  session
      << "DELETE FROM notices WHERE source = :s AND source_id = :i AND status <> 'waiting' AND id NOT IN (SELECT id "
         "FROM notices WHERE source = :s2 AND source_id = :i2 ORDER BY due_ms DESC, id DESC LIMIT :n)",
      soci::use(source), soci::use(notice.source_id), soci::use(source), soci::use(notice.source_id),
      soci::use(kKeptOfSource);
}

}  // namespace

bool count_failure(soci::session& session, const std::string& delivery_id, const std::string& error, int max_failures) {
  session << "UPDATE deliveries SET failures = failures + 1 WHERE id = :i", soci::use(delivery_id);
  int failures = 0;
  session << "SELECT failures FROM deliveries WHERE id = :i", soci::into(failures), soci::use(delivery_id);
  if (failures < max_failures) return false;
  const auto reason = max_failures == 0
                          ? std::string("the receiver is gone (410)")
                          : fmt::format("{} in a row could not be delivered; the last: {}", failures, error);
  session << "UPDATE deliveries SET is_paused = 1, pause_reason = :r WHERE id = :i AND is_paused = 0",
      soci::use(reason), soci::use(delivery_id);
  return true;
}

std::string_view name_of(Notice::Status status) { return kStatuses[static_cast<std::size_t>(status)]; }

std::string new_id() { return make_secret("").substr(0, kIdLength); }

bool has_notice(soci::session& session, const std::string& id) {
  int count = 0;
  session << "SELECT count(*) FROM notices WHERE id = :i", soci::into(count), soci::use(id);
  return count > 0;
}

void insert_notice(soci::session& session, const Notice& notice) {
  const auto source = text_of(notice.source);
  const long long due = notice.due_ms, next = notice.next_try_ms;
  const auto body = encode_base64(notice.body);
  session << "INSERT INTO notices (id, source, source_id, event, due_ms, status, tries, next_try_ms, done_ms, "
             "http_status, error, content_type, disposition, body) VALUES (:i, :s, :o, :e, :d, 'waiting', 0, :n, 0, 0, "
             "'', :c, :f, :b)",
      soci::use(notice.id), soci::use(source), soci::use(notice.source_id), soci::use(notice.event), soci::use(due),
      soci::use(next), soci::use(notice.content_type), soci::use(notice.disposition), soci::use(body);
}

bool give_up_waiting(soci::session& session, NoticeSource source, const std::string& source_id,
                     const std::string& reason, std::int64_t now_ms) {
  const auto name = text_of(source);
  const long long now = now_ms;
  soci::statement given_up =
      (session.prepare << "UPDATE notices SET status = 'failed', done_ms = :n, error = CASE WHEN error = '' THEN :r "
                          "ELSE error || '; ' || :r2 END, body = '' WHERE source = :s AND source_id = :i AND status = "
                          "'waiting'",
       soci::use(now), soci::use(reason), soci::use(reason), soci::use(name), soci::use(source_id));
  given_up.execute(true);
  return given_up.get_affected_rows() > 0;
}

void forget_notices(soci::session& session, NoticeSource source, const std::string& source_id) {
  const auto name = text_of(source);
  session << "DELETE FROM notices WHERE source = :s AND source_id = :i", soci::use(name), soci::use(source_id);
}

Result<std::vector<Notice>> NotificationBook::notices(NoticeSource source, std::string_view source_id,
                                                      std::size_t limit) const {
  return impl_.read([&](soci::session& session) -> Result<std::vector<Notice>> {
    const std::string name = text_of(source), id(source_id);
    const auto most = static_cast<long long>(limit);
    return notices_of((session.prepare << fmt::format("{} WHERE source = :s AND source_id = :i ORDER BY due_ms DESC, "
                                                      "id DESC LIMIT :n",
                                                      kNoticeColumns),
                       soci::use(name, "s"), soci::use(id, "i"), soci::use(most, "n")));
  });
}

Result<std::vector<Notice>> NotificationBook::due_notices(std::int64_t now_ms, std::size_t limit) const {
  return impl_.read([&](soci::session& session) -> Result<std::vector<Notice>> {
    const long long now = now_ms;
    const auto most = static_cast<long long>(limit);
    constexpr const char* kDue =
        "{} WHERE status = 'waiting' AND next_try_ms <= :t AND (event LIKE '%.test' OR NOT EXISTS (SELECT 1 FROM "
        "notices AS older WHERE older.source = notices.source AND older.source_id = notices.source_id AND "
        "older.due_ms < notices.due_ms AND older.status = 'waiting')) ORDER BY next_try_ms, id LIMIT :n";
    return notices_of(
        (session.prepare << fmt::format(kDue, kNoticeColumns), soci::use(now, "t"), soci::use(most, "n")));
  });
}

Result<std::string> NotificationBook::body(std::string_view notice_id) const {
  return impl_.read([&](soci::session& session) -> Result<std::string> {
    const std::string id(notice_id);
    const soci::rowset<soci::row> rows =
        (session.prepare << "SELECT body FROM notices WHERE id = :i", soci::use(id, "i"));
    for (const auto& row : rows) return decode_base64(row.get<std::string>(0)).value_or("");
    return std::string();
  });
}

Result<Edit> NotificationBook::add(const Notice& notice) {
  return impl_.edit("", "", [&](soci::session& session) {
    if (!has_notice(session, notice.id)) insert_notice(session, notice);
    return Edit::done;
  });
}

Result<Edit> NotificationBook::set_content(const Notice& notice) {
  return impl_.edit("", "", [&](soci::session& session) {
    const auto body = encode_base64(notice.body);
    session << "UPDATE notices SET content_type = :c, disposition = :f, body = :b WHERE id = :i AND status = 'waiting'",
        soci::use(notice.content_type), soci::use(notice.disposition), soci::use(body), soci::use(notice.id);
    return Edit::done;
  });
}

Result<Edit> NotificationBook::record_try(const Notice& notice, int max_failures, bool is_gone) {
  return impl_.edit("", "", [&](soci::session& session) {
    const std::string status(name_of(notice.status));
    const long long next = notice.next_try_ms, done = notice.done_ms;
    soci::statement update =
        (session.prepare << "UPDATE notices SET status = :s, tries = :t, next_try_ms = :n, done_ms = :d, http_status = "
                            ":h, error = :e WHERE id = :i AND status = 'waiting'",
         soci::use(status), soci::use(notice.tries), soci::use(next), soci::use(done), soci::use(notice.http_status),
         soci::use(notice.error), soci::use(notice.id));
    update.execute(true);
    // What was given up meanwhile stays so.
    if (update.get_affected_rows() == 0 || notice.status == Notice::Status::waiting) return Edit::done;
    session << "UPDATE notices SET body = '' WHERE id = :i", soci::use(notice.id);
    prune(session, notice);
    if (notice.source != NoticeSource::delivery || notice.event == kTestOfReport) return Edit::done;
    if (notice.status == Notice::Status::sent)
      session << "UPDATE deliveries SET failures = 0 WHERE id = :i", soci::use(notice.source_id);
    else
      count_failure(session, notice.source_id, notice.error, is_gone ? 0 : max_failures);
    return Edit::done;
  });
}

}  // namespace marquee::catalog
