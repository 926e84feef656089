// The catalog: sites, write keys, slots, campaigns, ads, saved reports, segments, admin tokens; and who changed what,
// when.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/base/time.h"

namespace marquee::catalog {

struct Site {
  std::string id;  ///< Lower-case letters, digits and '-'; 1 to 63 characters.
  std::string name;
  std::string allowed_origin = "*";  ///< Origins that may send from a browser, separated by commas; * for all.
  bool consent_required = false;
};

/// What a write key opens.
struct KeyOwner {
  Site site;
  bool is_trusted = false;  ///< Of a server: may send events of any age.
};

/// A write key, as it is told: the key itself is kept nowhere.
struct WriteKey {
  std::string id;     ///< 12 hexadecimal digits, the first of its hash; they lead to no key.
  std::string label;  ///< What it is for; may be empty.
  bool is_trusted = false;
  std::int64_t made_ms = 0;  ///< 0: not known, as it was made by an earlier program.
  std::string made_by;
};

/// A slot, campaign or ad of a site.
struct Item {
  std::string id;
  std::string name;
  std::string campaign_id;  ///< Of an ad; else empty.
};

enum class ItemKind { slot, campaign, ad };

inline constexpr std::string_view kSavedQuery = "sql";

/// A report that is kept to be asked again, or a query.
struct SavedReport {
  std::string id = {};  ///< 16 hexadecimal digits.
  std::string name;
  std::string kind;        ///< "ctr", "funnel", ...; kSavedQuery.
  std::string site_id;     ///< Of the parameters.
  std::string parameters;  ///< As the report takes them: a JSON object.
  std::string owner;
  std::int64_t made_ms = 0;
  std::int64_t changed_ms = 0;  ///< Also its version: each change has a later one.
};

/// A named set of users of a site. Who is in it is in the store, under its version.
struct Segment {
  std::string id = {};  ///< 16 hexadecimal digits.
  std::string site_id;
  std::string title;
  std::string definition;  ///< As the API takes it: a JSON object.
  std::int64_t made_ms = 0, changed_ms = 0;
  std::int64_t refreshed_ms = 0;  ///< When its users were last found, and
  std::uint64_t size = 0;         ///< how many there were,
  std::uint64_t version = 0;      ///< written under this number, which no other refresh of any segment has.
};
/// What became of a change that holds only for what it was made of.
enum class Edit {
  done,
  missing,  ///< There is none of that id.
  changed,  ///< It is of another version by now.
  in_use,   ///< Something else stands on it.
  exists,   ///< There is one of that id already.
};
/// The version that a change was made of; none: of whatever there is.
using Version = std::optional<std::int64_t>;

/// One change, as it is recorded.
struct Change {
  std::int64_t time_ms = 0;
  std::string actor;  ///< Who: "admin", "serve", ...
  std::string what;   ///< "site campus made", ...
};

/// Rules and storage. Thread safe. Reads of keys and tokens take no lock on the database: they look at a snapshot that
/// every change replaces.
class Catalog {
 public:
  /// Opens or makes the SQLite database at `path`. Refuses (Action::give_up) one of a newer version.
  [[nodiscard]] static Result<std::unique_ptr<Catalog>> open(const std::string& path,
                                                             std::shared_ptr<const Clock> clock = nullptr);
  ~Catalog();

  /// Sees what other processes have changed in the same database; cheap where that is nothing.
  [[nodiscard]] Result<void> follow_changes();

  [[nodiscard]] std::vector<Site> sites() const;
  [[nodiscard]] std::optional<Site> site(std::string_view id) const;
  /// Makes a site. Action::reject names what is wrong; an id that is taken is Action::reject, "exists".
  [[nodiscard]] Result<void> add_site(const Site& site, std::string_view actor);
  /// Makes it unless it is there.
  [[nodiscard]] Result<void> ensure_site(const Site& site, std::string_view actor);

  /// Gives it another name, origins and rule of consent, from the next event on. Edit::missing without that site;
  /// Action::reject names what is wrong.
  [[nodiscard]] Result<Edit> replace_site(const Site& site, std::string_view actor);

