#!/usr/bin/env python3
"""Opens the page of examples/browser in a headless Chromium, and holds what it shows to PyTorch's labels.

    tests/browser/page.py FOLDER [PICTURE]

FOLDER is the built page (`ci/browser-demo`), PICTURE where a picture of it, a JPEG, is to be written. Needs chromedriver with its
Chromium. SWITCHBACK_WEBDRIVER names another file of the browser's arguments, for a real GPU.
"""

import base64
import functools
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DIGITS = ROOT / "examples" / "digits"
# To the browser a page that is not from `localhost` and has no certificate is not secure, and gets no WebGPU.
INSECURE = "insecure.test"
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of an element's name, by WebDriver's standard

# The share of pixels that are painted as another picture is, black standing for not painted.
AGREEMENT = """
const [reference, done] = arguments;
const canvas = document.getElementById("labels");
const picture = new Image();
picture.onload = () => {
  const expected = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
  expected.drawImage(picture, 0, 0);
  const pixels = context => new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  const [found, wanted] = [pixels(canvas.getContext("2d")), pixels(expected)];
  const same = found.filter((pixel, i) => (pixel & 0xffffff) === (wanted[i] & 0xffffff)).length;
  done(picture.width === canvas.width && picture.height === canvas.height ? same / found.length : 0);
};
picture.src = "data:image/png;base64," + reference;
"""

# From now on: the longest time for which the page answered nobody.
WATCH = """
window.longest = 0;
let last = performance.now();
setInterval(() => { longest = Math.max(longest, performance.now() - last); last = performance.now(); }, 1);
"""


class Files(http.server.SimpleHTTPRequestHandler):
    """A server of files that says nothing."""

    def log_message(self, *_):
        pass


def serve(folder):
    """Serves a folder until the program ends; gives the port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


class Browser:
    """A session of chromedriver."""

    def __init__(self, driver):
        ports = (re.search(r"started successfully on port (\d+)", line) for line in driver.stdout)
        port = next(filter(None, ports))[1]
        self.url = f"http://127.0.0.1:{port}/session"
        arguments = os.environ.get("SWITCHBACK_WEBDRIVER", ROOT / "tests" / "browser" / "webdriver.json")
        capabilities = json.loads(Path(arguments).read_text())
        capabilities["goog:chromeOptions"]["args"] += [f"--host-resolver-rules=MAP {INSECURE} 127.0.0.1"]
        opened = self.call("POST", "", {"capabilities": {"alwaysMatch": capabilities}})
        self.url += "/" + opened["sessionId"]

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=300) as answer:
            return json.load(answer)["value"]

    def script(self, text, *arguments, kind="sync"):
        return self.call("POST", f"/execute/{kind}", {"script": text, "args": arguments})

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def find(self, selector):
        return self.call("POST", "/element", {"using": "css selector", "value": selector})[ELEMENT]

    def status(self):
        """What the page says once it is at rest: whether it failed, and the text."""
        for _ in range(600):
            text, busy, failed = self.script(
                'const status = document.getElementById("status"), failed = status.className === "failed";'
                'return [status.textContent, !failed && document.getElementById("choice").disabled, failed];'
            )
            if not busy:
                return failed, text
            time.sleep(0.1)
        raise SystemExit(f"page: still {text!r}")


def expect(condition, message):
    if not condition:
        raise SystemExit(f"page: {message}")


def check_scene(browser, scene, choose):
    choose()
    failed, text = browser.status()
    reference = base64.b64encode((DIGITS / f"scene-{scene}.pytorch.png").read_bytes()).decode()
    same = browser.script(AGREEMENT, reference, kind="async")
    longest = browser.script("return longest")
    print(f"scene {scene}: {same:.4%} as PyTorch; {text}; at most {longest:.0f} ms without an answer")
    expect(not failed and same > 0.999, f"scene {scene} is not as PyTorch has it")


def check(browser, port, picture):
    browser.open(f"http://{INSECURE}:{port}")
    failed, text = browser.status()
    expect(failed and "no GPU adapter" in text and "WebGPU" in text, f"without WebGPU it says {text!r}")

    browser.call("POST", "/window/rect", {"width": 640, "height": 920})
    browser.open(f"http://localhost:{port}")
    failed, text = browser.status()
    expect(not failed and text.startswith("on "), f"it says {text!r}")
    browser.script(WATCH)
    for scene in [5, 1, 6, 5]:  # small and large, and one again
        button = browser.find(f'button:has([alt="scene {scene}"])')
        check_scene(browser, scene, lambda: browser.call("POST", f"/element/{button}/click", {}))
    file = browser.find("#file")
    own = str(DIGITS / "scene-4.png")
    check_scene(browser, 4, lambda: browser.call("POST", f"/element/{file}/value", {"text": own}))
    if picture:
        form = {"format": "jpeg", "quality": 75}
        shot = browser.call("POST", "/goog/cdp/execute", {"cmd": "Page.captureScreenshot", "params": form})
        Path(picture).write_bytes(base64.b64decode(shot["data"]))


def main():
    folder, picture = [*sys.argv[1:], None][:2]
    driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
    browser = None
    try:
        browser = Browser(driver)
        check(browser, serve(folder), picture)
    finally:
        if browser:
            browser.call("DELETE", "")
        driver.terminate()


if __name__ == "__main__":
    main()
