"use strict";
// Everything is visible without this script; it only hides what the reader does not ask for.
const bar = document.getElementById("filter");
const wanted = document.getElementById("server");
const shown = document.getElementById("shown");
const groups = Array.from(document.querySelectorAll("article"));
const risks = Array.from(bar.querySelectorAll("input[type=checkbox]"));
function apply() {
  const text = wanted.value.trim().toLowerCase();
  const on = risks.filter((box) => box.checked).map((box) => box.value);
  let count = 0;
  for (const group of groups) {
    const here = group.dataset.servers.split("\t").some((name) => name.toLowerCase().includes(text));
    group.hidden = !here || !on.includes(group.dataset.risk);
    if (!group.hidden) { count += 1; }
  }
  shown.textContent = count + " of " + groups.length + " changes shown";
}
bar.hidden = false;
bar.addEventListener("input", apply);
apply();
