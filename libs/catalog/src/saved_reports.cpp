#include <algorithm>

#include "catalog_impl.h"

namespace marquee::catalog {
namespace {

constexpr const char* kReportColumns =
    "SELECT id, name, kind, site_id, parameters, owner, made_ms, changed_ms FROM saved_reports";
constexpr std::size_t kMostParameterBytes = 100'000;

SavedReport report_of(const soci::row& row) {
  return {.id = row.get<std::string>(0),
          .name = row.get<std::string>(1),
          .kind = row.get<std::string>(2),
          .site_id = row.get<std::string>(3),
          .parameters = row.get<std::string>(4),
          .owner = row.get<std::string>(5),
          .made_ms = row.get<long long>(6),
          .changed_ms = row.get<long long>(7)};
}

Result<void> check(const SavedReport& report) {
  if (report.name.empty() || report.name.size() > 200) return Error::reject("name: expected 1 to 200 bytes");
  if (report.owner.empty() || report.owner.size() > 100) return Error::reject("owner: expected 1 to 100 bytes");
  if (report.parameters.size() > kMostParameterBytes) return Error::reject("parameters: at most 100 kB are taken");
  return {};
}

std::optional<SavedReport> find_report(soci::session& session, const std::string& id) {
  return find_by_id(session, kReportColumns, id, report_of);
}

}  // namespace

Result<std::vector<SavedReport>> Catalog::saved_reports(std::string_view site_id) const {
  return impl_->read([&](soci::session& session) -> Result<std::vector<SavedReport>> {
    const std::string site(site_id);
    return each((session.prepare << fmt::format("{} WHERE :s = '' OR site_id = :s ORDER BY name, id", kReportColumns),
                 soci::use(site, "s")),
                report_of);
  });
}

Result<std::optional<SavedReport>> Catalog::saved_report(std::string_view id) const {
  return impl_->read([&](soci::session& session) -> Result<std::optional<SavedReport>> {
    return find_report(session, std::string(id));
  });
}

Result<SavedReport> Catalog::add_saved_report(SavedReport report, std::string_view actor) {
  if (auto checked = check(report); !checked) return checked.error();
  report.id = make_secret("").substr(0, kIdLength);
  report.made_ms = report.changed_ms = impl_->now_ms();
  const long long now = report.made_ms;
  auto added = impl_->change(
      actor, fmt::format("report {} saved: \"{}\", {} of site {}", report.id, report.name, report.kind, report.site_id),
      [&](soci::session& session) {
        session << "INSERT INTO saved_reports (id, name, kind, site_id, parameters, owner, made_ms, changed_ms) VALUES "
                   "(:i, :n, :k, :s, :p, :o, :m, :c)",
            soci::use(report.id), soci::use(report.name), soci::use(report.kind), soci::use(report.site_id),
            soci::use(report.parameters), soci::use(report.owner), soci::use(now), soci::use(now);
      });
  if (!added) return added.error();
  return report;
}

Result<Edit> Catalog::replace_saved_report(SavedReport& report, Version version, std::string_view actor) {
  if (auto checked = check(report); !checked) return checked.error();
  const auto what =
      fmt::format("saved report {} is now \"{}\", {} of site {}", report.id, report.name, report.kind, report.site_id);
  return impl_->edit(actor, what, [&](soci::session& session) {
    const auto before = find_report(session, report.id);
    if (const auto expected = expect(before, version); expected != Edit::done) return expected;
    report.made_ms = before->made_ms;
    report.changed_ms = impl_->version_after(before->changed_ms);
    const long long now = report.changed_ms;
    session << "UPDATE saved_reports SET name = :n, kind = :k, site_id = :s, parameters = :p, owner = :o, changed_ms = "
               ":c WHERE id = :i",
        soci::use(report.name), soci::use(report.kind), soci::use(report.site_id), soci::use(report.parameters),
        soci::use(report.owner), soci::use(now), soci::use(report.id);
    return Edit::done;
  });
}

Result<Edit> Catalog::remove_saved_report(std::string_view id, Version version, std::string_view actor) {
  std::string what;
  return impl_->edit(actor, what, [&](soci::session& session) {
    const std::string which(id);
    const auto before = find_report(session, which);
    if (const auto expected = expect(before, version); expected != Edit::done) return expected;
    int deliveries = 0;
    session << "SELECT count(*) FROM deliveries WHERE report_id = :i", soci::into(deliveries), soci::use(which);
    if (deliveries > 0) return Edit::in_use;
    what = fmt::format("saved report {} \"{}\" removed", id, before->name);
    session << "DELETE FROM saved_reports WHERE id = :i", soci::use(which);
    return Edit::done;
  });
}

}  // namespace marquee::catalog
