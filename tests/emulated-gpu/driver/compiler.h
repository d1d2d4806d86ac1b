// Makes a shared library of PTX, with the translator and g++. Each is made once and kept.
#pragma once
#include <string>

namespace gpu {

// The path of the library, or nothing if the PTX cannot be translated: the reason has been printed.
std::string compile(const std::string& ptx);

}  // namespace gpu
