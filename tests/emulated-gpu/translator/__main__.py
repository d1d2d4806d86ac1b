"""usage: python3 -m translator IN.ptx OUT.cpp"""

import sys
from pathlib import Path

from .errors import Unsupported
from .module import translate

if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    try:
        target.write_text(translate(source.read_text()))
    except Unsupported as error:
        sys.exit(f"the PTX cannot be translated: {source}:{error}")
