#include "loader_fake_store.h"

#include <fmt/format.h>
#include <lz4frame.h>

#include <algorithm>
#include <cstring>
#include <ranges>
#include <stdexcept>
#include <utility>

#include "loader_batch.h"
#include "marquee/clickhouse/native_block.h"

namespace marquee::ingest::testing {
namespace {

std::string unframe(const std::string& body) {
  LZ4F_dctx* context = nullptr;
  LZ4F_createDecompressionContext(&context, LZ4F_VERSION);
  std::string out;
  std::string piece(1 << 16, '\0');
  std::size_t at = 0;
  for (;;) {
    std::size_t made = piece.size();
    std::size_t taken = body.size() - at;
    const std::size_t rest = LZ4F_decompress(context, piece.data(), &made, body.data() + at, &taken, nullptr);
    if (LZ4F_isError(rest) != 0) throw std::runtime_error("the insert's body is not an lz4 frame");
    out.append(piece, 0, made);
    at += taken;
    if (rest == 0) break;
    if (made == 0 && taken == 0) throw std::runtime_error("the insert's lz4 frame is cut off");
  }
  LZ4F_freeDecompressionContext(context);
  return out;
}

/// Reads Native blocks of the types that the loader writes, as text cells by column.
class NativeReader {
 public:
  explicit NativeReader(const std::string& bytes) : bytes_(bytes) {}

  /// A body holds one block after another; they come out as one.
  std::map<std::string, std::vector<std::string>> read() {
    std::map<std::string, std::vector<std::string>> columns;
    do {
      const auto count = varint();
      const auto rows = varint();
      for (std::uint64_t i = 0; i < count; ++i) {
        const std::string name = text();
        const std::string type = text();
        const auto cells = column(type, rows);
        columns[name].insert(columns[name].end(), cells.begin(), cells.end());
      }
    } while (at_ < bytes_.size());
    return columns;
  }

 private:
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_.at(at_++));
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
  }
  std::string text() {
    const auto size = varint();
    std::string value = bytes_.substr(at_, size);
    if (value.size() != size) throw std::runtime_error("the block is cut off");
    at_ += size;
    return value;
  }
  std::uint64_t number(std::size_t width) {
    std::uint64_t value = 0;
    if (at_ + width > bytes_.size()) throw std::runtime_error("the block is cut off");
    std::memcpy(&value, bytes_.data() + at_, width);
    at_ += width;
    return value;
  }
  std::vector<std::string> column(const std::string& type, std::uint64_t rows) {
    std::vector<std::string> cells;
    if (type == "LowCardinality(String)") {
      if (number(8) != 1) throw std::runtime_error("unknown version of the dictionary");
      const std::size_t width = std::size_t{1} << (number(8) & 0xFF);
      std::vector<std::string> keys(number(8));
      for (auto& key : keys) key = text();
      if (number(8) != rows) throw std::runtime_error("the dictionary column has another length");
      for (std::uint64_t i = 0; i < rows; ++i) cells.push_back(keys.at(number(width)));
      return cells;
    }
    static const std::map<std::string, std::size_t> widths = {
        {"UInt8", 1}, {"Bool", 1},    {"Enum8", 1},  {"UInt16", 2},  {"UInt32", 4},
        {"Int32", 4}, {"Float32", 4}, {"UInt64", 8}, {"Float64", 8}, {"DateTime64", 8}};
    const std::string family = type.substr(0, type.find('('));
    for (std::uint64_t i = 0; i < rows; ++i) {
      cells.push_back(family == "String" ? text() : std::to_string(number(widths.at(family))));
    }
    return cells;
  }

  const std::string& bytes_;
  std::size_t at_ = 0;
};

std::vector<StoredRow> rows_of(const std::string& body) {
  const std::string block = unframe(body);
  auto columns = NativeReader(block).read();
  std::vector<StoredRow> rows;
  for (std::size_t i = 0; i < columns.at("log_offset").size(); ++i) {
    const auto number = [&](const char* name) { return std::stoull(columns.at(name)[i]); };
    rows.push_back({static_cast<std::uint32_t>(number("log_partition")), number("log_offset"), columns.at("site_id")[i],
                    number("session_id"), static_cast<std::uint32_t>(number("seq")), columns.at("external_id")[i],
                    partition_id(day_of(static_cast<std::int64_t>(number("event_time")))),
                    columns.at("search_query")[i] == "poison", columns.at("loader")[i]});
  }
  return rows;
}

http::Response failure(unsigned status, int code, const std::string& text) {
  auto response = http::Response::text(status, fmt::format("Code: {}. DB::Exception: {}\n", code, text));
  if (code != 0) response.headers.add("X-ClickHouse-Exception-Code", std::to_string(code));
  return response;
}

