"""Measures runs over very many files on this machine: time to the first answer, throughput, memory; whole, in shards, and
stopped and continued; and the merge of the parts.

    python3 Benchmarks/Fleet/scale.py .build/release/auricle --files 1000000 --answer 20000

Makes links to the fixtures in a temporary folder, lists them, and lets each run answer `--answer` files before it is stopped by SIGTERM; 0 lets it finish.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

FIXTURES = pathlib.Path(__file__).resolve().parent.parent.parent / "Fixtures"


def make_links(folder, count):
    sounds = [str(path) for path in sorted((FIXTURES / "digits").glob("*.wav"))]
    for index in range(count):
        if index % 1000 == 0:
            place = folder / f"{index // 1000:04}"
            place.mkdir(parents=True)
        os.symlink(sounds[index % len(sounds)], f"{place}/{index:07}.wav")


def peak(pid):
    """The most memory the process has had, in MB."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1000 if found else 0


def run(arguments, stop_after=0, part=None):
    """Seconds to the first row, in all, the rows, and the peak of memory."""
    start = time.monotonic()
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE if part is None else subprocess.DEVNULL,
                               stderr=subprocess.PIPE)
    first, memory, rows, stopped = None, 0, 0, False
    if part is None:
        for line in process.stdout:
            first = first or time.monotonic() - start
            rows += 1
            if rows % 256 == 0:
                memory = max(memory, peak(process.pid))
            if stop_after and rows == stop_after and not stopped:
                memory = max(memory, peak(process.pid))
                process.send_signal(signal.SIGTERM)
                stopped = True
        process.stderr.read()
    else:
        temporary = pathlib.Path(str(part) + ".part")
        while process.poll() is None:
            memory = max(memory, peak(process.pid))
            size = temporary.stat().st_size if temporary.exists() else 0
            if size and first is None:
                first = time.monotonic() - start
            # A row is some 320 bytes.
            if stop_after and size > 320 * stop_after and not stopped:
                process.send_signal(signal.SIGTERM)
                stopped = True
            time.sleep(0.01)
        process.stderr.read()
        for path in (temporary, pathlib.Path(part)):
            if path.exists():
                with open(path, "rb") as file:
                    rows = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    process.wait()
    return {"first": first, "seconds": time.monotonic() - start, "rows": rows, "memory": memory,
            "status": process.returncode}


def show(what, result):
    first = f"{result['first']:.2f}" if result["first"] is not None else "-"
    print(f"| {what} | {first} | {result['seconds']:.1f} | {result['rows']:,} | {result['memory']:.0f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("auricle", type=pathlib.Path)
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--answer", type=int, default=20_000)
    parser.add_argument("--folder", type=pathlib.Path, help="where the links are, or are to be, and stay")
    options = parser.parse_args()
    auricle = str(options.auricle.resolve())
    work = pathlib.Path(tempfile.mkdtemp())
    links = options.folder or work / "links"
    try:
        if not links.exists():
            make_links(links, options.files)
        listing = work / "list.txt"
        with open(listing, "w") as file:
            subprocess.run(["find", str(links), "-name", "*.wav"], stdout=file, check=True)
        print("| run | first row, s | in all, s | rows | memory, MB |\n|---|---|---|---|---|")
        classify = [auricle, "classify", "--errors-as-rows"]
        show("a folder", run([*classify, str(links)], options.answer))
        show("a list", run([*classify, "--files-from", str(listing)], options.answer))
        show("shard 37/100 of a list", run([*classify, "--files-from", str(listing), "--shard", "37/100"]))
        part = work / "part.jsonl"
        shard = [*classify, "--files-from", str(listing), "--shard", "1/4", "-o", str(part)]
        show("shard 1/4, stopped", run(shard, options.answer, part))
        show("shard 1/4, continued and stopped", run(shard, 2 * options.answer, part))
        # A merge of a million rows: those of the files, made up.
        for shard in range(8):
            with open(work / f"m-{shard}.jsonl", "w") as file:
                for row in range(shard, options.files, 8):
                    file.write(json.dumps({"path": f"{links}/{row:07}.wav", "label": "7", "probability": 0.99,
                                           "shard": f"{shard + 1}/8", "row": row + 1}, separators=(",", ":")) + "\n")
        merged = work / "merged.jsonl"
        parts = [str(work / f"m-{shard}.jsonl") for shard in range(8)]
        show("merge of 8 parts", run([auricle, "merge", *parts, "-o", str(merged)], part=merged))
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
