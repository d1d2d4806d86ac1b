#include "cut.h"
#include <algorithm>

namespace gpu {

using namespace ptx;

namespace {

const std::set<std::string> ENDS = {"bra", "brx", "ret", "exit", "bar", "barrier"};
const std::set<std::string> TOGETHER = {"shfl", "vote", "match", "redux", "bar", "barrier", "mma", "ldmatrix"};
const std::set<std::string> WRITE_NOTHING = {"st",       "bra",       "brx",     "bar",      "barrier", "red",
                                             "cp",       "membar",    "fence",   "ret",      "exit",    "trap",
                                             "prefetch", "prefetchu", "discard", "nanosleep"};

void add_words(const Operand& operand, std::vector<std::string>& words) {
    if (!operand.word.empty()) words.push_back(operand.word);
    for (const auto& each : operand.list) add_words(each, words);
}

// An operation of several lanes under a guard becomes one without, with a branch around it.
std::vector<Item> branching_around(const std::vector<Item>& body) {
    std::vector<Item> result;
    for (const auto& item : body) {
        const auto* instruction = std::get_if<Instruction>(&item);
        if (!instruction || instruction->guard.word.empty() || !TOGETHER.contains(instruction->name)) {
            result.push_back(item);
            continue;
        }
        const std::string behind = "behind " + std::to_string(result.size());
        Instruction around = {instruction->line, "bra", {}, {Operand{Operand::Kind::Word, behind}}, instruction->guard};
        around.guard.negated = !around.guard.negated;
        Instruction bare = *instruction;
        bare.guard = {};
        result.insert(result.end(), {around, bare, Label{instruction->line, behind}});
    }
    return result;
}

}  // namespace

const Operand* members_of(const Instruction& instruction) {
    static const Operand all = {Operand::Kind::Word, "-1"};
    if (!TOGETHER.contains(instruction.name)) return nullptr;
    if (instruction.name == "bar" && instruction.has("warp")) return &instruction.operands.at(0);
    const bool has_mask = instruction.name == "shfl" || instruction.name == "vote" || instruction.name == "match" ||
                          instruction.name == "redux";
    return has_mask ? &instruction.operands.back() : &all;
}

std::vector<Piece> cut(const Function& function) {
    std::vector<Piece> pieces(1);
    std::string members;
    auto begin = [&] {
        if (!pieces.back().instructions.empty()) pieces.emplace_back();
        members.clear();
    };
    for (const auto& item : branching_around(function.body)) {
        if (const auto* label = std::get_if<Label>(&item)) {
            begin();
            pieces.back().labels.push_back(label->name);
            continue;
        }
        const auto& instruction = std::get<Instruction>(item);
        // Lanes that are together stay so: one wait is enough for several operations of the same lanes.
        if (const auto* named = members_of(instruction); named && named->word != members) {
            begin();
            members = named->word;
        }
        pieces.back().instructions.push_back(instruction);
        if (ENDS.contains(instruction.name) && !instruction.has("warp")) {
            pieces.emplace_back();
            members.clear();
        }
    }
    return pieces;
}

std::vector<std::string> words_of(const Instruction& instruction) {
    std::vector<std::string> words;
    add_words(instruction.guard, words);
    for (const auto& operand : instruction.operands) add_words(operand, words);
    return words;
}

std::vector<std::string> written_by(const Instruction& instruction) {
    std::vector<std::string> words;
    if (!WRITE_NOTHING.contains(instruction.name) && !instruction.operands.empty())
        add_words(instruction.operands[0], words);
    return words;
}

std::set<std::string> confined(const std::vector<Piece>& pieces) {
    struct Place {
        size_t piece;
        bool only, written_first;
    };
    std::map<std::string, Place> places;
    for (size_t p = 0; p < pieces.size(); ++p) {
        for (const auto& instruction : pieces[p].instructions) {
            const auto written = written_by(instruction);
            auto words = words_of(instruction);
            // What is read comes first. What is written under a guard keeps what it was in other lanes.
            if (instruction.guard.word.empty() && !written.empty())
                words.erase(words.begin(), words.begin() + long(written.size()));
            for (const auto& word : words) {
                auto [place, is_new] = places.emplace(word, Place{p, true, false});
                if (place->second.piece != p) place->second.only = false;
            }
            for (const auto& word : written) {
                auto [place, is_new] = places.emplace(word, Place{p, true, true});
                if (place->second.piece != p) place->second.only = false;
            }
        }
    }
    std::set<std::string> found;
    for (const auto& [word, place] : places)
        if (place.only && place.written_first) found.insert(word);
    return found;
}

std::map<std::string, std::string> constants(const std::vector<Piece>& pieces) {
    std::map<std::string, int> times;
    std::map<std::string, std::string> found;
    for (const auto& piece : pieces) {
        for (const auto& instruction : piece.instructions) {
            for (const auto& word : written_by(instruction)) ++times[word];
            if (instruction.name != "mov" || !instruction.guard.word.empty() || instruction.operands.size() != 2)
                continue;
            const auto& value = instruction.operands[1].word;
            const size_t digits = value.starts_with('-') ? 1 : 0;
            if (!value.empty() && value.find_first_not_of("0123456789", digits) == std::string::npos)
                found[instruction.operands[0].word] = value;
        }
    }
    std::erase_if(found, [&](const auto& each) { return times[each.first] != 1; });
    return found;
}

}  // namespace gpu
