#include "ptx.h"
#include "tokens.h"
#include <algorithm>

namespace gpu::ptx {
namespace {

class Parser {
public:
    explicit Parser(const std::string& text) : tokens_(tokens_of(text)) {}

    Module parse() {
        Module module;
        while (!next().text.empty()) {
            if (is_one_of({".version", ".target", ".address_size"})) {
                skip_line();
            } else if (is_one_of({".file", ".loc", ".pragma"})) {
                skip_to(";");
            } else if (is_one_of({".visible", ".extern", ".weak", ".common", ".func", ".entry"}) &&
                       begins_a_function()) {
                function(module);
            } else {
                module.variables.push_back(variable());
                expect(";");
            }
        }
        return module;
    }

private:
    using Names = std::map<std::string, std::string>;

    const Token& next() const { return tokens_[at_]; }
    bool is(std::string_view text) const { return next().text == text; }
    bool is_one_of(std::initializer_list<std::string_view> texts) const {
        return std::find(texts.begin(), texts.end(), next().text) != texts.end();
    }
    std::string take() { return tokens_[at_ < tokens_.size() - 1 ? at_++ : at_].text; }
    bool take_if(std::string_view text) {
        if (!is(text)) return false;
        ++at_;
        return true;
    }
    void expect(std::string_view text) {
        if (!take_if(text))
            throw Unsupported("\"" + next().text + "\" where \"" + std::string(text) + "\" should be", next().line);
    }
    uint64_t number() { return strtoull(take().c_str(), nullptr, 0); }
    void skip_line() {
        const uint32_t line = next().line;
        while (next().line == line && !next().text.empty()) ++at_;
    }
    void skip_to(std::string_view text) {
        while (!take_if(text) && !next().text.empty()) ++at_;
    }

    bool begins_a_function() const {
        for (size_t i = at_; !tokens_[i].text.empty() && tokens_[i].text != ";" && tokens_[i].text != "{"; ++i)
            if (tokens_[i].text == ".func" || tokens_[i].text == ".entry") return true;
        return false;
    }

    Type type(const std::string& word) {
        const auto found = type_of(std::string_view(word).substr(1));
        if (!found) throw Unsupported("the type " + word, next().line);
        return *found;
    }

    // `.shared .align 16 .b8 name[64] = {…}`, `.param .u64 .ptr .global .align 4 name`
    Variable variable() {
        Variable v;
        v.line = next().line;
        bool has_type = false;
        while (next().text.starts_with('.')) {
            const std::string word = take();
            if (word == ".align") v.alignment = uint32_t(number());
            else if (word == ".ptr") v.is_pointer = true;
            else if (v.space.empty() && (word == ".param" || word == ".shared" || word == ".local" ||
                                         word == ".global" || word == ".const"))
                v.space = word.substr(1);
            else if (word == ".visible" || word == ".extern" || word == ".weak" || word == ".common" || has_type)
                continue;
            else {
                v.type = type(word);
                has_type = true;
            }
        }
        if (v.space.empty() || !has_type) throw Unsupported("the declaration of " + next().text, v.line);
        v.alignment = std::max(v.alignment, bytes_of(v.type));
        v.name = take();
        if (take_if("[")) {
            v.sized_by_launch = is("]");
            v.count = v.sized_by_launch ? 0 : uint32_t(number());
            expect("]");
        }
        if (take_if("=")) {
            const bool braces = take_if("{");
            do v.values.push_back((take_if("-") ? "-" : "") + take());
            while (take_if(","));
            if (braces) expect("}");
        }
        return v;
    }

    std::vector<Variable> variables_in_parentheses() {
        std::vector<Variable> found;
        if (!take_if("(")) return found;
        while (!take_if(")")) {
            found.push_back(variable());
            take_if(",");
        }
        return found;
    }

    void function(Module& module) {
        Function f;
        f.line = next().line;
        while (is_one_of({".visible", ".extern", ".weak"})) take();
        f.is_kernel = take() == ".entry";
        f.results = variables_in_parentheses();
        f.name = take();
        f.parameters = variables_in_parentheses();
        while (!is("{") && !is(";") && !next().text.empty()) {
            const std::string directive = take();
            if (directive != ".maxntid" && directive != ".reqntid") continue;
            f.max_threads = 1;
            do f.max_threads *= uint32_t(number());
            while (take_if(","));
        }
        if (take_if(";")) return;   // declared only
        expect("{");
        scopes_ = 0;
        body(f, {});
        module.functions.push_back(std::move(f));
    }