/// The store's own answer to an insert.
http::Response taken() {
  auto response = http::Response::text(200, "");
  response.headers.add("X-ClickHouse-Summary", "{}");
  return response;
}

void break_connection_of(http::Responder responder) { responder.stream(http::Response::text(200, ""))->close(false); }

template <class T>
T take_first(std::deque<T>& from, T otherwise) {
  if (from.empty()) return otherwise;
  const T first = from.front();
  from.pop_front();
  return first;
}

void append_number(std::string& out, auto value) { out.append(reinterpret_cast<const char*>(&value), sizeof(value)); }

}  // namespace

FakeStore::FakeStore() {
  http::Router router;
  router.add("GET", "/ping", [](http::Request, http::Responder r) { r.send(http::Response::text(200, "Ok.\n")); });
  router.add("POST", "/",
             [this](http::Request request, http::Responder r) { answer(std::move(request), std::move(r)); });
  http::ServerOptions options;
  options.max_body_bytes = std::size_t{64} << 20;
  server_ = std::make_unique<http::Server>(options, std::move(router));
  if (auto started = server_->start(); !started) throw std::runtime_error(started.error().message);
}

FakeStore::~FakeStore() { server_->stop(0); }

std::string FakeStore::url() const { return fmt::format("http://127.0.0.1:{}", server_->port()); }

void FakeStore::set_fates(std::vector<Fate> fates) {
  const std::lock_guard lock(mutex_);
  fates_.assign(fates.begin(), fates.end());
}
void FakeStore::set_repair_fates(std::vector<Fate> fates) {
  const std::lock_guard lock(mutex_);
  repair_fates_.assign(fates.begin(), fates.end());
}
void FakeStore::fail_statements(std::string prefix, unsigned times) {
  const std::lock_guard lock(mutex_);
  failing_[std::move(prefix)] = times;
}
std::vector<StoredRow> FakeStore::events() const {
  const std::lock_guard lock(mutex_);
  return events_;
}
std::map<std::string, std::int64_t> FakeStore::rollup() const {
  const std::lock_guard lock(mutex_);
  return rollup_;
}
std::map<std::string, std::int64_t> FakeStore::recounted_rollup() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::int64_t> counts;
  for (const auto& row : events_) ++counts[row.day];
  return counts;
}
std::map<std::pair<std::uint32_t, std::uint64_t>, StoredLetter> FakeStore::letters() const {
  const std::lock_guard lock(mutex_);
  return letters_;
}
std::set<std::pair<std::uint32_t, std::uint64_t>> FakeStore::dead_letters() const {
  const auto all = letters();
  const auto places = std::views::keys(all);
  return {places.begin(), places.end()};
}
void FakeStore::take_poison() {
  const std::lock_guard lock(mutex_);
  takes_poison_ = true;
}
std::size_t FakeStore::inserts() const {
  const std::lock_guard lock(mutex_);
  return inserts_;
}
void FakeStore::add_event(StoredRow row) {
  const std::lock_guard lock(mutex_);
  ++rollup_[row.day];
  events_.push_back(std::move(row));
}
bool FakeStore::is_replaced(std::uint64_t loader) const {
  const std::lock_guard lock(mutex_);
  return replaced_.contains(loader_name(loader));
}
void FakeStore::replace_everybody() {
  const std::lock_guard lock(mutex_);
  for (const auto& row : events_) replaced_.insert(row.loader);
}
void FakeStore::lose_events(std::size_t count) {
  const std::lock_guard lock(mutex_);
  events_.resize(events_.size() - count);
}

void FakeStore::answer(http::Request request, http::Responder responder) {
  const std::lock_guard lock(mutex_);
  const auto statement = request.query_parameter("query");
  const std::string sql = statement ? *statement : request.body;
  for (auto& [prefix, times] : failing_) {
    if (times == 0 || !sql.starts_with(prefix)) continue;
    --times;
    return responder.send(failure(500, 241, "memory limit exceeded"));
  }
  if (statement) return take_insert(sql, request.body, std::move(responder));
  responder.send(run(sql, request));
}

void FakeStore::take_letters(const std::string& body) {
  const std::string block = unframe(body);
  auto columns = NativeReader(block).read();
  for (std::size_t i = 0; i < columns["log_offset"].size(); ++i) {
    auto& letter = letters_[{std::stoul(columns["log_partition"][i]), std::stoull(columns["log_offset"][i])}];
    letter.topic = columns["source_topic"][i];
    letter.reason = columns["reason"][i];
    letter.bytes = columns["bytes"][i];
    letter.bytes_hash = std::stoull(columns["bytes_hash"][i]);
    ++letter.times_written;
  }
}

