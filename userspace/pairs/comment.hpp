// SPDX-License-Identifier: GPL-2.0-or-later
// What somebody has to say about a pair.
#pragma once

#include <compare>
#include <memory>
#include <string>
#include <string_view>

namespace statnat {

// A text that most pairs do not have: where there is none, it is a pointer and no more.
class Comment {
public:
    Comment() = default;
    Comment(std::string_view text);
    Comment(const std::string& text) : Comment(std::string_view(text)) {}
    Comment(const char* text) : Comment(std::string_view(text)) {}
    Comment(const Comment& comment)
        : text_(comment.text_ ? std::make_unique<const std::string>(*comment.text_) : nullptr) {}
    Comment(Comment&&) = default;
    ~Comment() = default;
    Comment& operator=(Comment&&) = default;
    Comment& operator=(const Comment& comment) { return *this = Comment(comment); }

    bool empty() const { return !text_; }
    const std::string& text() const;

    std::strong_ordering operator<=>(const Comment& comment) const { return text() <=> comment.text(); }
    bool operator==(const Comment& comment) const { return text() == comment.text(); }

private:
    std::unique_ptr<const std::string> text_;  // null: empty
};

}  // namespace statnat