    // Up to the closing brace. What an inner scope declares gets a name of its own.
    void body(Function& f, Names names) {
        if (scopes_ > 0) declare(names);
        while (!take_if("}")) {
            if (next().text.empty()) throw Unsupported("the end of the text in a function", next().line);
            if (take_if("{")) {
                ++scopes_;
                body(f, names);
            } else {
                statement(f, names);
            }
        }
    }

    // Finds the names that a scope declares before it is read: labels may be used before they are declared.
    void declare(Names& names) {
        const std::string suffix = "@" + std::to_string(scopes_);
        int depth = 0;
        for (size_t i = at_; depth >= 0 && !tokens_[i].text.empty(); ++i) {
            const std::string& text = tokens_[i].text;
            depth += text == "{" ? 1 : text == "}" ? -1 : 0;
            if (depth != 0) continue;
            if (tokens_[i + 1].text == ":") names[text] = text + suffix;
            if (text != ".reg" && text != ".param" && text != ".local" && text != ".shared") continue;
            for (++i; tokens_[i].text != ";"; ++i)
                if (!tokens_[i].text.starts_with('.') && !isdigit((unsigned char)tokens_[i].text[0]) &&
                    isalnum_or_sign(tokens_[i].text))
                    names[tokens_[i].text] = tokens_[i].text + suffix;
        }
    }
    static bool isalnum_or_sign(const std::string& text) { return text.size() > 1 || isalnum((unsigned char)text[0]); }

    static std::string renamed(const std::string& name, const Names& names) {
        const auto found = names.find(name);
        return found == names.end() ? name : found->second;
    }

    void statement(Function& f, const Names& names) {
        const uint32_t line = next().line;
        if (take_if(".reg")) {
            const Type kind = type(take());
            do {
                const std::string name = take();
                f.registers[renamed(name, names)] = kind;
                if (take_if("<")) skip_to(">");
            } while (take_if(","));
            expect(";");
        } else if (is_one_of({".loc", ".pragma", ".file"})) {
            is(".pragma") ? skip_to(";") : skip_line();
        } else if (take_if(".branchtargets")) {
            auto& targets = f.targets[last_label_];
            do targets.push_back(renamed(take(), names));
            while (take_if(","));
            expect(";");
        } else if (next().text.starts_with('.')) {
            Variable v = variable();
            v.name = renamed(v.name, names);
            f.variables.push_back(std::move(v));
            expect(";");
        } else if (tokens_[at_ + 1].text == ":") {
            last_label_ = renamed(take(), names);
            expect(":");
            f.body.push_back(Label{line, last_label_});
        } else {
            f.body.push_back(instruction(names));
        }
    }

    Instruction instruction(const Names& names) {
        Instruction i;
        i.line = next().line;
        if (take_if("@")) {
            i.guard.negated = take_if("!");
            i.guard.word = renamed(take(), names);
        }
        const std::string opcode = take();
        for (size_t start = 0; start <= opcode.size();) {
            const size_t end = std::min(opcode.find('.', start), opcode.size());
            std::string part = opcode.substr(start, end - start);
            // .shared::cta is .shared, and hints for caches change no result.
            if (part.ends_with("::cluster")) throw Unsupported("clusters: " + opcode, i.line);
            part = part.substr(0, part.find("::"));
            if (start == 0) i.name = part;
            else i.qualifiers.push_back(part);
            start = end + 1;
        }
        while (!take_if(";")) {
            if (next().text.empty()) throw Unsupported("the end of the text in an instruction", i.line);
            i.operands.push_back(operand(names));
            take_if(",");
        }
        return i;
    }

    Operand operand(const Names& names) {
        Operand o;
        for (const char* brackets : {"{}", "()"}) {
            if (!take_if(std::string_view(brackets, 1))) continue;
            o.kind = Operand::Kind::List;
            while (!take_if(std::string_view(brackets + 1, 1))) {
                o.list.push_back(operand(names));
                take_if(",");
            }
            return o;
        }
        const bool bracket = take_if("[");
        o.kind = bracket ? Operand::Kind::Address : Operand::Kind::Word;
        o.negated = take_if("!");
        const bool minus = take_if("-");
        o.word = renamed(take(), names);
        if (minus) o.word = "-" + o.word;
        while (take_if("+")) {
            const bool negative = take_if("-");
            const auto by = int64_t(number());
            o.offset += negative ? -by : by;
        }
        if (bracket) expect("]");
        if (!take_if("|")) return o;
        Operand second = operand(names);
        return {Operand::Kind::List, {}, false, 0, {o, second}};
    }

    std::vector<Token> tokens_;
    size_t at_ = 0;
    int scopes_ = 0;
    std::string last_label_;
};

}  // namespace

Module parse(const std::string& text) { return Parser(text).parse(); }

}  // namespace gpu::ptx
