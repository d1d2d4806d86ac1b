#include "qualifiers.h"
#include <set>
#include <sstream>

namespace gpu::ptx {
namespace {

#define ROUNDING "rn rm rp rz "
#define SCOPES "relaxed acquire release acq_rel weak volatile cta gpu sys "
#define SPACES "global shared local param const "
// Of caches, which are not there.
#define HINTS "ca cg cs lu cv wb wt nc L1 L2 "
#define COMPARISONS "eq ne lt le gt ge lo ls hi hs equ neu ltu leu gtu geu num nan and or xor ftz "
#define ATOMICS "add min max exch cas and or xor inc dec "

const std::map<std::string, const char*> KNOWN = {
    {"add", ROUNDING "ftz sat"},
    {"sub", ROUNDING "ftz sat"},
    {"mul", ROUNDING "ftz sat lo hi wide"},
    {"mad", ROUNDING "ftz sat lo hi wide"},
    {"fma", ROUNDING "ftz sat"},
    {"div", "rn approx full ftz"},
    {"rem", ""},
    {"rcp", "rn approx ftz"},
    {"sqrt", "rn approx ftz"},
    {"rsqrt", "approx ftz"},
    {"ex2", "approx ftz"},
    {"lg2", "approx ftz"},
    {"sin", "approx ftz"},
    {"cos", "approx ftz"},
    {"tanh", "approx"},
    {"neg", "ftz"},
    {"abs", "ftz"},
    {"min", "ftz NaN"},
    {"max", "ftz NaN"},
    {"copysign", ""},
    {"and", ""},
    {"or", ""},
    {"xor", ""},
    {"not", ""},
    {"shl", ""},
    {"shr", ""},
    {"shf", "l r wrap clamp"},
    {"bfe", ""},
    {"bfi", ""},
    {"brev", ""},
    {"clz", ""},
    {"popc", ""},
    {"prmt", ""},
    {"lop3", ""},
    {"bfind", "shiftamt"},
    {"dp4a", ""},
    {"setp", COMPARISONS},
    {"set", COMPARISONS},
    {"selp", ""},
    {"testp", "finite infinite number notanumber"},
    {"mov", ""},
    {"cvta", "to " SPACES},
    {"cvt", ROUNDING "rna rni rzi rmi rpi ftz sat"},
    {"ld", SPACES SCOPES HINTS "v2 v4"},
    {"ldu", "global v2 v4"},
    {"st", SPACES SCOPES HINTS "v2 v4"},
    {"atom", "global shared " SCOPES ATOMICS},
    {"red", "global shared " SCOPES ATOMICS},
    {"cp", "async shared global commit_group wait_group wait_all " HINTS},
    {"bar", "sync warp cta"},
    {"barrier", "sync aligned cta"},
    {"shfl", "sync up down bfly idx"},
    {"vote", "sync ballot any all"},
    {"match", "sync any"},
    {"redux", "sync add min max and or xor"},
    {"activemask", ""},
    {"mma", "sync aligned row col m16n8k4 m16n8k8 m16n8k16"},
    {"ldmatrix", "sync aligned m8n8 x1 x2 x4 trans shared"},
    {"bra", "uni"},
    {"brx", "idx uni"},
    {"ret", "uni"},
    {"exit", ""},
    {"trap", ""},
    {"call", "uni"},
};

// Instructions that do nothing here, whatever they say.
const std::set<std::string> WITHOUT_EFFECT = {"membar", "fence", "prefetch", "prefetchu", "discard", "nanosleep"};

}  // namespace

void check_qualifiers(const Instruction& instruction) {
    if (WITHOUT_EFFECT.contains(instruction.name)) return;
    const auto found = KNOWN.find(instruction.name);
    if (found == KNOWN.end()) throw Unsupported("it is not known");
    for (const auto& qualifier : instruction.qualifiers) {
        if (type_of(qualifier)) continue;
        std::istringstream words(found->second);
        bool known = false;
        for (std::string word; words >> word;) known |= word == qualifier;
        if (!known) throw Unsupported("." + qualifier + " is not known");
    }
}

}  // namespace gpu::ptx
