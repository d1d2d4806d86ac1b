"""Every PTX as the driver compiles it: seconds, and each kernel's registers and local memory beside the budget."""

import tomllib


def run(context):
    gpu = context.device()
    budgets = tomllib.loads((context.folder / "budget.toml").read_text())
    column = 0 if gpu.capability < (8, 0) else 1 if gpu.capability < (9, 0) else 2
    files = sorted(path.relative_to(context.ptx).with_suffix("") for path in context.ptx.rglob("*.ptx"))
    result = {"files": {}, "over": [], "seconds": 0.0}
    # The program's own first.
    for file in sorted(map(str, files), key=lambda name: (name not in budgets, name)):
        try:
            seconds, kernels = gpu.module(file).seconds, {}
            for name in gpu.names(file):
                kernel, budget = gpu.kernel(file, name), budgets.get(file, {}).get(name, {})
                registers, local = budget.get("registers", [255] * 3)[column], budget.get("stack", 0)
                kernels[name] = {"registers": kernel.registers, "local": kernel.local, "shared": kernel.shared, "budget": registers}
                if kernel.registers > registers or kernel.local > local:
                    used = f"{kernel.registers} registers of {registers}, {kernel.local} bytes of local memory of {local}"
                    result["over"].append(f"{name}: {used}")
        except Exception as error:
            result["files"][file] = {"error": str(error)}
            context.fail(f"{file}: {error}")
            continue
        result["files"][file] = {"seconds": round(seconds, 4), "kernels": kernels}
        if file in budgets:
            result["seconds"] = round(result["seconds"] + seconds, 4)
        most = max(kernel["registers"] for kernel in kernels.values())
        context.say(f"{file:14} {1000 * seconds:8.1f} ms, {len(kernels):2} kernels, at most {most} registers")
        context.save(result)
    for line in result["over"]:
        context.say(f"OVER BUDGET {line}")
    context.say(f"the program's PTX: {result['seconds']:.2f} s, if the driver has compiled none of it before")
    return result
