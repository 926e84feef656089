#include <algorithm>

#include "catalog_impl.h"
#include "marquee/catalog/definition_book.h"

namespace marquee::catalog {
namespace {

constexpr const char* kSegmentColumns =
    "SELECT id, site_id, title, definition, made_ms, changed_ms, refreshed_ms, size, version FROM segments";
constexpr std::size_t kMostSegmentBytes = 4'000'000;  // A list of 200,000 users.
constexpr std::size_t kMostSegmentsOfSite = 200;
constexpr std::ptrdiff_t kMostLiveSegmentsOfSite = 64;  // Each is looked at in every decision.

Segment segment_of(const soci::row& row) {
  return {.id = row.get<std::string>(0),
          .site_id = row.get<std::string>(1),
          .title = row.get<std::string>(2),
          .definition = row.get<std::string>(3),
          .made_ms = row.get<long long>(4),
          .changed_ms = row.get<long long>(5),
          .refreshed_ms = row.get<long long>(6),
          .size = static_cast<std::uint64_t>(row.get<long long>(7)),
          .version = static_cast<std::uint64_t>(row.get<long long>(8))};
}

Result<void> check(const Segment& segment) {
  if (segment.title.empty() || segment.title.size() > 200) return Error::reject("title: expected 1 to 200 bytes");
  if (segment.definition.size() > kMostSegmentBytes) return Error::reject("definition: at most 4 MB are taken");
  return {};
}

std::optional<Segment> find_segment(soci::session& session, const std::string& id) {
  return find_by_id(session, kSegmentColumns, id, segment_of);
}

}  // namespace

Result<std::vector<Segment>> Catalog::segments(std::string_view site_id) const {
  return impl_->read([&](soci::session& session) -> Result<std::vector<Segment>> {
    const std::string site(site_id);
    return each((session.prepare << fmt::format("{} WHERE :s = '' OR site_id = :s ORDER BY title, id", kSegmentColumns),
                 soci::use(site, "s")),
                segment_of);
  });
}

Result<std::vector<Segment>> DefinitionBook::live_segments() const {
  return impl_.read([&](soci::session& session) -> Result<std::vector<Segment>> {
    return each((session.prepare << fmt::format("{} WHERE version = 0 ORDER BY site_id, title, id", kSegmentColumns)),
                segment_of);
  });
}

Result<std::vector<std::pair<std::string, std::uint64_t>>> Catalog::segment_versions(std::string_view site_id) const {
  using Versions = std::vector<std::pair<std::string, std::uint64_t>>;
  return impl_->read([&](soci::session& session) -> Result<Versions> {
    const std::string site(site_id);
    const soci::rowset<soci::row> rows =
        (session.prepare << "SELECT id, version FROM segments WHERE site_id = :s AND version > 0 ORDER BY title, id",
         soci::use(site, "s"));
    Versions versions;
    for (const auto& row : rows)
      versions.emplace_back(row.get<std::string>(0), static_cast<std::uint64_t>(row.get<long long>(1)));
    return versions;
  });
}

Result<std::optional<Segment>> Catalog::segment(std::string_view id) const {
  return impl_->read(
      [&](soci::session& session) -> Result<std::optional<Segment>> { return find_segment(session, std::string(id)); });
}

std::string Catalog::make_segment_id() { return make_secret("").substr(0, kIdLength); }

Result<std::uint64_t> Catalog::next_segment_version() {
  return impl_->read([&](soci::session& session) -> Result<std::uint64_t> {
    soci::transaction transaction(session);
    long long rows = 0, version = 0;
    session << "SELECT count(*), coalesce(max(version), 0) FROM segment_versions", soci::into(rows),
        soci::into(version);
    ++version;
    if (rows == 0) {
      session << "INSERT INTO segment_versions (version) VALUES (:v)", soci::use(version);
    } else {
      session << "UPDATE segment_versions SET version = :v", soci::use(version);
    }
    transaction.commit();
    return static_cast<std::uint64_t>(version);
  });
}

Result<Segment> Catalog::add_segment(Segment segment, std::string_view actor) {
  if (auto checked = check(segment); !checked) return checked.error();
  const auto others = segment_versions(segment.site_id);
  if (!others) return others.error();
  const auto live = DefinitionBook(*this).live_segments();
  if (!live) return live.error();
  const auto live_of_site = std::ranges::count(*live, segment.site_id, &Segment::site_id);
  if (others->size() + static_cast<std::size_t>(live_of_site) >= kMostSegmentsOfSite)
    return Error::reject(fmt::format("site: {} has {} segments already", segment.site_id, kMostSegmentsOfSite));
  if (segment.version == 0 && live_of_site >= kMostLiveSegmentsOfSite)
    return Error::reject(
        fmt::format("site: {} has {} live segments already", segment.site_id, kMostLiveSegmentsOfSite));
  segment.made_ms = segment.changed_ms = segment.refreshed_ms = impl_->now_ms();
  const long long now = segment.made_ms;
  const auto size = static_cast<long long>(segment.size), version = static_cast<long long>(segment.version);
  auto added = impl_->change(
      actor, fmt::format("segment {} of site {} made: \"{}\"", segment.id, segment.site_id, segment.title),
      [&](soci::session& session) {
        session << "INSERT INTO segments (id, site_id, title, definition, made_ms, changed_ms, refreshed_ms, size, "
                   "version) VALUES (:i, :s, :t, :d, :m, :c, :r, :n, :v)",
            soci::use(segment.id), soci::use(segment.site_id), soci::use(segment.title), soci::use(segment.definition),
            soci::use(now), soci::use(now), soci::use(now), soci::use(size), soci::use(version);
      });
  if (!added) return added.error();
  return segment;
}

Result<std::optional<Segment>> Catalog::replace_segment(Segment segment, std::string_view actor) {
  if (auto checked = check(segment); !checked) return checked.error();
  const auto what = fmt::format("segment {} is now \"{}\"", segment.id, segment.title);
  const auto edit = impl_->edit(actor, what, [&](soci::session& session) {
    const auto before = find_segment(session, segment.id);
    if (!before) return Edit::missing;
    segment.made_ms = before->made_ms;
    // Later than before in any case, so that a refresh that began before knows that it is outdated.
    segment.changed_ms = segment.refreshed_ms = impl_->version_after(before->changed_ms);
    const long long now = segment.changed_ms;
    const auto size = static_cast<long long>(segment.size), version = static_cast<long long>(segment.version);
    session << "UPDATE segments SET title = :t, definition = :d, changed_ms = :c, refreshed_ms = :r, size = :n, "
               "version = :v WHERE id = :i",
        soci::use(segment.title), soci::use(segment.definition), soci::use(now), soci::use(now), soci::use(size),
        soci::use(version), soci::use(segment.id);
    return Edit::done;
  });
  if (!edit) return edit.error();
  return *edit == Edit::done ? std::optional(std::move(segment)) : std::nullopt;
}

Result<std::optional<Segment>> Catalog::refresh_segment(Segment segment) {
  segment.refreshed_ms = impl_->now_ms();
  // Not recorded: nobody changed anything.
  return impl_->read([&](soci::session& session) -> Result<std::optional<Segment>> {
    soci::transaction transaction(session);
    const auto now = find_segment(session, segment.id);
    if (!now || now->changed_ms != segment.changed_ms || now->version >= segment.version)
      return std::optional<Segment>();
    const long long refreshed = segment.refreshed_ms;
    const auto size = static_cast<long long>(segment.size), version = static_cast<long long>(segment.version);
    session << "UPDATE segments SET refreshed_ms = :r, size = :n, version = :v WHERE id = :i", soci::use(refreshed),
        soci::use(size), soci::use(version), soci::use(segment.id);
    transaction.commit();
    return std::optional(std::move(segment));
  });
}

Result<bool> Catalog::remove_segment(std::string_view id, std::string_view actor) {
  std::string what;
  const auto edit = impl_->edit(actor, what, [&](soci::session& session) {
    const std::string which(id);
    const auto before = find_segment(session, which);
    if (!before) return Edit::missing;
    what = fmt::format("segment {} \"{}\" removed", id, before->title);
    session << "DELETE FROM segments WHERE id = :i", soci::use(which);
    return Edit::done;
  });
  if (!edit) return edit.error();
  return *edit == Edit::done;
}

}  // namespace marquee::catalog
