"""The qualifiers of each instruction that are known. One that is not known might change a result: it is an error."""

from .errors import Unsupported
from .scalars import SCALARS

ROUNDING = "rn rm rp rz"
SCOPES = "relaxed acquire release acq_rel weak volatile cta gpu sys"
SPACES = "global shared local param const"
# Of caches, which are not there.
HINTS = "ca cg cs lu cv wb wt nc L1 L2"
COMPARISONS = "eq ne lt le gt ge lo ls hi hs equ neu ltu leu gtu geu num nan and or xor ftz"

KNOWN = {
    "add": f"{ROUNDING} ftz sat", "sub": f"{ROUNDING} ftz sat", "mul": f"{ROUNDING} ftz sat lo hi wide",
    "mad": f"{ROUNDING} ftz sat lo hi wide", "fma": f"{ROUNDING} ftz sat",
    "div": "rn approx full ftz", "rem": "", "rcp": "rn approx ftz", "sqrt": "rn approx ftz", "rsqrt": "approx ftz",
    "ex2": "approx ftz", "lg2": "approx ftz", "sin": "approx ftz", "cos": "approx ftz", "tanh": "approx",
    "neg": "ftz", "abs": "ftz", "min": "ftz NaN", "max": "ftz NaN", "copysign": "",
    "and": "", "or": "", "xor": "", "not": "", "shl": "", "shr": "", "shf": "l r wrap clamp",
    "bfe": "", "bfi": "", "brev": "", "clz": "", "popc": "", "prmt": "", "lop3": "", "bfind": "shiftamt", "dp4a": "",
    "setp": COMPARISONS, "set": COMPARISONS, "selp": "", "testp": "finite infinite number notanumber",
    "mov": "", "cvta": f"to {SPACES}", "cvt": f"{ROUNDING} rna rni rzi rmi rpi ftz sat",
    "ld": f"{SPACES} {SCOPES} {HINTS} v2 v4", "ldu": "global v2 v4", "st": f"{SPACES} {SCOPES} {HINTS} v2 v4",
    "atom": f"global shared {SCOPES} add min max exch cas and or xor inc dec",
    "red": f"global shared {SCOPES} add min max and or xor inc dec",
    "cp": f"async shared global commit_group wait_group wait_all {HINTS}",
    "bar": "sync warp cta", "barrier": "sync aligned cta", "shfl": "sync up down bfly idx", "vote": "sync ballot any all",
    "match": "sync any", "redux": "sync add min max and or xor", "activemask": "",
    "mma": "sync aligned row col m16n8k4 m16n8k8 m16n8k16", "ldmatrix": "sync aligned m8n8 x1 x2 x4 trans shared",
    "bra": "uni", "brx": "idx uni", "ret": "uni", "exit": "", "trap": "", "call": "uni",
}
# Instructions that do nothing here, whatever they say.
WITHOUT_EFFECT = {"membar", "fence", "prefetch", "prefetchu", "discard", "nanosleep"}


def check(instruction):
    if instruction.name in WITHOUT_EFFECT:
        return
    if instruction.name not in KNOWN:
        raise Unsupported("it is not known")
    known = KNOWN[instruction.name].split()
    for qualifier in instruction.qualifiers:
        if qualifier not in known and qualifier not in SCALARS:
            raise Unsupported(f".{qualifier} is not known")