std::string FakeStore::known_letters(const http::Request& request) const {
  const auto number = [&](const char* name) { return std::stoull(*request.query_parameter(name)); };
  std::string out;
  for (const auto& [place, letter] : letters_) {
    if (place.first != number("param_p") || place.second < number("param_begin") || place.second >= number("param_end"))
      continue;
    append_number(out, place.second);
    append_number(out, letter.bytes_hash);
    clickhouse::append_varint(out, letter.reason.size());
    out += letter.reason;
  }
  return out;
}

void FakeStore::take_insert(const std::string& statement, const std::string& body, http::Responder responder) {
  if (statement.starts_with("INSERT INTO marquee.dead_letters")) {
    take_letters(body);
    return responder.send(taken());
  }
  if (statement.starts_with("INSERT INTO marquee.pipeline")) return responder.send(taken());
  const auto rows = rows_of(body);
  const bool is_repair = statement.starts_with("INSERT INTO marquee.events_repair_entry");
  if (const std::string why = refusal(rows, is_repair); !why.empty()) return responder.send(failure(400, 395, why));
  Fate fate = take_first(is_repair ? repair_fates_ : fates_, Fate::lands);
  if (!takes_poison_ && std::ranges::any_of(rows, &StoredRow::is_poison)) fate = Fate::content_refused;
  ++inserts_;
  land(rows, fate, is_repair);
  if (fate == Fate::late) late_.emplace_back(rows, is_repair);
  switch (fate) {
    case Fate::lands:
      return responder.send(taken());
    case Fate::answered_by_another:
      return responder.send(http::Response::text(200, "Welcome!"));
    case Fate::error_after_landing:
      return responder.send(failure(500, 252, "too many parts"));
    case Fate::refused_busy:
      return responder.send(http::Response::text(503, "busy"));
    case Fate::refused_after_memory:
      return responder.send(failure(500, 241, "memory limit exceeded"));
    case Fate::content_refused:
      return responder.send(failure(400, 117, "cannot insert data into JSON column"));
    default:
      return break_connection_of(std::move(responder));
  }
}

std::string FakeStore::refusal(const std::vector<StoredRow>& rows, bool is_repair) const {
  for (const auto& row : rows) {
    if (replaced_.contains(row.loader)) return "marquee: this loader was replaced";
  }
  return rebuilder_ != 0 && !is_repair ? "marquee: rollups are being rebuilt" : "";
}

void FakeStore::land(const std::vector<StoredRow>& rows, Fate fate, bool is_repair) {
  const bool is_whole = fate == Fate::lands || fate == Fate::dropped_after || fate == Fate::error_after_landing;
  const std::size_t to_events = is_whole ? rows.size() : fate == Fate::lands_part ? rows.size() / 2 : 0;
  const bool to_rollup = !is_repair && (is_whole || fate == Fate::lands_part || fate == Fate::lands_rollup_only);
  events_.insert(events_.end(), rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(to_events));
  if (!to_rollup) return;
  for (const auto& row : rows) ++rollup_[row.day];
}

std::size_t FakeStore::release_late() {
  const std::lock_guard lock(mutex_);
  std::size_t taken = 0;
  for (const auto& [rows, is_repair] : std::exchange(late_, {})) {
    if (!refusal(rows, is_repair).empty()) continue;
    land(rows, Fate::lands, is_repair);
    ++taken;
  }
  return taken;
}

