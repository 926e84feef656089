#include "marquee/engine/grants.h"

#include <fmt/format.h>

#include <algorithm>

#include "marquee/engine/connection.h"

namespace marquee::engine {

std::string_view name_of(Privilege privilege) {
  switch (privilege) {
    case Privilege::select:
      return "SELECT";
    case Privilege::insert:
      return "INSERT";
    case Privilege::create_table:
      return "CREATE TABLE";
    case Privilege::drop_table:
      return "DROP TABLE";
    case Privilege::truncate:
      return "TRUNCATE";
    case Privilege::show:
      return "SHOW";
  }
  return "";
}

bool Grant::covers(Privilege wanted, std::string_view in_database, std::string_view of_table) const {
  return privilege == wanted && (database.empty() || database == in_database) && (table.empty() || table == of_table);
}

std::string Grant::text() const {
  const std::string in = database.empty() ? "*" : quote_name(database);
  return fmt::format("{} ON {}.{}", name_of(privilege), in, table.empty() ? "*" : quote_name(table));
}

bool Scope::may(Privilege privilege, std::string_view database, std::string_view table) const {
  return std::ranges::any_of(grants_, [&](const Grant& grant) { return grant.covers(privilege, database, table); });
}

bool Scope::may_somewhere(Privilege privilege) const {
  return std::ranges::find(grants_, privilege, &Grant::privilege) != grants_.end();
}

}  // namespace marquee::engine
