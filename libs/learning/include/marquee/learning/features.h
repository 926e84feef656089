// From names and values to slots of the model's table: which features and crosses there are, the features of one
// request, and those of the catalog's ads. Hashing (Weinberger et al., "Feature Hashing for Large Scale Multitask
// Learning", 2009) in rows: the values of one side of a cross (the request's) choose where a row begins, the other
// side's (the ad's) where in the row, so that a request's cross with all ads reads one stretch of memory.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "marquee/base/result.h"

namespace marquee::learning {

inline constexpr std::size_t kMaxAdFields = 8;
inline constexpr std::size_t kMaxTerms = 255;
inline constexpr std::size_t kLongestRow = std::size_t{1} << 16;  ///< Slots.
inline constexpr std::uint8_t kNoAdField = 0xFF;

/// Something that ads have one value of each: "ad" (its id), "campaign", "category", "advertiser" or an attribute.
/// A row of its crosses is 2^columns_log2 slots; take a few times as many as there are values.
struct AdField {
  std::string name;
  unsigned columns_log2 = 10;
};

/// What a model looks at. A term is names joined by '*': context names, and at most one ad field. "hour" is a main
/// effect, "college*category" a cross, "college*year*ad" one of three, "advertiser" an ad's own. Main effects of ad,
/// campaign, category and site are not terms: the priors (priors.h) hold them. "page_topic=category" is a match:
/// whether the context's value is the ad's, in one weight for all values together, so that what is learned of some
/// holds for those that nobody has clicked yet.
///
/// Each value of a context name crossed with "ad" costs a request a look at every candidate (2,000 candidates: some 3
/// us), crossed with a field of few values next to nothing: interests, of which there are many, go with campaigns.
struct FeatureOptions {
  std::vector<AdField> ad_fields = {{"ad", 13}, {"campaign", 11}, {"category", 8}, {"advertiser", 10}};
  std::vector<std::string> terms = {"hour",
                                    "device",
                                    "page",
                                    "advertiser",
                                    "college*category",
                                    "college*ad",
                                    "page*category",
                                    "page*ad",
                                    "year*category",
                                    "course*category",
                                    "query*category",
                                    "query*ad",
                                    "slot*ad",
                                    "hour*category",
                                    "device*category",
                                    "program*category",
                                    "interest*category",
                                    "interest*campaign"};
};

/// Where a feature of a request has its weights: at one slot (no ad field), or in a row of slots, one for each ad.
struct Row {
  std::uint32_t base = 0;
  std::uint32_t multiplier = 1;
  float x = 1;  ///< The feature's amount; 1 for a categorical one.
  std::uint8_t field = kNoAdField;
  std::uint8_t shift = 31;
  std::uint8_t term = 0;  ///< Index into FeatureSpec::terms().
  /// Of two slots: one for ads whose value of the field is `multiplier`, one for all others.
  bool is_match = false;

  /// The slot for an ad whose value of the field hashes to `value`, before the table's mask. Ads that share a slot in
  /// one row do not in another: each row multiplies by its own odd number (Dietzfelbinger et al., 1997).
  [[nodiscard]] std::uint32_t slot(std::uint32_t value) const {
    if (is_match) return base + static_cast<std::uint32_t>(value == multiplier);
    return base + ((value * multiplier) >> shift);
  }
  bool operator==(const Row&) const = default;
};

/// The declared features, parsed. Immutable; any thread may read it.
class FeatureSpec {
 public:
  struct Term {
    std::uint64_t seed = 0;
    std::vector<std::uint16_t> context;  ///< Indices of context names.
    std::uint8_t field = kNoAdField;
    bool is_match = false;
  };

  /// Fails with `reject` and the term where one is empty, names two ad fields or a name twice, or is a match of
  /// anything but a context name and an ad field, and where a field's row is not of 2^1 to 2^16 slots.
  [[nodiscard]] static Result<FeatureSpec> parse(const FeatureOptions& options);

