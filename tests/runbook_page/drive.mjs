// Drives a real browser through pages: `node drive.mjs FOLDER PAGE OTHER-PAGE` prints what it saw as one JSON text.
//
// It speaks the browser's own protocol over two pipes, so it needs no package and no port. It judges nothing: the test does.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [folder, page, other] = process.argv.slice(2);
const browser = spawn("chromium", ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
  "--host-resolver-rules=MAP * ~NOTFOUND", "--disable-background-networking", "--disable-component-update",
  `--user-data-dir=${join(folder, "profile")}`, "--remote-debugging-pipe", "about:blank"],
  { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"], env: { ...process.env, HOME: folder, TMPDIR: folder } });
const ended = new Promise((resolve) => browser.on("exit", resolve));
const waiting = new Map();
const listeners = new Set();
let last = 0;
let rest = "";
browser.stdio[4].on("data", (bytes) => {
  rest += bytes.toString();
  for (let end = rest.indexOf("\0"); end >= 0; end = rest.indexOf("\0")) {
    const message = JSON.parse(rest.slice(0, end));
    rest = rest.slice(end + 1);
    const promise = waiting.get(message.id);
    waiting.delete(message.id);
    if (promise && message.error) promise.reject(new Error(message.error.message));
    else if (promise) promise.resolve(message.result);
    else for (const listener of listeners) listener(message);
  }
});
const call = (method, params = {}, sessionId = undefined) => new Promise((resolve, reject) => {
  last += 1;
  waiting.set(last, { resolve, reject });
  browser.stdio[3].write(JSON.stringify({ id: last, method, params, sessionId }) + "\0");
});
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const complaints = [];
// One tab. Every error, violated policy and request to elsewhere is kept.
async function tab() {
  const { targetId } = await call("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await call("Target.attachToTarget", { targetId, flatten: true });
  const send = (method, params) => call(method, params, sessionId);
  let loaded = () => {};
  listeners.add((message) => {
    if (message.sessionId !== sessionId) return;
    if (message.method === "Page.loadEventFired") loaded();
    if (message.method === "Page.javascriptDialogOpening") send("Page.handleJavaScriptDialog", { accept: true });
    if (message.method === "Log.entryAdded") complaints.push(message.params.entry.text);
    if (message.method === "Runtime.exceptionThrown") complaints.push(JSON.stringify(message.params.exceptionDetails));
    const url = message.method === "Network.requestWillBeSent" ? message.params.request.url : "file:";
    if (!/^(file|blob|data|about):/.test(url)) complaints.push(`request: ${url}`);
  });
  await send("Page.bringToFront");
  for (const domain of ["Page", "Runtime", "Log", "Network", "DOM"]) await send(`${domain}.enable`);
  const get = async (expression) => {
    const answer = await send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    if (answer.exceptionDetails) throw new Error(JSON.stringify(answer.exceptionDetails));
    return answer.result.value;
  };
  return {
    send,
    get,
    open: async (path) => {
      const done = new Promise((resolve) => { loaded = resolve; });
      await send("Page.navigate", { url: `file://${path}` });
      await done;
    },
    reload: async () => {
      const done = new Promise((resolve) => { loaded = resolve; });
      await send("Page.reload");
      await done;
    },
    state: async () => JSON.parse(await get(`JSON.stringify({
      progress: document.getElementById("progress").textContent,
      said: document.getElementById("said").textContent,
      elements: document.getElementById("said").children.length,
      tools: getComputedStyle(document.getElementById("tools")).display !== "none",
      ticked: Array.from(document.querySelectorAll("input[data-step]:checked"), (box) => box.dataset.step)
    })`)),
    // A press goes to what was painted last. On a slow machine that may be the page before the scroll, so it is asked what was
    // pressed, and pressed again where it was something else.
    click: async (selector) => {
      for (let turn = 0, hit = false; turn < 20 && !hit; turn += 1) {
        await send("Page.bringToFront");
        const box = JSON.parse(await get(`(async () => { const one = document.querySelector(${JSON.stringify(selector)});
          one.scrollIntoView({ block: "center", behavior: "instant" });
          for (let frame = 0; frame !== 3; frame += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
          window.pressed = new Promise((resolve) => document.addEventListener("click",
            (event) => setTimeout(() => resolve(one.contains(event.target))), { once: true, capture: true }));
          const at = one.getBoundingClientRect();
          return JSON.stringify({ x: at.x + at.width / 2, y: at.y + at.height / 2 }); })()`));
        for (const type of ["mousePressed", "mouseReleased"]) {
          await send("Input.dispatchMouseEvent", { type, ...box, button: "left", clickCount: 1 });
        }
        hit = await get("Promise.race([window.pressed, new Promise((resolve) => setTimeout(() => resolve(false), 20000))])");
      }
    },
    space: async (selector) => {
      const box = `document.querySelector(${JSON.stringify(selector)})`;
      const before = await get(`${box}.checked`);
      for (let turn = 0; turn < 20 && (await get(`${box}.checked`)) === before; turn += 1) {
        await send("Page.bringToFront");
        await get(`${box}.focus()`);
        for (const type of ["keyDown", "keyUp"]) {
          await send("Input.dispatchKeyEvent", { type, key: " ", code: "Space", windowsVirtualKeyCode: 32, text: type === "keyDown" ? " " : undefined });
        }
        await get("new Promise((resolve) => setTimeout(resolve))");
      }
    },
    load: async (path) => {
      const { root } = await send("DOM.getDocument");
      const { nodeId } = await send("DOM.querySelector", { nodeId: root.nodeId, selector: "#load" });
      await get(`document.getElementById("said").textContent = ""`);
      await send("DOM.setFileInputFiles", { files: [path], nodeId });
      for (let turn = 0; turn < 5000; turn += 1) {
        if ((await get(`document.getElementById("said").textContent`)) !== "") break;
        await pause(20);
      }
    },
  };
}

// The lowest contrast of a visible text with what is behind it, by WCAG 2.
const WORST = `(() => {
  const read = (text) => { const parts = text.match(/[0-9.]+/g).map(Number); return parts.length === 3 ? [...parts, 1] : parts; };
  const light = (rgb) => { const [r, g, b] = rgb.slice(0, 3).map((part) => { const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (one) => { for (let node = one; node; node = node.parentElement) {
    const color = read(getComputedStyle(node).backgroundColor); if (color[3] === 1) return color; } return [255, 255, 255, 1]; };
  let worst = { ratio: 21, text: "" }; let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const one = node.parentElement;
    if (!node.textContent.trim() || one.closest("script,style") || !one.checkVisibility({ opacityProperty: true })) continue;
    const style = getComputedStyle(one); const svg = one.closest("svg");
    const front = read(svg ? style.fill : style.color);
    let ground = behind(one);
    if (svg) { const at = one.getBoundingClientRect(); const [x, y] = [at.x + at.width / 2, at.y + at.height / 2];
      for (const shape of svg.querySelectorAll("rect")) { const box = shape.getBoundingClientRect();
        if (box.left <= x && x <= box.right && box.top <= y && y <= box.bottom) ground = read(getComputedStyle(shape).fill); } }
    let opacity = front[3];
    for (let node = one; node; node = node.parentElement) opacity *= Number(getComputedStyle(node).opacity);
    const mixed = front.slice(0, 3).map((part, at) => part * opacity + ground[at] * (1 - opacity));
    const [high, low] = [light(mixed), light(ground)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05); texts += 1;
    if (ratio < worst.ratio) worst = { ratio, text: node.textContent.trim().slice(0, 60) };
  }
  return JSON.stringify({ ...worst, texts, paper: behind(document.querySelector("main > section")).slice(0, 3) });
})()`;

const report = {};
const scheme = (value, media = "") => ({ media, features: [{ name: "prefers-color-scheme", value }] });
try {
  await call("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: folder });
  const one = await tab();
  await one.open(page);
  report.first = await one.state();
  report.names = JSON.parse(await one.get(`JSON.stringify(Array.from(document.querySelectorAll("input[data-step]"), (box) => box.dataset.step))`));
  report.foreign = await one.get(`document.querySelectorAll("input[type=checkbox]:not([data-step])").length`);
  const { nodes } = await one.send("Accessibility.getFullAXTree");
  const boxes = nodes.filter((node) => node.role?.value === "checkbox");
  report.boxes = { count: boxes.length, unnamed: boxes.filter((node) => !node.name?.value).length };

  // A key, a click on the title, a click on the box.
  await one.space("input.tick");
  await one.click("article.command h4 label .no");
  await one.click("#phase-2 article h4 label input");
  await one.click("#later input");
  report.ticked = await one.state();
  await one.reload();
  report.reloaded = await one.state();
  const second = await tab();
  await second.open(page);
  await second.click("#phase-3 article h4 label input");
  for (let turn = 0; turn < 5000 && (await one.state()).ticked.length < 5; turn += 1) await pause(20);
  report.window = await one.state();
  await second.open(other);
  report.other = await second.state();

  await one.click("#save");
  let saved;
  for (let turn = 0; turn < 5000 && !saved; turn += 1) {
    await pause(20);
    saved = readdirSync(folder).find((name) => /^ticks-.*\.json$/.test(name));
  }
  report.saved = { name: saved, said: (await one.state()).said, file: JSON.parse(readFileSync(join(folder, saved), "utf8")) };
  await one.click("#clear");
  report.cleared = await one.state();
  await one.load(join(folder, saved));
  report.loaded = await one.state();
  await second.load(join(folder, saved));
  report.elsewhere = await second.state();

  const good = report.saved.file;
  const bad = {
    "no JSON": "<b>ticks</b>",
    "nothing": "null",
    "a list": "[]",
    "another format": JSON.stringify({ ...good, format: "cbgen-ticks/2" }),
    "one key more": JSON.stringify({ ...good, more: 1 }),
    "no list of ticks": JSON.stringify({ ...good, ticked: { length: 1, 0: good.ticked[0] } }),
    "another build": JSON.stringify({ ...good, edition: "0000000000000000" }),
    "another bundle": JSON.stringify({ ...good, bundle: "<img src=x onerror=alert(1)>\u202e\u0007" + "x".repeat(500) }),
    "a bundle that is no text": JSON.stringify({ ...good, bundle: { toString: 1 } }),
    "a step with markup": JSON.stringify({ ...good, ticked: ["<script>alert(1)</script>"] }),
    "a step that is no text": JSON.stringify({ ...good, ticked: [{ toString: 1 }] }),
    "a name of every object": JSON.stringify({ ...good, ticked: ["__proto__"] }),
    "too large": JSON.stringify(good) + " ".repeat(1048576),
  };
  report.refused = {};
  for (const [name, text] of Object.entries(bad)) {
    const path = join(folder, "bad.json");
    writeFileSync(path, text);
    await one.load(path);
    report.refused[name] = await one.state();
  }
  writeFileSync(join(folder, "marked.json"), "\ufeff" + JSON.stringify(good).replaceAll(",", ",\r\n"));
  await one.load(join(folder, "marked.json"));
  report.marked = await one.state();

  // What the browser keeps is broken, or it keeps nothing.
  await one.get(`localStorage.setItem(Object.keys(localStorage).find((key) => key.includes(document.querySelector("main").dataset.bundle)), "{")`);
  await one.reload();
  report.broken = await one.state();
  for (const [name, source] of [
    ["refused", `Object.defineProperty(window, "localStorage", { get() { throw new DOMException("no", "SecurityError"); } })`],
    ["full", `Storage.prototype.setItem = function () { throw new DOMException("no", "QuotaExceededError"); }`],
    ["absent", `Object.defineProperty(window, "localStorage", { value: undefined })`],
  ]) {
    const third = await tab();
    await third.send("Page.addScriptToEvaluateOnNewDocument", { source });
    await third.open(page);
    const before = await third.state();
    await third.click("#phase-2 article h4 label input");
    report[`storage ${name}`] = { before, after: await third.state() };
  }
  const still = await tab();
  await still.send("Emulation.setScriptExecutionDisabled", { value: true });
  await still.open(page);
  await still.send("Emulation.setScriptExecutionDisabled", { value: false });
  report.still = await still.state();

  report.times = {};
  for (const [locale, timezoneId] of [["en-US", "Europe/Berlin"], ["de-DE", "Europe/Berlin"], ["en-US", "America/New_York"]]) {
    const there = await tab();
    await there.send("Emulation.setTimezoneOverride", { timezoneId });
    await there.send("Emulation.setLocaleOverride", { locale });
    await there.open(page);
    report.times[`${locale} ${timezoneId}`] = JSON.parse(await there.get(
      `JSON.stringify(Array.from(document.querySelectorAll("time"), (time) => time.textContent.replace(/\\s/g, " ")))`));
  }

  report.contrast = {};
  report.pages = {};
  for (const color of ["light", "dark"]) {
    const shade = await tab();
    await shade.send("Emulation.setEmulatedMedia", scheme(color));
    await shade.open(page);
    await shade.get(`document.querySelectorAll("details").forEach((one) => { one.open = true; })`);
    report.contrast[color] = JSON.parse(await shade.get(WORST));
    await shade.get(`document.querySelectorAll("input.tick").forEach((box) => { box.checked = true; })`);
    report.contrast[`${color}, ticked`] = JSON.parse(await shade.get(WORST));
    await shade.get(`document.querySelectorAll("details").forEach((one) => { one.open = false; })`);
    await shade.send("Emulation.setEmulatedMedia", scheme(color, "print"));
    report.contrast[`${color}, on paper`] = JSON.parse(await shade.get(WORST));
    await shade.send("Emulation.setEmulatedMedia", scheme(color));
    for (const [paper, paperWidth, paperHeight] of [["A4", 8.27, 11.69], ["Letter", 8.5, 11]]) {
      const { data } = await shade.send("Page.printToPDF", { paperWidth, paperHeight, preferCSSPageSize: false });
      const pdf = Buffer.from(data, "base64").toString("latin1");
      report.pages[`${paper}, ${color}`] = pdf.split(/\/Type \/Page\b/).length - 1;
    }
  }
  report.complaints = complaints;
  await call("Browser.close");
  await ended;
} finally {
  browser.kill();
}
console.log(JSON.stringify(report));
process.exit(0);
