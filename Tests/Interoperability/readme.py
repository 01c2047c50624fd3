"""Runs README's console blocks and compares what they print.

    python Tests/Interoperability/readme.py .build/release/auricle [--recordings FOLDER] [--verbose] [--update]

A block is ```console; a line that begins with `$ ` is a command (a backslash at its end continues it), what follows it is
what it prints, on standard output and standard error together. In that, a line `...` is any number of lines, and `...`
within a line any text; numbers may differ by two in their last digit, as they do between processors; and times and speeds
(`81.4 s`, `1133 a second`) are any.

A comment before a block says why it is not run: `<!-- needs recordings -->` (a folder of the Free Spoken Digit Dataset, with
--recordings), `<!-- needs a microphone -->`. Any other block is run, in an empty folder with a link to Fixtures. Blocks run
in order and may use what those before them wrote. Needs nothing but Python and bash.

With --update, numbers that have become others (of a new bundled model, say) are written into the README, also where they
stand outside a block; what differs in more than numbers is left to people.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parents[2]
number = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
time = re.compile(r"\d+(\.\d+)? s\b|\(\d+ a second\)|\d+ times real time")


def blocks(text):
    """(line, reason why it is not run or None, [(command, printed lines)])"""
    lines = text.split("\n")
    index = 0
    while index < len(lines):
        if lines[index] != "```console":
            index += 1
            continue
        before = lines[index - 1] if index else ""
        reason = re.fullmatch(r"<!-- needs (.*) -->", before)
        start, commands = index + 1, []
        index += 1
        while lines[index] != "```":
            if lines[index].startswith("$ "):
                command = lines[index][2:]
                while command.endswith("\\"):
                    index += 1
                    command += "\n" + lines[index]
                commands.append((command, []))
            else:
                commands[-1][1].append(lines[index])
            index += 1
        yield start, reason and reason[1], commands


def same_line(wanted, found):
    wanted, found = time.sub("TIME", wanted.rstrip()), time.sub("TIME", found.rstrip())
    if "..." in wanted:
        parts = wanted.split("...")
        # What stands between the dots must come in this order.
        place = 0
        for position, part in enumerate(parts):
            at = found.find(part, place) if position else (0 if found.startswith(part) else -1)
            if at < 0 and not number.search(part):
                return False
            if at < 0:
                return same_numbers(wanted, found, dots=True)
            place = at + len(part)
        return parts[-1] == "" or found.endswith(parts[-1])
    return same_numbers(wanted, found)


def same_numbers(wanted, found, dots=False):
    if dots:
        wanted, found = wanted.split("...")[0], found[: len(wanted.split("...")[0])]
    if number.sub("#", wanted) != number.sub("#", found):
        return False
    for a, b in zip(number.findall(wanted), number.findall(found)):
        digits = len(a.split(".")[1].split("e")[0]) if "." in a else 0
        # Whole numbers are counts.
        if a != b and (digits < 3 or abs(float(a) - float(b)) > 2.5 * 10**-digits):
            return False
    return True


def same(wanted, found):
    """Whether the lines agree, `...` being any number of them."""
    if not wanted:
        return not found
    if wanted[0].strip() == "...":
        return any(same(wanted[1:], found[count:]) for count in range(len(found) + 1))
    return bool(found) and same_line(wanted[0], found[0]) and same(wanted[1:], found[1:])


def trimmed(lines):
    lines = [line.rstrip() for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def renumbered(wanted, found):
    """`wanted` with the numbers of `found`, as many digits as are written before `...`; None where more differs."""
    shape = [number.sub("#", time.sub("TIME", part)) for part in wanted.split("...")]
    if number.sub("#", time.sub("TIME", found))[: len(shape[0])] != shape[0]:
        return None
    if len(shape) == 1 and number.sub("#", time.sub("TIME", found)) != shape[0]:
        return None
    times = [match.span() for match in time.finditer(wanted)]
    fresh = iter(number.findall(time.sub("TIME", found)))
    text, end = "", 0
    for match in number.finditer(wanted):
        if any(start <= match.start() < stop for start, stop in times):
            continue
        if wanted.startswith("...", match.end()):
            text += wanted[end: match.start()] + next(fresh)[: len(match[0])]
            end = match.end()
            break
        if "..." in wanted[: match.start()]:
            break
        text += wanted[end: match.start()] + next(fresh)
        end = match.end()
    return text + wanted[end:]


def updated(wanted, found):
    """The lines with new numbers; None where one is of another form."""
    result, place = [], 0
    for line in wanted:
        if line.strip() == "...":
            result.append(line)
            continue
        for index in range(place, len(found)):
            new = renumbered(line, found[index])
            if new is not None:
                result.append(new)
                place = index + 1
                break
        else:
            return None
    return result


def update(text, wanted, new):
    """README with the new lines, and long numbers of theirs replaced elsewhere."""
    text = text.replace("\n".join(wanted), "\n".join(new), 1)
    for a, b in zip(wanted, new):
        for old, fresh in zip(number.findall(a), number.findall(b)):
            if old != fresh and len(old) >= 5 and "." in old:
                text = re.sub(rf"(?<![\d.]){re.escape(old)}(?!\d)", fresh, text)
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--recordings", type=pathlib.Path)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()
    readme = root / "README.md"
    text = readme.read_text()
    run = skipped = wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"PATH": f"{folder}/.bin:{os.environ['PATH']}"}
        (pathlib.Path(folder) / ".bin").mkdir()
        (pathlib.Path(folder) / ".bin/auricle").symlink_to(arguments.program.resolve())
        (pathlib.Path(folder) / "Fixtures").symlink_to(root / "Fixtures")
        if arguments.recordings:
            (pathlib.Path(folder) / "recordings").symlink_to(arguments.recordings.resolve())
        for line, reason, commands in blocks(text):
            if reason and not (reason == "recordings" and arguments.recordings):
                skipped += 1
                continue
            for command, wanted in commands:
                done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=3600)
                run += 1
                found, wanted = trimmed(done.stdout.split("\n")), trimmed(wanted)
                new = updated(wanted, found) if arguments.update else None
                if new:
                    text = update(text, wanted, new)
                elif not same(wanted, found):
                    wrong += 1
                    print(f"README.md, line {line}: $ {command}\n  wanted:", *wanted, "  found:", *found, sep="\n    ")
                elif arguments.verbose:
                    print(f"line {line}: $ {command}: as written")
    if arguments.update:
        readme.write_text(text)
    print(f"README.md: {run} commands run, {wrong} print something else; {skipped} blocks not run here")
    sys.exit(bool(wrong) or run == 0)


if __name__ == "__main__":
    main()
