// Everything by keyboard.

const KEYS = [
  ["← ↑ → ↓", "from clip to clip"],
  ["Space", "play with sound, or stop"],
  ["O", "open the clip"],
  ["P", "pick the clip, or not"],
  ["/", "search"],
  ["G M T C", "grid, matrix, takes, compare"],
  ["Esc", "close, or clear the search"],
  ["?", "this list"],
];

const help = el("dialog", { class: "help", "aria-label": "Keys", click: (event) => event.target === help && help.close() },
  el("h2", {}, "Keys"), facts(KEYS.map(([key, what]) => [key, what])),
  el("button", { type: "button", click: () => help.close() }, "Close"));

const VIEW_KEYS = { g: "grid", m: "matrix", t: "takes", c: "compare" };
const ARROWS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: "up", ArrowDown: "down" };

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (viewer.open) onViewerKey(event);
  else if (event.target.matches("input, select, textarea")) onFieldKey(event);
  else if (!help.open) onPageKey(event);
}

function onViewerKey(event) {
  if (event.target.matches("video")) return;
  if (event.key === "ArrowLeft") step(-1);
  else if (event.key === "ArrowRight") step(1);
  else if (event.key === "p") viewer.querySelector(".pick")?.click();
  else return;
  event.preventDefault();
}

function onFieldKey(event) {
  if (event.key === "Escape" && event.target.id === "search") {
    change({ text: "" });
    event.target.blur();
  }
}

function onPageKey(event) {
  const current = document.activeElement.closest("[data-address]");
  const name = VIEW_KEYS[event.key];
  if (name && views().includes(name)) change({ view: name });
  else if (event.key === "/") focusSearch();
  else if (event.key === "?") help.showModal();
  else if (event.key in ARROWS && !event.target.matches(".scroll")) move(current, ARROWS[event.key]);
  else if (current && event.key === "p") current.querySelector(".pick").click();
  else if (current && event.key === "o") current.querySelector(".name").click();
  else return;
  event.preventDefault();
}

function focusSearch() {
  const search = document.getElementById("search");
  search.closest("details").open = true;
  search.focus();
  search.select();
}

/** To a neighbour as the eye sees it. */
function move(current, where) {
  const all = [...document.querySelectorAll("#stage [data-address]")];
  const next = current ? neighbour(all, current, where) : all[0];
  const target = next?.querySelector(".frame, .name");
  target?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function neighbour(all, current, where) {
  if (typeof where === "number") return all[all.indexOf(current) + where];
  const from = current.getBoundingClientRect();
  const rows = all.map((element) => [element, element.getBoundingClientRect()])
    .filter(([, box]) => (where === "down" ? box.top >= from.bottom - 4 : box.bottom <= from.top + 4));
  const distance = ([, box]) => Math.abs(box.top - from.top) * 3 + Math.abs(box.left - from.left);
  return rows.sort((a, b) => distance(a) - distance(b))[0]?.[0];
}