  [[nodiscard]] const std::vector<Term>& terms() const { return terms_; }
  [[nodiscard]] const std::vector<AdField>& ad_fields() const { return ad_fields_; }
  [[nodiscard]] std::size_t context_names() const { return names_.size(); }
  /// Index of a context name that some term has, or -1.
  [[nodiscard]] int context_name(std::string_view name) const;
  /// Changes when slots mean something else: a model learned with one fingerprint is nonsense under another.
  [[nodiscard]] std::uint64_t fingerprint() const { return fingerprint_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  Result<Term> parse_term(std::string_view text);

  std::vector<AdField> ad_fields_;
  std::vector<Term> terms_;
  std::unordered_map<std::string, std::uint16_t, Hash, std::equal_to<>> names_;
  std::uint64_t fingerprint_ = 0;
};

/// The features of one request. Reuse one for many requests (clear): it then allocates nothing. Not thread safe.
class RequestFeatures {
 public:
  /// Rows beyond this many are dropped, terms in their declared order first.
  static constexpr std::size_t kMaxRows = 256;

  /// `spec` must live on.
  explicit RequestFeatures(const FeatureSpec& spec) : spec_(&spec), values_(spec.context_names()) {}

  void clear();
  /// name=value. A name may have several values (words of a query). Names in no term are passed over. `weight` is for
  /// interests and the like: about 1 for a strong one; taken within [-8, 8].
  void add(std::string_view name, std::string_view value, float weight = 1);
  /// A number; bring it to about [-1, 1] first. Taken within [-8, 8]; NaN is passed over.
  void add_number(std::string_view name, float number) { add(name, {}, number); }
  /// Makes rows() of what was added. Call once, after the last add.
  void compile() { compile_apart({}); }
  /// The same, but what hangs on a value of `name` goes to rows_apart(): for requests that differ in it alone.
  void compile_apart(std::string_view name);
  /// Those of no ad field first, then field by field, of each its matches first; as rows_apart().
  [[nodiscard]] std::span<const Row> rows() const { return rows_; }
  [[nodiscard]] std::span<const Row> rows_apart() const { return rows_apart_; }

 private:
  struct Value {
    std::uint64_t hash;
    float x;
  };
  [[nodiscard]] std::uint8_t index_of(const FeatureSpec::Term& term) const;
  void cross(const FeatureSpec::Term& term, std::size_t depth, std::uint64_t hash, float x, std::vector<Row>& rows);
  void match(const FeatureSpec::Term& term, std::uint64_t hash, std::vector<Row>& rows);

  const FeatureSpec* spec_;
  std::vector<std::vector<Value>> values_;  // By context name.
  std::vector<Row> rows_, rows_apart_;
};

/// Where an ad stands in the hierarchy of priors.
struct PriorPath {
  std::uint64_t site = 0, category = 0, campaign = 0, ad = 0;
};

/// What the model must know of one ad.
struct AdFeatures {
  std::array<std::uint32_t, kMaxAdFields> values{};  ///< Hash of the value of each ad field.
  PriorPath path;
};

struct Ad {
  std::string id, site, campaign, category, advertiser;
  std::vector<std::pair<std::string, std::string>> attributes;
};

[[nodiscard]] AdFeatures ad_features(const FeatureSpec& spec, const Ad& ad);

/// The catalog's ads, hashed once at each change of it; ads go by their index here. Immutable; any thread may read it.
class AdTable {
 public:
  AdTable(const FeatureSpec& spec, std::span<const Ad> ads);

  /// The different values of one ad field, and which each ad has.
  struct Column {
    std::vector<std::uint32_t> distinct;
    std::vector<std::uint32_t> value_of_ad;  ///< Index into `distinct`.
    std::vector<std::uint32_t> hash_of_ad;
  };
  [[nodiscard]] std::size_t size() const { return ads_.size(); }
  [[nodiscard]] const AdFeatures& ad(std::size_t index) const { return ads_[index]; }
  [[nodiscard]] const std::vector<Column>& columns() const { return columns_; }
  [[nodiscard]] std::uint64_t fingerprint() const { return fingerprint_; }

 private:
  std::vector<AdFeatures> ads_;
  std::vector<Column> columns_;
  std::uint64_t fingerprint_;
};

}  // namespace marquee::learning
