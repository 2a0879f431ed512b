"use strict";
(function () {
  const FORMAT = "cbgen-ticks/1";
  const LIMIT = 1048576;
  const find = function (id) { return document.getElementById(id); };
  const main = document.querySelector("main");
  const bundle = main.dataset.bundle;
  const edition = digest(main.textContent);
  const key = "cbgen ticks " + bundle + " " + edition;
  const all = Array.from(document.querySelectorAll("input[data-step]"));
  const steps = all.filter(function (box) { return box.classList.contains("tick"); });
  const boxes = new Map(all.map(function (box) { return [box.dataset.step, box]; }));

  /* Two builds of a bundle differ in what the page says: ticks of one are none of the other. */
  function digest(text) {
    let one = 2166136261;
    let two = 3339675911;
    for (const letter of text) {
      const code = letter.codePointAt(0);
      one = Math.imul(one ^ code, 16777619);
      two = Math.imul(two ^ code, 2246822519);
      two ^= two >>> 13;
    }
    const digits = function (number) { return (number >>> 0).toString(16).padStart(8, "0"); };
    return digits(one) + digits(two);
  }

  /* What a file says is shown as text, short and without what cannot be seen. */
  function shown(value) {
    if (typeof value !== "string") { return "something that is no text"; }
    return value.replace(/[^ -~]/g, "?").slice(0, 80);
  }

  function say(text) { find("said").textContent = text; }

  function ticked() {
    return all.filter(function (box) { return box.checked; }).map(function (box) { return box.dataset.step; });
  }

  function count() {
    const done = steps.filter(function (box) { return box.checked; }).length;
    find("progress").textContent = done + " of " + steps.length + " steps ticked";
  }

  function forgets(error) {
    say("This browser does not keep ticks (" + shown(error.name) + "). Save them to a file before you close this page.");
  }

  function keep() {
    try {
      localStorage.setItem(key, JSON.stringify(ticked()));
      say("");
    } catch (error) {
      forgets(error);
    }
    count();
  }

  /* Ticks of another visit, or of another window of this browser. */
  function recall() {
    let text = null;
    try {
      text = localStorage.getItem(key);
      localStorage.setItem(key, text === null ? "[]" : text);
      say("This browser keeps the ticks.");
    } catch (error) {
      forgets(error);
      count();
      return;
    }
    let names = [];
    try {
      names = text === null ? [] : JSON.parse(text);
      if (!Array.isArray(names)) { throw new Error("no list"); }
    } catch (error) {
      names = [];
      say("What this browser kept of the ticks cannot be read. Begin with none, or load a file.");
    }
    const set = new Set(names);
    for (const box of all) { box.checked = set.has(box.dataset.step); }
    count();
  }

  function save() {
    const file = { format: FORMAT, bundle: bundle, edition: edition, ticked: ticked() };
    const link = document.createElement("a");
    const address = URL.createObjectURL(new Blob([JSON.stringify(file, null, 1) + "\n"], { type: "application/json" }));
    link.href = address;
    link.download = "ticks-" + bundle.replace(/[^A-Za-z0-9.-]+/g, "-") + ".json";
    link.click();
    setTimeout(function () { URL.revokeObjectURL(address); }, 60000);
    say(file.ticked.length + " ticks saved to " + link.download + ".");
  }

  /* Why a file is not loaded; empty when it is a file of this page. */
  function refusal(file) {
    const foreign = "This file holds no ticks of a runbook. Nothing was changed.";
    if (file === null || typeof file !== "object" || Array.isArray(file)) { return foreign; }
    if (Object.keys(file).sort().join() !== "bundle,edition,format,ticked") { return foreign; }
    if (file.format !== FORMAT || !Array.isArray(file.ticked)) { return foreign; }
    if (file.bundle !== bundle) {
      return "These ticks belong to " + shown(file.bundle) + ", and this page to " + bundle + ". Nothing was changed.";
    }
    if (file.edition !== edition) {
      return "These ticks belong to another build of " + bundle + ", whose steps may differ. Nothing was changed.";
    }
    const unknown = file.ticked.filter(function (name) { return !boxes.has(name); });
    if (unknown.length > 0) {
      return "This page has no step: " + shown(unknown[0]) + ". Nothing was changed.";
    }
    return "";
  }

  function load(text) {
    let file = null;
    try {
      file = JSON.parse(text);
    } catch (error) {
      file = null;
    }
    const why = refusal(file);
    if (why !== "") { say(why); return; }
    let fresh = 0;
    for (const name of file.ticked) {
      const box = boxes.get(name);
      if (!box.checked) { fresh += 1; }
      box.checked = true;
    }
    keep();
    const kept = find("said").textContent;
    say(file.ticked.length + " ticks loaded, " + fresh + " of them new. " + kept);
  }

  find("save").addEventListener("click", save);
  find("load").addEventListener("change", function () {
    const file = find("load").files[0];
    if (!file) { return; }
    if (file.size > LIMIT) {
      say("This file is too large to hold ticks. Nothing was changed.");
    } else {
      file.text().then(load, function () { say("This file cannot be read. Nothing was changed."); });
    }
    find("load").value = "";
  });
  find("clear").addEventListener("click", function () {
    if (!window.confirm("Untick everything on this page?")) { return; }
    for (const box of all) { box.checked = false; }
    keep();
  });
  for (const box of all) { box.addEventListener("change", keep); }
  window.addEventListener("storage", function (event) { if (event.key === key) { recall(); } });

  /* Times as the reader writes them, where the reader is; the page's own words stay where both would say the same. */
  for (const time of document.querySelectorAll("time[datetime]")) {
    const stamp = time.getAttribute("datetime");
    const moment = new Date(stamp);
    const zone = /([+-])([0-9][0-9]):([0-9][0-9])$/.exec(stamp);
    const there = zone === null ? 0 : (zone[1] === "-" ? -1 : 1) * (Number(zone[2]) * 60 + Number(zone[3]));
    const fixed = time.textContent;
    try {
      const same = there === -moment.getTimezoneOffset();
      const form = time.classList.contains("day") ? { dateStyle: "full", timeStyle: "short" } : { hour: "numeric", minute: "2-digit" };
      if (!same) { if (!form.dateStyle) { form.weekday = "short"; } }
      const words = new Intl.DateTimeFormat(undefined, form).format(moment);
      time.textContent = same ? words : words + " (" + fixed + " at the installation)";
    } catch (error) {
      time.textContent = fixed;
    }
  }

  find("tools").hidden = false;
  recall();
})();
