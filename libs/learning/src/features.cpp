#include "marquee/learning/features.h"

#include <xxhash.h>

#include <algorithm>
#include <cmath>

#include "mix.h"

namespace marquee::learning {
namespace {

std::uint64_t hash_of(std::string_view text, std::uint64_t seed = 0) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

std::vector<std::string_view> names_of(std::string_view term, char between) {
  std::vector<std::string_view> names;
  for (std::size_t begin = 0; begin <= term.size();) {
    const auto end = std::min(term.find(between, begin), term.size());
    names.push_back(term.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

std::string_view value_of(const Ad& ad, std::string_view field) {
  if (field == "ad") return ad.id;
  if (field == "campaign") return ad.campaign;
  if (field == "category") return ad.category;
  if (field == "advertiser") return ad.advertiser;
  for (const auto& [name, value] : ad.attributes)
    if (name == field) return value;
  return {};
}

}  // namespace

Result<FeatureSpec> FeatureSpec::parse(const FeatureOptions& options) {
  FeatureSpec spec;
  if (options.ad_fields.size() > kMaxAdFields) return Error::reject("more than 8 ad fields");
  for (const auto& field : options.ad_fields) {
    if (field.columns_log2 < 1 || field.columns_log2 > 16)
      return Error::reject("ad field " + field.name + ": a row is of 2^1 to 2^16 slots");
    spec.fingerprint_ = hash_of(field.name, mix(spec.fingerprint_ + field.columns_log2));
  }
  spec.ad_fields_ = options.ad_fields;
  if (options.terms.size() > kMaxTerms) return Error::reject("more than 255 terms");
  std::vector<Term> terms;
  for (const auto& text : options.terms) {
    auto term = spec.parse_term(text);
    if (!term) return term.error();
    spec.fingerprint_ = mix(spec.fingerprint_ + term->seed);
    terms.push_back(std::move(*term));
  }
  // Rows of one ad field stand together, so that scoring goes over the ads once for each field.
  for (std::size_t field = 0; field <= options.ad_fields.size(); ++field)
    for (const bool is_match : {true, false})
      for (const auto& term : terms)
        if (static_cast<std::uint8_t>(term.field + 1) == field && term.is_match == is_match)
          spec.terms_.push_back(term);
  return spec;
}

Result<FeatureSpec::Term> FeatureSpec::parse_term(std::string_view text) {
  const bool is_match = text.find('=') != std::string_view::npos;
  const auto wrong = [&](const char* what) { return Error::reject("term \"" + std::string(text) + "\": " + what); };
  Term term{.seed = hash_of(text), .context = {}, .field = kNoAdField, .is_match = is_match};
  for (const auto name : names_of(text, is_match ? '=' : '*')) {
    if (name.empty()) return wrong("a name is empty");
    const auto field = std::ranges::find(ad_fields_, name, &AdField::name);
    if (field == ad_fields_.end()) {
      const auto index = names_.try_emplace(std::string(name), static_cast<std::uint16_t>(names_.size())).first->second;
      if (std::ranges::find(term.context, index) != term.context.end()) return wrong("a name twice");
      term.context.push_back(index);
    } else if (term.field != kNoAdField) {
      return wrong("two ad fields");
    } else {
      term.field = static_cast<std::uint8_t>(field - ad_fields_.begin());
    }
  }
  if (is_match && (term.context.size() != 1 || term.field == kNoAdField || text.find('*') != std::string_view::npos))
    return wrong("a match is of a context name and an ad field");
  return term;
}

int FeatureSpec::context_name(std::string_view name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? -1 : found->second;
}

void RequestFeatures::clear() {
  for (auto& values : values_) values.clear();
  rows_.clear();
  rows_apart_.clear();
}

void RequestFeatures::add(std::string_view name, std::string_view value, float weight) {
  const int index = spec_->context_name(name);
  if (index < 0 || std::isnan(weight)) return;
  values_[static_cast<std::size_t>(index)].push_back({hash_of(value), std::clamp(weight, -8.0F, 8.0F)});
}

std::uint8_t RequestFeatures::index_of(const FeatureSpec::Term& term) const {
  return static_cast<std::uint8_t>(&term - spec_->terms().data());
}

void RequestFeatures::cross(const FeatureSpec::Term& term, std::size_t depth, std::uint64_t hash, float x,
                            std::vector<Row>& rows) {
  if (depth < term.context.size()) {
    for (const auto& value : values_[term.context[depth]])
      cross(term, depth + 1, mix(hash * kGolden + value.hash), x * value.x, rows);
    return;
  }
  if (rows_.size() + rows_apart_.size() == kMaxRows) return;
  const bool one_slot = term.field == kNoAdField;
  const auto shift = one_slot ? 31U : 32 - spec_->ad_fields()[term.field].columns_log2;
  // A single slot has no column: a value of 0 is all it is ever asked with.
  rows.push_back({.base = static_cast<std::uint32_t>(hash >> 32),
                  .multiplier = static_cast<std::uint32_t>(hash) | 1,
                  .x = x,
                  .field = term.field,
                  .shift = static_cast<std::uint8_t>(shift),
                  .term = index_of(term)});
}

void RequestFeatures::match(const FeatureSpec::Term& term, std::uint64_t hash, std::vector<Row>& rows) {
  for (const auto& value : values_[term.context.front()]) {
    if (rows_.size() + rows_apart_.size() == kMaxRows) return;
    rows.push_back({.base = static_cast<std::uint32_t>(hash >> 32),
                    .multiplier = static_cast<std::uint32_t>(value.hash >> 32),
                    .x = value.x,
                    .field = term.field,
                    .term = index_of(term),
                    .is_match = true});
  }
}

void RequestFeatures::compile_apart(std::string_view name) {
  rows_.clear();
  rows_apart_.clear();
  const int index = name.empty() ? -1 : spec_->context_name(name);
  for (const auto& term : spec_->terms()) {
    const bool is_apart = index >= 0 && std::ranges::find(term.context, index) != term.context.end();
    auto& rows = is_apart ? rows_apart_ : rows_;
    if (term.is_match)
      match(term, mix(term.seed), rows);
    else
      cross(term, 0, mix(term.seed), 1, rows);
  }
}

AdFeatures ad_features(const FeatureSpec& spec, const Ad& ad) {
  AdFeatures features;
  for (std::size_t field = 0; field < spec.ad_fields().size(); ++field)
    features.values[field] = static_cast<std::uint32_t>(hash_of(value_of(ad, spec.ad_fields()[field].name)) >> 32);
  features.path.site = hash_of(ad.site, 1);
  features.path.category = hash_of(ad.category, features.path.site);
  features.path.campaign = hash_of(ad.campaign, features.path.category);
  features.path.ad = hash_of(ad.id, features.path.campaign);
  return features;
}

AdTable::AdTable(const FeatureSpec& spec, std::span<const Ad> ads)
    : columns_(spec.ad_fields().size()), fingerprint_(spec.fingerprint()) {
  ads_.reserve(ads.size());
  for (const auto& ad : ads) ads_.push_back(ad_features(spec, ad));
  for (std::size_t field = 0; field < columns_.size(); ++field) {
    auto& column = columns_[field];
    std::unordered_map<std::uint32_t, std::uint32_t> index;
    for (const auto& ad : ads_) {
      const auto value = ad.values[field];
      const auto [at, is_new] = index.try_emplace(value, static_cast<std::uint32_t>(column.distinct.size()));
      if (is_new) column.distinct.push_back(value);
      column.value_of_ad.push_back(at->second);
      column.hash_of_ad.push_back(value);
    }
  }
}

}  // namespace marquee::learning
