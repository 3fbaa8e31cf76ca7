"use strict";
// All of it is a help: without it, the page shows everything, and nothing is out of reach.

const all = (selector, within = document) => Array.from(within.querySelectorAll(selector));

// What is linked to is opened.
const reveal = () => {
  const name = decodeURIComponent(location.hash.slice(1));
  const target = name && document.getElementById(name);
  for (let each = target; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
  if (target) target.scrollIntoView();
};
addEventListener("hashchange", reveal);

// Texts to copy: where there is no clipboard, they are selected.
for (const button of all(".copy")) {
  button.hidden = false;
  const label = button.firstChild;
  const told = (text) => { label.data = text; setTimeout(() => { label.data = "Copy"; }, 2000); };
  button.addEventListener("click", async () => {
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      told("Copied");
    } catch {
      getSelection().selectAllChildren(code);
      told("Selected");
    }
  });
}

// The matrix is filtered.
const form = document.getElementById("filters");
if (form) {
  form.hidden = false;
  const table = document.getElementById("requirements");
  const rows = all("tbody tr", table);
  const count = document.getElementById("filter-count");
  const dull = new Set(["pass", "unsupported", "left out", "provisional", "absent"]);
  const texts = new Map(rows.map((row) => [row, row.firstElementChild.textContent.toLowerCase()]));
  const filter = () => {
    const word = document.getElementById("filter-word").value;
    const chapter = document.getElementById("filter-chapter").value;
    const text = document.getElementById("filter-text").value.trim().toLowerCase();
    const fits = (words) => !word || (word === "*" ? words.some((each) => !dull.has(each)) : words.includes(word));
    for (const row of rows) {
      const shown = fits(row.dataset.words.split("|")) && (!chapter || row.dataset.chapter === chapter);
      row.hidden = !shown || !texts.get(row).includes(text);
    }
    for (const box of all("[type=checkbox]", form)) {
      for (const cell of all(`[data-column="${box.dataset.column}"]`, table)) cell.hidden = !box.checked;
    }
    count.value = `${rows.filter((row) => !row.hidden).length} of ${rows.length} requirements`;
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
}

// A state that is chosen shows its cells, and the calls that lead from and to it.
for (const graph of all(".graph")) {
  const details = all(".state-cells", graph);
  const hint = graph.querySelector(".hint");
  const near = (number) => {
    for (const edge of all(".edge", graph)) {
      edge.classList.toggle("out", edge.dataset.from === number);
      edge.classList.toggle("in", edge.dataset.to === number);
    }
  };
  let chosen = "";
  hint.hidden = false;
  for (const each of details) each.hidden = true;
  for (const state of all(".state", graph)) {
    const number = state.dataset.state;
    const choose = (event) => {
      event.preventDefault();
      chosen = number;
      for (const other of all(".state", graph)) other.removeAttribute("aria-current");
      state.setAttribute("aria-current", "true");
      for (const each of details) {
        each.hidden = each.dataset.state !== number;
        each.open = !each.hidden;
      }
      hint.textContent = `Chosen: ${state.getAttribute("aria-label")}`;
      near(number);
    };
    state.addEventListener("click", choose);
    state.addEventListener("mouseenter", () => near(number));
    state.addEventListener("focus", () => near(number));
    state.addEventListener("mouseleave", () => near(chosen));
    state.addEventListener("blur", () => near(chosen));
  }
}
reveal();
