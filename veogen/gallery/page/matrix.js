// Two dimensions as rows and columns; the others are filters.

function matrixView() {
  const possible = dimensions();
  if (possible.length === 0) return [el("p", { class: "empty" }, "A matrix needs an axis, or several shots or takes.")];
  const [rows, columns] = chosenDimensions(possible);
  const found = filtered([]);
  return [choosers(possible, rows, columns), found.length ? table(found, rows, columns) : nothing()];
}

/** What was chosen, else the two with which most clips are told apart. */
function chosenDimensions(possible) {
  const found = filtered([]);
  const spread = (dimension) => new Set(found.map((clip) => clip.places[dimension]).filter((v) => v != null)).size;
  const best = [...possible].sort((a, b) => covers(b, found) - covers(a, found) || spread(b) - spread(a));
  const columns = possible.includes(state.columns) ? state.columns : best.find((name) => name !== state.rows);
  const rows = possible.includes(state.rows) && state.rows !== columns
    ? state.rows : best.find((name) => name !== columns) ?? null;
  return [rows, columns];
}

function covers(dimension, found) {
  const values = new Set(found.map((clip) => clip.places[dimension] ?? null));
  const has = dimension === "take" ? (clip) => takesOf(clip).length > 1 : (clip) => clip.places[dimension] != null;
  return values.size > 1 ? found.filter(has).length : 0;
}

function choosers(possible, rows, columns) {
  const choose = (label, value, write) => {
    const select = el("select", { "aria-label": label, change: () => write(select.value) },
      possible.map((name) => el("option", { value: name, selected: name === value }, name)));
    return el("label", {}, el("span", {}, label), select);
  };
  const swap = el("button", { type: "button", click: () => change({ rows: columns, columns: rows }) }, "Swap");
  return el("div", { class: "choosers" },
    rows !== null && choose("rows", rows, (value) => change(value === columns
      ? { rows: value, columns: rows } : { rows: value, columns })),
    choose("columns", columns, (value) => change(value === rows
      ? { columns: value, rows: columns } : { columns: value, rows })),
    rows !== null && swap);
}

function table(found, rows, columns) {
  const across = valuesOf(columns, found);
  const down = rows === null ? [undefined] : valuesOf(rows, found);
  const at = new Map();
  for (const clip of found) {
    const key = JSON.stringify([rows === null ? undefined : clip.places[rows] ?? null, clip.places[columns] ?? null]);
    if (!at.has(key)) at.set(key, []);
    at.get(key).push(clip);
  }
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Matrix" },
    el("table", {},
      el("caption", { class: "unseen" }, rows === null ? `by ${columns}` : `${rows} by ${columns}`),
      el("thead", {}, el("tr", {},
        rows !== null && el("td", { class: "corner" }, `${rows} ↓  ${columns} →`),
        across.map((value) => el("th", { scope: "col" }, value ?? `no ${columns}`)))),
      el("tbody", {}, down.map((value) => el("tr", {},
        rows !== null && el("th", { scope: "row" }, value ?? `no ${rows}`),
        across.map((other) => cell(at.get(JSON.stringify([value, other])) ?? [], [rows, columns])))))));
}

function cell(found, without) {
  if (!found.length) return el("td", { class: "none" }, el("span", { class: "unseen" }, "no request"));
  const shots = new Set(found.map((clip) => clip.shot)).size > 1;
  return el("td", {}, el("div", { class: "cell" }, found.map((clip) => {
    const rest = nameOf(clip, without);
    const name = shots && rest !== clip.shot ? `${clip.shot} · ${rest}` : rest;
    return tile(clip, name);
  })));
}
