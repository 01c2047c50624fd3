"""Opens HTML reports in headless Chromium: no message in the console, no network, clicks and keys work, sizes hold.

    python browser_test.py .build/release/auricle [--only CASE] [--screenshots FOLDER]

Needs chromium and chromedriver (Debian: chromium, chromium-driver) and the Python package selenium. Reports are made
from predictions written here: 2 classes and 100 files, 10 classes and the real fixtures with embedded sound, 100 classes
and 20,000 and 100,000 files, and labels and paths that try to break out of the page.
"""

import argparse
import json
import pathlib
import random
import shutil
import subprocess
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

fixtures = pathlib.Path(__file__).parents[2] / "Fixtures"
attack = "</script><b id=broken>&amp;'\"\u2028{{script}}"


def browser(width, height, theme):
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required",
                     "--host-resolver-rules=MAP * ~NOTFOUND"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": theme}, {"name": "prefers-reduced-motion", "value": "reduce"}]})
    return chrome


def simulate(path, labels, count, seed):
    chance = random.Random(seed)
    with open(path, "w") as file:
        for index in range(count):
            truth = chance.randrange(len(labels))
            weights = [chance.random() ** 4 for _ in labels]
            weights[truth] += chance.random() * 2
            total = sum(weights)
            label = max(range(len(labels)), key=weights.__getitem__)
            file.write(json.dumps({
                "path": f"recordings/session {index // 1000}/take#{index:06d} {labels[truth]}.wav", "truth": labels[truth],
                "label": labels[label], "probability": weights[label] / total,
                "probabilities": {name: round(weight / total, 6) for name, weight in zip(labels, weights)},
                "duration": 0.3 + chance.random(), "fields": {"speaker": f"speaker {index % 7}", "room": labels[0]}}) + "\n")


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def note(chrome):
    return chrome.find_element(By.ID, "file-note").text


def rows(chrome):
    return chrome.find_elements(By.CSS_SELECTOR, "#file-list tbody tr")


def finish(chrome):
    messages = [entry["message"] for entry in chrome.get_log("browser")]
    check(not messages, f"the console says {messages}")
    requests = [json.loads(entry["message"])["message"] for entry in chrome.get_log("performance")]
    addresses = [r["params"]["request"]["url"] for r in requests if r["method"] == "Network.requestWillBeSent"]
    remote = [address for address in addresses if not address.startswith(("file:", "data:"))]
    check(not remote, f"it asked the network for {remote}")
    chrome.quit()


