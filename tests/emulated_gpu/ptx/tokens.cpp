#include "tokens.h"
#include <algorithm>
#include <cctype>

namespace gpu::ptx {
namespace {

bool is_of_word(char letter) {
    return isalnum((unsigned char)letter) || letter == '_' || letter == '$' || letter == '%' || letter == '.';
}

}  // namespace

std::vector<Token> tokens_of(const std::string& text) {
    std::vector<Token> found;
    uint32_t line = 1;
    for (size_t at = 0; at < text.size();) {
        const char letter = text[at];
        if (letter == '\n') ++line;
        if (isspace((unsigned char)letter)) {
            ++at;
        } else if (text.compare(at, 2, "//") == 0) {
            at = std::min(text.find('\n', at), text.size());
        } else if (text.compare(at, 2, "/*") == 0) {
            const size_t end = std::min(text.find("*/", at), text.size());
            line += uint32_t(std::count(text.begin() + long(at), text.begin() + long(end), '\n'));
            at = std::min(end + 2, text.size());
        } else if (letter == '"') {
            const size_t end = std::min(text.find('"', at + 1), text.size());
            found.push_back({text.substr(at, end - at), line});
            at = std::min(end + 1, text.size());
        } else if (is_of_word(letter)) {
            size_t end = at;
            // Two colons join a qualifier and its kind: .L1::no_allocate.
            while (end < text.size() && (is_of_word(text[end]) || text.compare(end, 2, "::") == 0))
                end += text[end] == ':' ? 2 : 1;
            found.push_back({text.substr(at, end - at), line});
            at = end;
        } else {
            found.push_back({std::string(1, letter), line});
            ++at;
        }
    }
    found.push_back({"", line});
    return found;
}

}  // namespace gpu::ptx
