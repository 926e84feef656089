#include "marquee/learning/scorer.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "logistic.h"

namespace marquee::learning {

Scorer::Scorer(std::shared_ptr<const Model> model, std::shared_ptr<const AdTable> ads)
    : model_(std::move(model)), ads_(std::move(ads)) {
  offset_.reserve(ads_->size());
  spread_.reserve(ads_->size());
  for (std::size_t i = 0; i < ads_->size(); ++i) {
    const auto rate = model_->priors.rate(ads_->ad(i).path);
    offset_.push_back(static_cast<float>(logit(rate.mean)));
    spread_.push_back(static_cast<float>(1 / std::sqrt(rate.clicks)));
  }
}

Result<std::shared_ptr<const Scorer>> Scorer::bind(std::shared_ptr<const Model> model,
                                                   std::shared_ptr<const AdTable> ads) {
  if (model->spec != ads->fingerprint()) return Error::reject("model and ads have different features");
  return std::shared_ptr<const Scorer>(new Scorer(std::move(model), std::move(ads)));
}

namespace {

// Adds the first rows' weights, which are matches, to sums[i] for the value that hashes to hashes[i]; returns the rest.
std::span<const Row> add_matches(std::span<const Row> rows, const Model& model, std::span<const std::uint32_t> hashes,
                                 float* sums) {
  for (; !rows.empty() && rows.front().is_match; rows = rows.subspan(1)) {
    const auto& row = rows.front();
    const float* of_row = model.weights.data() + (row.base & model.mask);
    for (std::size_t i = 0; i < hashes.size(); ++i) sums[i] += row.x * of_row[hashes[i] == row.multiplier];
  }
  return rows;
}

// Has the processor fetch a row that is about to be read all over: in order, which it does several times faster than in
// the order of hashes.
void fetch(const float* of_row, const Row& row, std::size_t reads) {
  constexpr std::size_t kSlotsOfALine = 16;
  const std::size_t slots = std::size_t{1} << (32 - row.shift);
  if (reads < slots / kSlotsOfALine) return;
  for (std::size_t slot = 0; slot < slots; slot += kSlotsOfALine) __builtin_prefetch(of_row + slot, 0, 2);
}

// sums[i] += the weights of kRows rows, of one shift, for the value that hashes to hashes[i]. Several rows at a time,
// as their multiplications and reads do not wait for each other.
template <std::size_t kRows>
void add_together(const Row* rows, const Model& model, std::span<const std::uint32_t> hashes, float* sums) {
  const float* of_row[kRows];
  std::uint32_t multiplier[kRows];
  float x[kRows];
  for (std::size_t r = 0; r < kRows; ++r) {
    of_row[r] = model.weights.data() + (rows[r].base & model.mask);
    multiplier[r] = rows[r].multiplier;
    x[r] = rows[r].x;
    fetch(of_row[r], rows[r], hashes.size());
  }
  const auto shift = rows->shift;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    float part[kRows];
    for (std::size_t r = 0; r < kRows; ++r) part[r] = x[r] * of_row[r][(hashes[i] * multiplier[r]) >> shift];
    if constexpr (kRows == 4) {
      sums[i] += (part[0] + part[1]) + (part[2] + part[3]);
    } else {
      float sum = sums[i];
      for (const float one : part) sum += one;
      sums[i] = sum;
    }
  }
}

// The same of rows of one field, which have one shift. In fours, and the rest one after the other: how they are added
// is what a score's last bits come from.
void add_rows(std::span<const Row> rows, const Model& model, std::span<const std::uint32_t> hashes, float* sums) {
  rows = add_matches(rows, model, hashes, sums);
  for (; rows.size() >= 4; rows = rows.subspan(4)) add_together<4>(rows.data(), model, hashes, sums);
  if (rows.size() == 3) add_together<3>(rows.data(), model, hashes, sums);
  if (rows.size() == 2) add_together<2>(rows.data(), model, hashes, sums);
  if (rows.size() == 1) add_together<1>(rows.data(), model, hashes, sums);
}

// 1 / (1 + exp(-x)) to some 3e-7 of it, of x within [-60, 60]; written so that compilers make it vectors, which they do
// not of std::exp.
inline float quick_sigmoid(float x) {
  constexpr float kLog2E = 1.44269504F, kRounds = 12582912.0F;  // 1.5 * 2^23: adding it leaves a whole number.
  const float power = x * -kLog2E;
  const float whole = (power + kRounds) - kRounds;
  const float rest = power - whole;  // In [-1/2, 1/2]: the Taylor series of 2^rest.
  const float series =
      1 + rest * (0.69314718F +
                  rest * (0.24022651F +
                          rest * (0.05550411F + rest * (0.00961813F + rest * (0.00133336F + rest * 0.00015404F)))));
  const auto exponent = static_cast<std::int32_t>(whole) * (1 << 23);
  return 1 / (1 + std::bit_cast<float>(std::bit_cast<std::int32_t>(series) + exponent));
}

void attractions(std::span<const float> logits, std::span<float> out) {
  constexpr float kMost = 60;
  // A loop of its own: in one with the rest, g++ makes branches of the bounds, and no vectors.
  for (std::size_t i = 0; i < logits.size(); ++i) out[i] = std::clamp(logits[i], -kMost, kMost);
  for (float& one : out) one = quick_sigmoid(one);
}

}  // namespace

