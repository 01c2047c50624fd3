"""Opens the page of `auricle evaluate --events --report` in headless Chromium, with an hour of sound, as wide as a desktop and
as a phone: no message in the console, nothing wider than the window, events where they should be, a press plays them.

    python Tests/Robustness/event_page.py .build/release/auricle [--screenshots FOLDER]

Needs chromium, and numpy, soundfile and websocket-client from PyPI.
"""

import argparse
import base64
import json
import pathlib
import random
import subprocess
import tempfile
import time
import urllib.request

import numpy
import soundfile
import websocket

PORT = 9334
parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--screenshots", type=pathlib.Path)
options = parser.parse_args()


class Browser:
    def __init__(self):
        self.process = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", f"--remote-debugging-port={PORT}",
             "--autoplay-policy=no-user-gesture-required", "--remote-allow-origins=*", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(120):
            try:
                tabs = json.load(urllib.request.urlopen(f"http://localhost:{PORT}/json"))
                break
            except OSError:
                time.sleep(0.5)
        page = next(tab for tab in tabs if tab["type"] == "page")
        self.socket = websocket.create_connection(page["webSocketDebuggerUrl"], timeout=120)
        self.count = 0
        self.messages = []
        for domain in ("Runtime", "Log", "Page"):
            self.call(domain + ".enable")

    def call(self, method, **parameters):
        self.count += 1
        self.socket.send(json.dumps({"id": self.count, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == self.count:
                return answer.get("result", answer)
            if answer.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"):
                self.messages.append(answer)

    def run(self, script):
        return self.call("Runtime.evaluate", expression=script, returnByValue=True).get("result", {}).get("value")

    def wait(self, script, seconds=60):
        end = time.time() + seconds
        while not self.run(script):
            assert time.time() < end, f"never true: {script}"
            time.sleep(0.2)


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    draw = random.Random(1)
    numbers = numpy.random.default_rng(1)
    sound = 0.003 * numbers.standard_normal(3600 * 16_000).astype("float32")
    truth, found = [], []
    for second in range(5, 3590, 3):
        label = draw.choice(["yes", "no", "</script><b>&amp;"])
        truth.append(f'{second},{second + 0.6},"{label}"')
        sound[second * 16_000 : second * 16_000 + 9_600] += 0.1 * numpy.sin(numpy.arange(9_600) * draw.uniform(0.1, 1))
        if draw.random() < 0.9:
            found.append(f'{second + 0.1},{second + 0.7},"{label if draw.random() < 0.9 else "no"}",0.9')
        if draw.random() < 0.1:
            found.append(f'{second + 1.5},{second + 1.9},yes,0.6')
    soundfile.write(folder / "hour.flac", sound, 16_000)
    (folder / "truth.csv").write_text("\n".join(["start,end,label", *truth]) + "\n")
    (folder / "found.csv").write_text("\n".join(["start,end,label,probability", *found]) + "\n")
    begin = time.time()
    subprocess.run(
        [options.program, "evaluate", "--events", "truth.csv", "found.csv", "--collar", "0.5", "--onset-only", "--report",
         "page.html", "--audio", "hour.flac"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    size = (folder / "page.html").stat().st_size
    print(f"an hour, {len(truth)} and {len(found)} events: {size / 1e6:.1f} MB in {time.time() - begin:.1f} s")

    browser = Browser()
    try:
        for width, height, device in ((1280, 900, "desktop"), (375, 760, "phone")):
            browser.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                         mobile=width < 500)
            begin = time.time()
            browser.call("Page.navigate", url=f"file://{folder}/page.html")
            browser.wait("document.readyState === 'complete' && views.length === 1")
            loaded = time.time() - begin
            assert browser.run("document.documentElement.scrollWidth") <= width
            browser.run("views[0].show(1800)")
            browser.wait("document.querySelectorAll('.event').length > 3")
            seen = browser.run("[...document.querySelectorAll('.event')].map(e => e.offsetLeft / views[0].zoom)")
            assert all(1780 < second < 1840 for second in seen), seen
            browser.run("views[0].timeline.scrollIntoView({ block: 'center' })")
            time.sleep(0.5)
            if options.screenshots:
                options.screenshots.mkdir(parents=True, exist_ok=True)
                picture = base64.b64decode(browser.call("Page.captureScreenshot", format="png")["data"])
                (options.screenshots / f"events-{device}.png").write_bytes(picture)
            browser.run("document.querySelector('.event').click()")
            browser.wait("views[0].audio.currentTime > 1780 && views[0].audio.paused && !views[0].playing")
            assert browser.run("views[0].audio.error") is None
            browser.run("views[0].setZoom(0.01)")
            assert abs(browser.run("views[0].timeline.scrollWidth - views[0].timeline.clientWidth")) <= 2
            print(f"{device}: loaded in {loaded:.1f} s, plays, and shows the hour at once")
        assert not browser.messages, browser.messages
    finally:
        browser.process.terminate()
