"""What a check found, as text."""


def lines(report):
    parts = report["parts"]
    yield ""
    for name, part in parts.items():
        what = "; ".join(part.get("failures", [])[:3])
        yield f"{name:28} {part['state']:22} {part.get('seconds', 0):7.1f} s  {what}"

    def result(name):
        found = parts.get(name, {}).get("result")
        return found if isinstance(found, dict | list) else {}

    ceilings, theirs = result("ceilings"), result("torch operations")
    peaks, copy = ceilings.get("peaks", {}), ceilings.get("device", {}).get("copy")
    if ceilings:
        yield ""
        yield f"ceilings: copy {copy} GB/s; " + ", ".join(f"{name} {rate} TFLOP/s" for name, rate in peaks.items())
        for kind, rates in ceilings.get("host", {}).items():
            yield f"host to device, {kind}: " + ", ".join(f"{name} {rate} GB/s" for name, rate in rates.items())
    yield from layers(result("times of convolutions"), peaks.get("fma"), theirs.get("layers", {}))
    yield from operations(result("times of operations"), copy, theirs.get("operations", {}))
    rows = result("torch steps") or []
    rows = [*rows, *(result("torch compiled") or [])]
    if rows:
        yield ""
        yield f"{'PyTorch, whole steps':52} {'ms':>9} {'images/s':>9}"
        for row in rows:
            best = min(row["ms"], row["ms in a row"])
            yield f"{row['network']:18} {row['batch']:4}  {row['mode']:27} {best:9.3f} {row['images/s']:9}"


def share(rate, ceiling):
    return f"{100 * rate / ceiling:3.0f} %" if ceiling else "    –"


def microseconds(times):
    return " ".join(f"{name} {us:.1f}" for name, us in times.items())


def ratio(us, times):
    return f"{min(times.values()) / us:5.2f}" if times else "    –"


def layers(ours, fma, theirs):
    if ours:
        yield ""
        yield f"{'layer':30} {'µs':>9} {'TFLOP/s':>8} {'of FMA':>6} {'best tile':24} PyTorch µs, and its f32 / ours"
    for name, found in ours.items():
        best, times = found["tiles"][0], theirs.get(name, {})
        tile = f"{best['tile']} in {best['parts']}"
        f32 = {"f32": times["f32"]} if "f32" in times else {}
        line = f"{name:30} {best['µs']:9.1f} {found['TFLOP/s']:8.1f} {share(found['TFLOP/s'], fma):>6} {tile:24}"
        yield f"{line} {ratio(best['µs'], f32)}  {microseconds(times)}"


def operations(ours, copy, theirs):
    if ours:
        yield ""
        yield f"{'operation':34} {'µs':>9} {'GB/s':>8} {'of a copy':>9}  PyTorch's best / ours, its µs"
    for name, found in ours.items():
        times = theirs.get(name, {})
        line = f"{name:34} {found['µs']:9.1f} {found['GB/s']:8.1f} {share(found['GB/s'], copy):>9}"
        yield f"{line}  {ratio(found['µs'], times)}  {microseconds(times)}"
