"""How the cost of a build grows with the number of packages."""

import os
import shutil
import subprocess

from comparison.measuring import notes, run
from comparison.peers import CHECKOUT, SUITE, description

# Packages that are installed, about.
SIZES = (100, 400, 1600)
# What the cost of a package may grow by from the smallest system to the largest.
ALLOWED = 1.1
KIWI = CHECKOUT / "target/release/kiwi"


def libraries():
    """Names of the archive's Perl libraries: many small packages that can all be installed at once."""
    words = ["apt-cache", "pkgnames", "lib"]
    names = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    return sorted(name for name in names if name.endswith("-perl"))


def growth(work):
    """Prepares and creates larger and larger systems; packages are fetched before."""
    names = libraries()
    # Beside the disk: what lies there is what is measured.
    store = work / "growth-store"
    environment = dict(os.environ, KIWI_CACHE=str(store))
    print("\n| packages installed | tree MB | prepare wall s | CPU s | create wall s | CPU s | memory MB | CPU s per 100 packages |")
    print("|---|---|---|---|---|---|---|---|")
    costs = []
    for size in SIZES:
        folder, tree, images = (work / f"growth-{part}-{size}" for part in ("description", "tree", "images"))
        images.mkdir()
        # The smallest system has about a hundred; one in six comes along by dependency.
        wanted = names[: max(size - SIZES[0], 0) * 5 // 6]
        description(folder, ["less", *wanted], '<type image="squashfs"/>')
        try:
            for _ in range(2):
                shutil.rmtree(tree, ignore_errors=True)
                shutil.rmtree(store / "stages", ignore_errors=True)
                prepare = run([str(KIWI), "prepare", str(folder), "--root", str(tree)], env=environment)
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
        shutil.rmtree(tree, ignore_errors=True)
    if len(costs) == len(SIZES):
        grown = max(costs[1:]) / costs[0]
        holds = "holds" if grown <= ALLOWED else "**missed**"
        print(f"\nThe cost of a package grows by {grown:.2f} at most; {ALLOWED} is allowed: {holds}.")