http::Response FakeStore::run(const std::string& sql, const http::Request& request) {
  const auto ok = [](std::string body) { return http::Response::text(200, std::move(body)); };
  if (sql.starts_with("SELECT query_id FROM system.processes")) return ok("query_id\nString\n");
  if (sql.starts_with("SELECT log_offset, bytes_hash")) return ok(known_letters(request));
  if (sql.starts_with("SELECT log_offset")) {
    const auto number = [&](const char* name) { return std::stoull(*request.query_parameter(name)); };
    auto rows = events_;
    std::erase_if(rows, [&](const StoredRow& row) {
      return row.partition != number("param_p") || row.offset < number("param_begin") ||
             row.offset >= number("param_end");
    });
    std::ranges::sort(rows, {}, &StoredRow::offset);
    if (sql.find("DESC") != std::string::npos) {
      std::ranges::reverse(rows);
      if (rows.size() > number("param_limit")) rows.resize(number("param_limit"));
    }
    std::string out;
    for (const auto& row : rows) {
      append_number(out, row.offset);
      clickhouse::append_varint(out, row.site_id.size());
      out += row.site_id;
      append_number(out, row.session_id);
      append_number(out, row.seq);
      clickhouse::append_varint(out, row.external_id.size());
      out += row.external_id;
    }
    return ok(out);
  }
  if (sql.starts_with("SELECT name, as_select")) {
    return ok(
        "name\tas_select\nString\tString\ntoy_mv\tSELECT day, count() AS n FROM marquee.events_in GROUP BY day\n");
  }
  if (sql.starts_with("SELECT name, type")) {
    return ok("name\ttype\tengine\nString\tString\tString\nday\tDate\tMergeTree\nn\tUInt64\tMergeTree\n");
  }
  if (sql.starts_with("SELECT name, comment FROM system.databases")) {
    std::string out = "name\tcomment\nString\tString\n";
    if (rebuilder_ != 0 && *request.query_parameter("param_prefix") == "marquee_rebuild_")
      out += fmt::format("marquee_rebuild_{}\t{}\n", rebuilder_, rebuilder_name_);
    return ok(out);
  }
  if (sql.starts_with("SELECT max(number)")) return ok(fmt::format("n\nUInt64\n{}\n", highest_rebuilder_));
  if (sql.starts_with("INSERT INTO marquee.landed_plans")) {
    landed_plans_.insert(sql.substr(sql.rfind('(')));
    return ok("");
  }
  if (sql.starts_with("SELECT count() FROM marquee.landed_plans")) {
    const std::string tail = sql.substr(sql.find("WHERE"));
    std::string values = "(";
    for (const char* name : {"log_partition = ", "loader = ", "begin = ", "end = "}) {
      const std::size_t at = tail.find(name) + std::string_view(name).size();
      if (values.size() > 1) values += ", ";
      values += tail.substr(at, tail.find(' ', at) - at);
    }
    return ok(fmt::format("n\nUInt64\n{}\n", landed_plans_.contains(values + ")") ? 1 : 0));
  }
  if (sql.starts_with("SELECT count() FROM marquee.rebuilds")) return ok("n\nUInt64\n0\n");
  if (sql.starts_with("SELECT dateDiff"))
    return ok("n\nInt64\n0\n");  // Whoever has it lives, unless it is known not to.
  if (sql.starts_with("SELECT name, comment FROM system.tables")) return ok("n\tc\nString\tString\n");
  if (sql.starts_with("SELECT name, engine_full FROM system.tables"))
    return ok("n\te\nString\tString\nevents\tMergeTree ORDER BY tuple()\n");  // Everything is kept for ever.
  if (sql.starts_with("SELECT comment FROM system.tables")) return ok("c\nString\n");
  if (sql.starts_with("INSERT INTO marquee.rebuilds")) {
    highest_rebuilder_ = std::max<std::uint64_t>(highest_rebuilder_, std::stoull(sql.substr(sql.rfind('(') + 1)));
    return ok("");
  }
  if (sql.starts_with("CREATE DATABASE marquee_rebuild_")) {
    rebuilder_ = std::stoull(sql.substr(32));
    rebuilder_name_ = sql.substr(sql.find('\'') + 1, sql.rfind('\'') - sql.find('\'') - 1);
    return ok("");
  }
  if (sql.starts_with("DROP DATABASE IF EXISTS marquee_rebuild_")) {
    if (std::stoull(sql.substr(40)) == rebuilder_) rebuilder_ = 0;
    return ok("");
  }
  if (sql.starts_with("INSERT INTO marquee.loaders (loader)")) return ok("");
  if (sql.starts_with("SELECT count() FROM marquee.loaders_out_of_date")) return ok("n\nUInt64\n0\n");
  if (sql.starts_with("INSERT INTO marquee.loaders_replaced")) {
    replaced_.insert(sql.substr(sql.rfind('(') + 2, 16));
    return ok("");
  }
  if (sql.starts_with("SELECT DISTINCT _partition_id FROM marquee_rebuild_")) {
    std::string out = "_partition_id\nString\n";
    for (const auto& [day, rows] : fresh_) {
      if (rows != 0) out += day + "\n";
    }
    return ok(out);
  }
  if (sql.starts_with("INSERT INTO marquee_rebuild_")) {
    fresh_.clear();
    std::size_t at = sql.find("_partition_id IN (");
    const std::size_t end = sql.find(')', at);
    while ((at = sql.find('\'', at)) < end) {
      const std::string day = sql.substr(at + 1, 8);
      fresh_[day] = std::ranges::count(events_, day, &StoredRow::day);
      at += 10;
    }
    return ok("");
  }
  if (sql.starts_with("ALTER TABLE marquee.toy REPLACE PARTITION ID")) {
    const std::string day = sql.substr(sql.find('\'') + 1, 8);
    rollup_[day] = fresh_.at(day);
    return ok("");
  }
  if (sql.starts_with("ALTER TABLE marquee.toy MOVE PARTITION ID")) {
    rollup_.erase(sql.substr(sql.find('\'') + 1, 8));
    return ok("");
  }
  if (sql.starts_with("DROP TABLE") || sql.starts_with("CREATE TABLE") || sql.starts_with("CREATE OR REPLACE TABLE"))
    return ok("");
  return failure(400, 62, "the fake store does not know: " + sql);
}

}  // namespace marquee::ingest::testing
