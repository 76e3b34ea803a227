"""Runs commands and records their cost."""

import os
import resource
import statistics
import subprocess
import threading
import time
from pathlib import Path

# Rows by the name of the step, and notes for the reader of the report.
results = {}
notes = []


def say(text):
    """Prints a line about the progress."""
    print(f"==> {text}", flush=True)


def watch_kiwi(stop, peak):
    """Returns the memory of the largest process that runs kiwi, as the kernel recorded it."""
    while not stop.wait(0.05):
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                text = status.read_text()
            except OSError:
                continue
            if text.startswith("Name:\tkiwi\n"):
                for line in text.splitlines():
                    if line.startswith("VmHWM:"):
                        peak[0] = max(peak[0], int(line.split()[1]) // 1024)


def run(words, **options):
    """Runs a command and measures it with all its children."""
    peak, stop = [0], threading.Event()
    watcher = threading.Thread(target=watch_kiwi, args=(stop, peak))
    if Path(words[0]).name == "kiwi":
        watcher.start()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        start = time.time()
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **options)
        wall = time.time() - start
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = used.ru_utime + used.ru_stime
        line = f"{wall} {cpu} {used.ru_oublock * 512 / 1e6} {used.ru_maxrss // 1024} {done.returncode}\n"
        os.write(writer, line.encode() + done.stdout[-3000:])
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        head, _, tail = pipe.read().partition(b"\n")
    os.waitpid(child, 0)
    stop.set()
    if watcher.ident:
        watcher.join()
    wall, cpu, written, memory, code = map(float, head.split())
    if code != 0:
        raise RuntimeError(f"{' '.join(map(str, words))}\n{tail.decode(errors='replace')}")
    return {"wall": wall, "cpu": cpu, "written": written, "memory": memory, "own": peak[0]}


def measure(name, *words, **options):
    """Runs a command as the step `name`."""
    row = run(list(map(str, words)), **options)
    results.setdefault(name, []).append(row)
    print(f"    {name}: {results[name][-1]['wall']:.1f} s", flush=True)


def median(name, what):
    """Returns the medians of all runs of a step."""
    return statistics.median(row[what] for row in results[name])