def common(chrome, classes, files):
    """What holds for every report."""
    width = chrome.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
    check(width[0] <= width[1], f"the page is {width[0]} wide in a window of {width[1]}")
    check(chrome.find_element(By.ID, "accuracy").text.endswith("%"), "no accuracy")
    cells = chrome.find_elements(By.CSS_SELECTOR, "#matrix tbody td")
    check(len(cells) == classes * classes, f"{len(cells)} cells for {classes} classes")
    check(note(chrome) == f"{files:,} files", f"'{note(chrome)}' for {files} files")
    unnamed = chrome.execute_script(
        "return [...document.querySelectorAll('button, select, input, audio, svg, canvas')]"
        ".filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length)).length")
    check(unnamed == 0, f"{unnamed} controls without a name")
    tree = [node for node in chrome.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"] if not node.get("ignored")]
    role = lambda *names: [node for node in tree if node["role"]["value"] in names]
    check(len(role("gridcell")) == len(cells) and all(node["name"]["value"] for node in role("gridcell")), "a cell without a name")
    check(len(role("rowheader")) >= classes and len(role("columnheader")) >= classes, "a matrix without headers")
    listed = chrome.find_elements(By.CSS_SELECTOR, "#file-list td")
    check(len(role("cell")) >= len(listed) > 0, "the files are no table to a screen reader")
    check(all(node.get("name", {}).get("value") for node in role("image", "button", "combobox", "searchbox", "slider", "link")),
          "something to see or to use has no name")
    ids = chrome.execute_script("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    check(len(ids) == len(set(ids)), "an id stands twice")


def clicks(chrome, files):
    """Cells by mouse and keyboard, filters, pages, threshold, theme."""
    wrong = chrome.find_elements(By.CSS_SELECTOR, "#matrix td.wrong")
    cell = wrong[0]
    count = int(cell.text) if cell.text else None
    truth, predicted = cell.get_attribute("data-row"), cell.get_attribute("data-column")
    # From the far end: the names, which stay in view, must not cover the cell.
    covers = chrome.execute_script("""
        const cell = arguments[0];
        cell.closest(".scroll").scrollLeft = 1e6;
        scrollTo(0, 1e6);
        cell.scrollIntoView({ block: "nearest", inline: "nearest" });
        const box = cell.getBoundingClientRect();
        return [[box.left + 1, box.top + 1], [box.right - 1, box.bottom - 1]]
          .map(([x, y]) => document.elementFromPoint(x, y)).filter((e) => e !== cell).map((e) => e?.outerHTML ?? "nothing")""", cell)
    check(not covers, f"a cell is covered by {covers}")
    cell.click()
    check(" taken for " in note(chrome), f"after the click on a cell: '{note(chrome)}'")
    if count is not None:
        check(note(chrome).endswith(f": {count} file" + ("" if count == 1 else "s")), f"{note(chrome)} for {count}")
        check(len(rows(chrome)) == min(12, count), f"{len(rows(chrome))} rows for {count} files")
    check(len(chrome.find_elements(By.CSS_SELECTOR, "#file-list audio")) == len(rows(chrome)), "a row without player")
    check(chrome.switch_to.active_element.get_attribute("id") == "files-title", "the focus is not at the files")
    chosen = chrome.find_element(By.CSS_SELECTOR, "#matrix td.chosen")
    check((chosen.get_attribute("data-row"), chosen.get_attribute("data-column")) == (truth, predicted), "another cell is chosen")
    check(chosen.get_attribute("tabindex") == "0", "the tab key does not come back to the chosen cell")
    chrome.find_element(By.ID, "file-clear").click()
    check(note(chrome) == f"{files:,} files", "the filter stays")
    check(not chrome.find_elements(By.CSS_SELECTOR, "#matrix td.chosen"), "the cell stays chosen")
    check(chrome.switch_to.active_element.get_attribute("id") == "files-title", "the focus is lost with the button")

    chrome.execute_script("document.querySelector('#matrix tbody td').focus()")
    check(chrome.find_element(By.ID, "matrix-note").text, "no note for the first cell")
    chrome.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    chrome.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    check(chrome.execute_script("return [document.activeElement.cellIndex, document.activeElement.parentElement.rowIndex]")
          == [2, 2], "arrow keys do not move")
    chrome.switch_to.active_element.send_keys(Keys.ENTER)
    check("rightly heard" in note(chrome), "Enter does not choose")
    chrome.find_element(By.ID, "file-clear").click()

    before = chrome.find_element(By.CSS_SELECTOR, "#matrix tbody td").text
    Select(chrome.find_element(By.ID, "matrix-values")).select_by_value("truth")
    after = chrome.find_element(By.CSS_SELECTOR, "#matrix tbody td").text
    check(before == "" or before != after, "shares look like counts")
    for order in ("class", "support", "confusion"):
        Select(chrome.find_element(By.ID, "matrix-order")).select_by_value(order)

    Select(chrome.find_element(By.ID, "file-kind")).select_by_value("wrong")
    mistakes = int(note(chrome).split()[0].replace(",", ""))
    check(0 < mistakes < files, f"{mistakes} mistakes")
    check(not chrome.find_elements(By.CSS_SELECTOR, "#file-list .answer .yes"), "right answers among the wrong")
    chrome.find_element(By.ID, "file-clear").click()
    check("wrong" in rows(chrome)[0].find_element(By.CLASS_NAME, "answer").text, "mistakes do not come first")
    first = rows(chrome)[0].text
    chrome.find_element(By.ID, "page-next").click()
    check(rows(chrome)[0].text != first, "the next page is the same")
    chrome.find_element(By.ID, "page-last").click()
    pages = -(-files // 12)
    check(chrome.find_element(By.ID, "page-note").text == f"Page {pages:,} of {pages:,}", "not on the last page")
    check(not chrome.find_element(By.ID, "page-next").is_enabled(), "a page follows the last")
    check(chrome.switch_to.active_element.get_attribute("id") == "page-back", "the focus is lost on the last page")

    answered = lambda: chrome.find_element(By.CSS_SELECTOR, "#threshold-tiles dd").text
    check(answered() == "100.0%", "not everything is answered at first")
    chrome.execute_script("const s = document.getElementById('threshold'); s.value = 0.9; s.dispatchEvent(new Event('input'))")
    check(answered() != "100.0%", "the threshold does nothing")
    chrome.execute_script("const s = document.getElementById('threshold'); s.value = 1; s.dispatchEvent(new Event('input'))")

    before = chrome.find_element(By.ID, "histogram").get_attribute("innerHTML")
    Select(chrome.find_element(By.ID, "histogram-class")).select_by_value("0")
    check(chrome.find_element(By.ID, "histogram").get_attribute("innerHTML") != before, "one class's scores look like all")

    group = chrome.find_elements(By.CSS_SELECTOR, ".group button")[0]
    wanted = group.find_element(By.CLASS_NAME, "value").text.split(" of ")[1]
    group.click()
    check(note(chrome).endswith(": " + wanted), f"'{note(chrome)}' for a group of {wanted}")
    chrome.find_element(By.ID, "file-clear").click()
    chrome.find_elements(By.CSS_SELECTOR, "#class-table thead button")[2].click()
    recalls = [float(cell.text) for cell in chrome.find_elements(By.CSS_SELECTOR, "#class-table tbody td:nth-of-type(2)")]
    check(recalls == sorted(recalls), "classes are not sorted by recall")

    color = lambda: chrome.execute_script("return getComputedStyle(document.body).backgroundColor")
    colors = []
    for _ in range(3):
        colors.append(color())
        chrome.find_element(By.ID, "theme").click()
    check(len(set(colors)) == 2 and color() == colors[0], f"themes are {colors}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--only", choices=["two", "fixtures", "hundred", "many", "attack"])
    parser.add_argument("--screenshots")
    arguments = parser.parse_args()
    program = str(pathlib.Path(arguments.program).resolve())

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)

        def report(name, *options):
            path = folder / f"{name}.html"
            subprocess.run([program, "evaluate", *options, "--report", path], check=True, cwd=folder, stdout=subprocess.DEVNULL)
            return path

        def simulated(name, labels, count):
            simulate(folder / f"{name}.jsonl", labels, count, seed=count)
            return report(name, "--from", f"{name}.jsonl", "--group-by", "speaker", "--group-by", "duration")

        hundred = [f"bird of kind {index}" for index in range(100)]
        # Made when their turn comes: name, classes, files, report.
        cases = [
            ("two", 2, 100, lambda: simulated("two", ["yes", "no"], 100)),
            ("fixtures", 10, 340, lambda: report(
                "fixtures", fixtures / "digits", "--label-pattern", "{label}_{voice}_{take}", "--embed-audio",
                "--group-by", "voice")),
            ("hundred", 100, 20_000, lambda: simulated("hundred", hundred, 20_000)),
            ("many", 100, 100_000, lambda: simulated("many", hundred, 100_000)),
            ("attack", 3, 60, lambda: simulated("attack", [attack, "__proto__", "<img src=x onerror=alert(1)>"], 60)),
        ]
        for name, classes, files, make in cases:
            if arguments.only not in (None, name):
                continue
            path = make()
            size = path.stat().st_size
            check(name == "fixtures" or size < 20e6, f"{name} is {size} bytes")
            for width, height in ((1280, 900), (390, 844)):
                for theme in ("light", "dark"):
                    chrome = browser(width, height, theme)
                    chrome.get(path.as_uri())
                    common(chrome, classes, files)
                    if arguments.screenshots:
                        high = chrome.execute_script("return document.documentElement.scrollHeight")
                        chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
                            "width": width, "height": min(high, 8000), "deviceScaleFactor": 1, "mobile": width < 500})
                        chrome.save_screenshot(f"{arguments.screenshots}/{name}-{width}-{theme}.png")
                        chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
                            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})
                    if name in ("two", "hundred", "many") and theme == "light":
                        clicks(chrome, files)
                    if name == "fixtures" and theme == "light":
                        check(len(chrome.find_elements(By.CSS_SELECTOR, "#file-list canvas")) == len(rows(chrome)), "no spectrogram")
                        check(chrome.find_element(By.TAG_NAME, "audio").get_attribute("src").startswith("data:audio/wav"), "no sound")
                        chrome.execute_script("document.querySelector('audio').play()")
                        WebDriverWait(chrome, 5).until(
                            lambda c: c.execute_script("return document.querySelector('audio').currentTime") > 0)
                        check(chrome.find_element(By.ID, "training").is_displayed(), "no learning curves")
                    if name == "attack":
                        check(not chrome.find_elements(By.ID, "broken"), "a label became an element")
                        check(not chrome.find_elements(By.TAG_NAME, "img"), "a label became an image")
                        shown = chrome.execute_script("return document.querySelector('#class-table').textContent")
                        check(attack[:20] in shown and "__proto__" in shown, f"labels are not shown as they are: {shown}")
                    finish(chrome)
            print(f"{name}: {classes} classes, {files} files, {size / 1e6:.2f} MB: good")


main()