  /// Makes a write key ("mk_..."); only its hash is kept. `label`: what it is for, up to 200 bytes.
  [[nodiscard]] Result<std::string> add_write_key(std::string_view site_id, bool is_trusted, std::string_view actor,
                                                  std::string_view label = {});
  /// Of a site, as they were made.
  [[nodiscard]] Result<std::vector<WriteKey>> write_keys(std::string_view site_id) const;
  /// From now on the key opens nothing. Edit::missing without it; Edit::in_use for a trusted one, which is kept
  /// elsewhere (secrets.json) and put again at each start.
  [[nodiscard]] Result<Edit> remove_write_key(std::string_view site_id, std::string_view id, std::string_view actor);
  /// Puts a known write key under a site, so that a key kept elsewhere stays valid. Idempotent.
  [[nodiscard]] Result<void> put_write_key(std::string_view key, std::string_view site_id, bool is_trusted,
                                           std::string_view actor);
  [[nodiscard]] std::optional<KeyOwner> find_key(std::string_view key) const;

  /// Puts an admin token; only its hash is kept. Idempotent.
  [[nodiscard]] Result<void> put_admin_token(std::string_view token, std::string_view actor);
  [[nodiscard]] bool is_admin_token(std::string_view token) const;

  [[nodiscard]] Result<std::vector<Item>> items(std::string_view site_id, ItemKind kind) const;
  /// Makes or renames one.
  [[nodiscard]] Result<void> put_item(std::string_view site_id, ItemKind kind, const Item& item,
                                      std::string_view actor);
  /// By name; of one site where `site_id` is not empty.
  [[nodiscard]] Result<std::vector<SavedReport>> saved_reports(std::string_view site_id) const;
  [[nodiscard]] Result<std::optional<SavedReport>> saved_report(std::string_view id) const;
  /// Keeps it under a new id, and gives it as it is kept. Action::reject names what is wrong. That the report can be
  /// asked is the caller's to know.
  [[nodiscard]] Result<SavedReport> add_saved_report(SavedReport report, std::string_view actor);
  /// Puts another in its place, but for its id and the time it was made; `report` is then as it is kept.
  [[nodiscard]] Result<Edit> replace_saved_report(SavedReport& report, Version version, std::string_view actor);
  /// Edit::in_use while deliveries send it.
  [[nodiscard]] Result<Edit> remove_saved_report(std::string_view id, Version version, std::string_view actor);

  /// By title; of one site where `site_id` is not empty.
  [[nodiscard]] Result<std::vector<Segment>> segments(std::string_view site_id) const;
  [[nodiscard]] Result<std::optional<Segment>> segment(std::string_view id) const;
  /// Ids and versions of the site's segments: what each report asks for. In the same order.
  [[nodiscard]] Result<std::vector<std::pair<std::string, std::uint64_t>>> segment_versions(
      std::string_view site_id) const;
  /// An id that no segment has.
  [[nodiscard]] static std::string make_segment_id();
  /// A number that no refresh of any segment had before.
  [[nodiscard]] Result<std::uint64_t> next_segment_version();
  /// Keeps it under its id, with the users that were found. Action::reject names what is wrong.
  [[nodiscard]] Result<Segment> add_segment(Segment segment, std::string_view actor);
  /// Puts another title, definition, size and version in its place. nullopt where there is none of that id.
  [[nodiscard]] Result<std::optional<Segment>> replace_segment(Segment segment, std::string_view actor);
  /// Makes `segment.version` the one that holds, with its size. nullopt, and nothing done, where the segment is gone,
  /// has been changed since, or has a later version.
  [[nodiscard]] Result<std::optional<Segment>> refresh_segment(Segment segment);
  /// False where there is none.
  [[nodiscard]] Result<bool> remove_segment(std::string_view id, std::string_view actor);

  /// Newest first.
  [[nodiscard]] Result<std::vector<Change>> changes(std::size_t limit) const;

 private:
  friend class AccountBook;
  friend class NotificationBook;
  friend class DefinitionBook;
  friend class ErasureBook;
  class Impl;
  explicit Catalog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// A new random secret of 160 bits, as `prefix` and 40 hex digits.
[[nodiscard]] std::string make_secret(std::string_view prefix);

}  // namespace marquee::catalog
