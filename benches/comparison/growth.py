"""How the cost of a build grows with the number of packages."""

import os
import shutil
import subprocess

from comparison.measuring import notes, run
from comparison.peers import CHECKOUT, SUITE, description, set_aside

# Approximate numbers of installed packages.
SIZES = (100, 400, 1600)
# Maximum growth of the cost of a package from the smallest system to the largest.
ALLOWED = 1.1
KIWI = CHECKOUT / "target/release/kiwi"


def libraries():
    """Returns Perl libraries of the archive, each after its dependencies: the first N can always be installed together."""
    known = {"perl", "perl-base", "libc6"}
    waiting = {name: depends for name, depends in perl_libraries()}
    chosen = []
    while True:
        ready = sorted(name for name, depends in waiting.items() if depends <= known)
        if not ready:
            return chosen
        for name in ready:
            del waiting[name]
        known.update(ready)
        chosen.extend(ready)


def perl_libraries():
    """Returns Perl libraries without conflicts and their dependencies: the first one of each alternative."""
    text = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True).stdout
    for paragraph in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != " ")
        name = fields.get("Package", "")
        if not (name.startswith("lib") and name.endswith("-perl")) or fields.keys() & {"Conflicts", "Breaks"}:
            continue
        depends = ", ".join(fields[field] for field in ("Pre-Depends", "Depends") if field in fields)
        names = {word.split("|")[0].split("(")[0].strip().split(":")[0] for word in depends.split(",")}
        yield name, {word for word in names if word and not word.startswith("perlapi-")}


def growth(work):
    """Prepares and creates systems of growing size; packages are fetched before."""
    names = libraries()
    # A directory on disk, because writes to it are measured.
    store = work / "growth-store"
    environment = dict(os.environ, KIWI_CACHE=str(store))
    print("\n| packages installed | tree MB | prepare wall s | CPU s | create wall s | CPU s | memory MB | CPU s per 100 packages |")
    print("|---|---|---|---|---|---|---|---|")
    costs = []
    for size in SIZES:
        directory, tree, images = (work / f"growth-{part}-{size}" for part in ("description", "tree", "images"))
        images.mkdir()
        # The smallest system has about a hundred without any of them.
        description(directory, ["less", "perl", *names[: size - SIZES[0]]], '<type image="squashfs"/>')
        try:
            for _ in range(2):
                set_aside(tree)
                shutil.rmtree(store / "stages", ignore_errors=True)
                prepare = run([str(KIWI), "prepare", str(directory), "--root", str(tree)], env=environment)
            create = run([str(KIWI), "create", str(tree), "--destdir", str(images)], env=environment)
        except RuntimeError as error:
            notes.append(f"growth at {size} packages of {SUITE} could not be measured: {str(error)[-600:]}")
            print(f"| about {size} | not measured | | | | | | |")
            continue
        installed = (tree / "image/packages").read_text().count("\n")
        words = ["du", "-sm", tree]
        megabytes = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[0]
        costs.append((prepare["cpu"] + create["cpu"]) / installed * 100)
        print(
            f"| {installed} | {megabytes} | {prepare['wall']:.1f} | {prepare['cpu']:.1f} | {create['wall']:.1f} |"
            f" {create['cpu']:.1f} | {max(prepare['own'], create['own'])} | {costs[-1]:.2f} |",
            flush=True,
        )
    if len(costs) == len(SIZES):
        grown = max(costs[1:]) / costs[0]
        holds = "holds" if grown <= ALLOWED else "**missed**"
        print(f"\nThe cost of a package grows by {grown:.2f} at most; {ALLOWED} is allowed: {holds}.")