// Adds the crosses of one ad field to the candidates' logits: once for each value where ads share values, else once for
// each candidate.
void Scorer::add_field(std::span<const Row> rows, std::span<const std::uint32_t> candidates, std::span<float> logits,
                       Scratch& scratch) const {
  const auto& column = ads_->columns()[rows.front().field];
  if (column.distinct.size() > candidates.size() / 2) {
    scratch.hashes_.resize(candidates.size());
    for (std::size_t i = 0; i < candidates.size(); ++i) scratch.hashes_[i] = column.hash_of_ad[candidates[i]];
    // Apart, as below: an ad's score does not hang on how many others are asked for.
    scratch.by_value_.assign(candidates.size(), 0);
    add_rows(rows, *model_, scratch.hashes_, scratch.by_value_.data());
    for (std::size_t i = 0; i < candidates.size(); ++i) logits[i] += scratch.by_value_[i];
    return;
  }
  scratch.by_value_.assign(column.distinct.size(), 0);
  add_rows(rows, *model_, column.distinct, scratch.by_value_.data());
  for (std::size_t i = 0; i < candidates.size(); ++i) logits[i] += scratch.by_value_[column.value_of_ad[candidates[i]]];
}

void Scorer::begin(std::span<const Row> rows, std::span<const std::uint32_t> candidates, std::span<float> logits,
                   Scratch& scratch) const {
  const auto own = std::ranges::find_if(rows, [](const Row& row) { return row.field != kNoAdField; });
  float context = 0;
  for (auto row = rows.begin(); row != own; ++row) context += row->x * model_->weights[row->base & model_->mask];
  for (std::size_t i = 0; i < candidates.size(); ++i) logits[i] = context + offset_[candidates[i]];
  add(rows.subspan(static_cast<std::size_t>(own - rows.begin())), candidates, logits, scratch);
}

void Scorer::add(std::span<const Row> rows, std::span<const std::uint32_t> candidates, std::span<float> logits,
                 Scratch& scratch) const {
  for (; !rows.empty() && rows.front().field == kNoAdField; rows = rows.subspan(1)) {
    const float weight = rows.front().x * model_->weights[rows.front().base & model_->mask];
    for (float& logit : logits) logit += weight;
  }
  while (!rows.empty()) {
    const auto end = std::ranges::find_if(rows, [&](const Row& row) { return row.field != rows.front().field; });
    const auto count = static_cast<std::size_t>(end - rows.begin());
    add_field(rows.first(count), candidates, logits, scratch);
    rows = rows.subspan(count);
  }
}

void Scorer::finish(std::span<const float> logits, std::span<float> attraction) { attractions(logits, attraction); }

void Scorer::score(const RequestFeatures& request, std::span<const std::uint32_t> candidates,
                   std::span<float> attraction, Scratch& scratch) const {
  scratch.logits_.resize(candidates.size());
  begin(request.rows(), candidates, scratch.logits_, scratch);
  add(request.rows_apart(), candidates, scratch.logits_, scratch);
  finish(scratch.logits_, attraction);
}

void Scorer::rate_spread(std::span<const std::uint32_t> candidates, std::span<float> spread) const {
  for (std::size_t i = 0; i < candidates.size(); ++i) spread[i] = spread_[candidates[i]];
}

float Scorer::spread(const RequestFeatures& request, std::uint32_t ad, float prior_precision) const {
  float variance = spread_[ad] * spread_[ad];
  for (const auto rows : {request.rows(), request.rows_apart()})
    for (const auto& row : rows) {
      if (row.field == kNoAdField) continue;  // The same for all candidates.
      const float n = model_->information[row.slot(ads_->ad(ad).values[row.field]) & model_->mask];
      variance += row.x * row.x / (prior_precision + n);
    }
  return std::sqrt(variance);
}

}  // namespace marquee::learning
