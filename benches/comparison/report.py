"""Prints the measurements and the limits that must hold."""

from comparison.measuring import median, results
from comparison.peers import TYPES

# Step, the steps it is compared with (their sum), the columns, the maximum ratio.
RATIOS = [
    ("kiwi prepare", "NG prepare", ("wall", "cpu"), 0.15),
    ("kiwi prepare", "mmdebstrap", ("cpu",), 0.65),
    ("kiwi build", "NG prepare + NG create", ("wall", "cpu"), 0.15),
    ("kiwi build, config.sh changed", "NG prepare + NG create", ("wall", "cpu"), 0.04),
    ("kiwi build, the overlay changed", "NG prepare + NG create", ("wall", "cpu"), 0.04),
    ("kiwi build, a package added", "NG prepare + NG create", ("wall", "cpu"), 0.10),
    ("kiwi create oem", "NG create", ("wall",), 0.3),
    *((f"kiwi create {word}", bare, ("cpu",), 1.2) for word, (_, bare) in TYPES.items()),
]
NAMES = {"wall": "wall", "cpu": "CPU"}


def steps():
    """Returns the table of medians."""
    print("\n| step | wall s | CPU s | written MB | memory MB | runs |\n|---|---|---|---|---|---|")
    for name in results:
        own = median(name, "own")
        memory = f"{median(name, 'memory'):.0f}" + (f" ({own:.0f})" if own else "")
        columns = [f"{median(name, what):8.1f}" for what in ("wall", "cpu", "written")]
        print(f"| {name:32} |{' |'.join(columns)} | {memory:>12} | {len(results[name])} |")


def bounds(kiwi):
    """Returns the table of all limits."""
    print("\n| bound | measured | at most | |\n|---|---|---|---|")
    missed = 0
    for text, value, limit in [*ratios(), *figures(kiwi)]:
        if value is None:
            print(f"| {text} | not measured | {limit} | |")
            continue
        holds = value <= limit
        missed += not holds
        print(f"| {text} | {value:.3g} | {limit} | {'holds' if holds else '**missed**'} |")
    print(f"\n{missed} bounds are missed." if missed else "\nAll bounds that were measured hold.")


def ratios():
    """Compares one step with another one, or with the sum of several."""
    for one, others, columns, limit in RATIOS:
        names = others.split(" + ")
        measured = one in results and all(name in results for name in names)
        for what in columns:
            value = median(one, what) / sum(median(name, what) for name in names) if measured else None
            yield f"{NAMES[what]}: {one} / {others}", value, limit


def figures(kiwi):
    """Checks a step that has an absolute limit."""
    own = [name for name in results if name.startswith("kiwi ")]
    unchanged = "kiwi build, nothing changed"
    yield f"wall s: {unchanged}", median(unchanged, "wall") if unchanged in results else None, 1.0
    tree, image = kiwi.sizes()
    written = [("kiwi prepare", tree), ("kiwi create oem", image)]
    written += [(name, tree + image) for name in own if name.startswith("kiwi build")]
    for name, size in written:
        value = median(name, "written") * 1e6 / size if name in results else None
        yield f"bytes written: {name} / what it gives", value, 2.2
    yield "MB of memory: kiwi itself, in any step", max(row["own"] for name in own for row in results[name]), 200
    yield "CPU s: boot image from the system tree", kiwi.boot_image(), 0.5
