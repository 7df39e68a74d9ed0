#pragma once
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

namespace edgestill {
inline namespace v1 {

enum class ErrorCode {
  kBadImage,       ///< a picture without pixels, with a short row, or of an unknown format
  kBadModel,       ///< the model file is not the one that model.hpp describes
  kBadContract,    ///< model.hpp itself is inconsistent
  kOutOfMemory,    ///< while constructing; nothing is allocated later
  kBackend,        ///< the runtime refused; its own words are in the message
};

/// What went wrong. Holds its text itself, so that reporting an error allocates nothing; longer texts are cut.
class Error {
 public:
  Error(ErrorCode code, std::string_view text, std::string_view detail = {}) noexcept : code_(code) {
    append(text);
    append(detail);
  }
  ErrorCode code() const noexcept { return code_; }
  const char* message() const noexcept { return text_; }

 private:
  void append(std::string_view part) noexcept {
    const std::size_t room = sizeof(text_) - 1 - length_;
    const std::size_t count = part.size() < room ? part.size() : room;
    if (count > 0) std::memcpy(text_ + length_, part.data(), count);
    length_ += count;
    text_[length_] = '\0';
  }

  ErrorCode code_;
  std::size_t length_ = 0;
  char text_[256] = {};
};

/// A value, or the error that took its place. Reading the absent one is undefined, as with std::optional.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Error error) noexcept : error_(error) {}

  explicit operator bool() const noexcept { return value_.has_value(); }
  T& operator*() & noexcept { return *value_; }
  const T& operator*() const& noexcept { return *value_; }
  T&& operator*() && noexcept { return std::move(*value_); }
  T* operator->() noexcept { return &*value_; }
  const T* operator->() const noexcept { return &*value_; }
  const Error& error() const noexcept { return *error_; }

 private:
  std::optional<T> value_;
  std::optional<Error> error_;
};

/// Success, or an error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() noexcept = default;
  Result(Error error) noexcept : error_(error) {}

  explicit operator bool() const noexcept { return !error_.has_value(); }
  const Error& error() const noexcept { return *error_; }

 private:
  std::optional<Error> error_;
};

}  // namespace v1
}  // namespace edgestill
