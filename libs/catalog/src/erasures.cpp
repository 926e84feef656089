#include <charconv>

#include "catalog_impl.h"
#include "marquee/catalog/erasure_book.h"
#include "notice_rows.h"

namespace marquee::catalog {
namespace {

constexpr const char* kErasureColumns =
    "SELECT id, site_id, user_key, asked_ms, asked_by, is_done, step, parts_done, parts_total, plan, receipt, error, "
    "done_ms FROM erasures";

std::uint64_t key_of_hex(const std::string& hex) {
  std::uint64_t key = 0;
  std::from_chars(hex.data(), hex.data() + hex.size(), key, 16);
  return key;
}

std::string hex_of_key(std::uint64_t key) { return key == 0 ? "" : fmt::format("{:016x}", key); }

Erasure erasure_of(const soci::row& row) {
  return {.id = row.get<std::string>(0),
          .site_id = row.get<std::string>(1),
          .user_key = key_of_hex(row.get<std::string>(2)),
          .asked_ms = row.get<long long>(3),
          .asked_by = row.get<std::string>(4),
          .is_done = row.get<int>(5) != 0,
          .step = row.get<std::string>(6),
          .parts_done = static_cast<std::uint64_t>(row.get<long long>(7)),
          .parts_total = static_cast<std::uint64_t>(row.get<long long>(8)),
          .plan = row.get<std::string>(9),
          .receipt = row.get<std::string>(10),
          .error = row.get<std::string>(11),
          .done_ms = row.get<long long>(12)};
}

}  // namespace

Result<void> ErasureBook::add(Erasure& erasure) {
  erasure.id = new_id();
  const long long asked = erasure.asked_ms;
  const auto key = hex_of_key(erasure.user_key);
  const auto total = static_cast<long long>(erasure.parts_total);
  return impl_.change(erasure.asked_by,
                      fmt::format("erasure {} of a user of site {} asked", erasure.id, erasure.site_id),
                      [&](soci::session& session) {
                        session << "INSERT INTO erasures (id, site_id, user_key, asked_ms, asked_by, is_done, step, "
                                   "parts_done, parts_total, plan, receipt, error, done_ms) VALUES (:i, :s, :k, :a, "
                                   ":b, 0, '', 0, :t, '{}', '{}', '', 0)",
                            soci::use(erasure.id), soci::use(erasure.site_id), soci::use(key), soci::use(asked),
                            soci::use(erasure.asked_by), soci::use(total);
                      });
}

Result<std::vector<Erasure>> ErasureBook::list(std::size_t most) const {
  return impl_.read([&](soci::session& session) -> Result<std::vector<Erasure>> {
    const auto limit = static_cast<long long>(most);
    return each(
        (session.prepare << fmt::format("{} ORDER BY asked_ms DESC, id LIMIT :n", kErasureColumns), soci::use(limit)),
        erasure_of);
  });
}

Result<std::optional<Erasure>> ErasureBook::find(std::string_view id) const {
  return impl_.read([&](soci::session& session) -> Result<std::optional<Erasure>> {
    return find_by_id(session, kErasureColumns, std::string(id), erasure_of);
  });
}

Result<std::vector<Erasure>> ErasureBook::open() const {
  return impl_.read([&](soci::session& session) -> Result<std::vector<Erasure>> {
    return each((session.prepare << fmt::format("{} WHERE is_done = 0 ORDER BY asked_ms, id", kErasureColumns)),
                erasure_of);
  });
}

Result<void> ErasureBook::update(const Erasure& erasure) {
  const auto done = static_cast<long long>(erasure.parts_done), total = static_cast<long long>(erasure.parts_total);
  const auto edit = impl_.edit("erasure", "", [&](soci::session& session) {
    session << "UPDATE erasures SET step = :s, parts_done = :d, parts_total = :t, plan = :p, receipt = :r, error = :e "
               "WHERE id = :i AND is_done = 0",
        soci::use(erasure.step), soci::use(done), soci::use(total), soci::use(erasure.plan), soci::use(erasure.receipt),
        soci::use(erasure.error), soci::use(erasure.id);
    return Edit::done;
  });
  return edit ? Result<void>() : edit.error();
}

Result<void> ErasureBook::finish(Erasure& erasure) {
  const long long now = impl_.now_ms();
  const auto total = static_cast<long long>(erasure.parts_total);
  // First without the key, then whether no file has it any more, then that it is done: who dies between does it again.
  const auto forgotten = impl_.edit("erasure", "", [&](soci::session& session) {
    session << "UPDATE erasures SET plan = '{}', user_key = '' WHERE id = :i", soci::use(erasure.id);
    return Edit::done;
  });
  if (!forgotten) return forgotten.error();
  if (auto folded = impl_.fold_journal(); !folded) return folded;
  const auto what = fmt::format("erasure {} done", erasure.id);
  const auto done = impl_.edit("erasure", what, [&](soci::session& session) {
    session << "UPDATE erasures SET is_done = 1, step = '', error = '', parts_done = :d, parts_total = :d, receipt = "
               ":r, done_ms = :n WHERE id = :i",
        soci::use(total, "d"), soci::use(erasure.receipt, "r"), soci::use(now, "n"), soci::use(erasure.id, "i");
    return Edit::done;
  });
  if (!done) return done.error();
  erasure.user_key = 0;
  erasure.plan = "{}";
  erasure.step = erasure.error = "";
  erasure.parts_done = erasure.parts_total;
  erasure.is_done = true;
  erasure.done_ms = now;
  return {};
}

}  // namespace marquee::catalog
