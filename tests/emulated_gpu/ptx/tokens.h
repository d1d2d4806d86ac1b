// Cuts PTX into words and signs, with the lines that they stand on.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace gpu::ptx {

struct Token {
    std::string text;   // a word with its dots (`ld.global.f32`, `%tid.x`, `.reg`), or one sign
    uint32_t line;
};

// Comments are left out. The last token is empty.
std::vector<Token> tokens_of(const std::string& text);

}  // namespace gpu::ptx
