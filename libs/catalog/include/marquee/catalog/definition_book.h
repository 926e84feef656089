// What may be served: definitions of campaigns and slots, and what they were before.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/catalog/catalog.h"

namespace marquee::catalog {

struct Definition {
  std::string site_id = {};
  ItemKind kind = ItemKind::campaign;  ///< campaign or slot.
  std::string id = {}, name = {};
  std::string text = {};       ///< JSON; see decision::read_campaign and read_slot, which are the caller's to ask.
  std::vector<Item> ads = {};  ///< Of a campaign that is kept: their names. Not read with it.
  std::int64_t made_ms = 0;
  std::int64_t changed_ms = 0;  ///< Also its version, later than any that one of this id had before.
  std::string changed_by = {};
};

/// One state of a definition.
struct DefinitionVersion {
  std::int64_t changed_ms = 0;  ///< Also its version: when, and
  std::string changed_by;       ///< by whom it was made this.
  bool is_removal = false;
  std::string text;  ///< Of a removal: as it was before.
};

/// All of one moment.
struct Definitions {
  std::int64_t version = 0;  ///< Of DefinitionBook::version.
  std::vector<Definition> all;
};

/// Storage of all of them, in the catalog's database. Thread safe. Each change is a transaction, which also gives the
/// names in it to Catalog::items; names of what was removed stay, as events know it.
class DefinitionBook {
 public:
  /// `catalog` must outlive it.
  explicit DefinitionBook(Catalog& catalog) : impl_(*catalog.impl_) {}

  /// Another number after each change of any of them, once Catalog::follow_changes has seen it or this process made it.
  /// Looks at no database.
  [[nodiscard]] std::int64_t version() const;
  /// Of all sites.
  [[nodiscard]] Result<Definitions> all() const;

  /// Segments of all sites that decisions tell by their rule: those whose users are not written down, which have no
  /// version (0). By site, and by title.
  [[nodiscard]] Result<std::vector<Segment>> live_segments() const;

  /// By id.
  [[nodiscard]] Result<std::vector<Definition>> of_site(std::string_view site_id, ItemKind kind) const;
  [[nodiscard]] Result<std::optional<Definition>> find(std::string_view site_id, ItemKind kind,
                                                       std::string_view id) const;
  /// Edit::exists where there is one of that id. Action::reject names what is wrong ("ads[1].id" where another campaign
  /// has it); `definition` is then as it is kept.
  [[nodiscard]] Result<Edit> add(Definition& definition, std::string_view actor);
  /// Makes it, or puts it in the place of what is there. What is the same already stays of its version.
  [[nodiscard]] Result<Edit> put(Definition& definition, Version version, std::string_view actor);
  [[nodiscard]] Result<Edit> remove(std::string_view site_id, ItemKind kind, std::string_view id, Version version,
                                    std::string_view actor);

  /// Newest first: the last fifty, also of what has been removed.
  [[nodiscard]] Result<std::vector<DefinitionVersion>> history(std::string_view site_id, ItemKind kind,
                                                               std::string_view id) const;

 private:
  [[nodiscard]] Result<Edit> write(Definition& definition, bool is_new, Version version, std::string_view actor);

  Catalog::Impl& impl_;
};

}  // namespace marquee::catalog
