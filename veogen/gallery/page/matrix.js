// Two dimensions as rows and columns; the others are filters.

function matrixView() {
  const possible = dimensions();
  if (possible.length === 0) return [el("p", { class: "empty" }, "A matrix needs an axis, or several shots or takes.")];
  const [rows, columns] = chosenDimensions(possible);
  const found = filtered([]);
  return [choosers(possible, rows, columns), found.length ? table(found, rows, columns) : nothing()];
}

const MOST_VALUES = 50;
const MOST_COLUMNS = 6;

/** What was chosen, else the two with which most clips are told apart, the longer one as rows. */
function chosenDimensions(possible) {
  const found = filtered([]);
  const best = suggested(possible, found).filter((name) => name !== state.rows && name !== state.columns);
  const chosen = (name) => (possible.includes(name) ? name : null);
  const columns = chosen(state.columns) ?? (chosen(state.rows) ? best[0] : shorter(best, found));
  const rows = chosen(state.rows) ?? best.find((name) => name !== columns) ?? null;
  return [rows, columns];
}

/** The dimensions, best first: every clip in it, and not a value of its own for each. */
function suggested(possible, found) {
  const rank = new Map(possible.map((name) => {
    const values = spread(name, found);
    return [name, [covers(name, found), values > MOST_VALUES ? -values : values]];
  }));
  return [...possible].sort((a, b) => {
    const [one, other] = [rank.get(a), rank.get(b)];
    return other[0] - one[0] || other[1] - one[1];
  });
}

function shorter([one, other], found) {
  return other && spread(one, found) > MOST_COLUMNS && spread(other, found) < spread(one, found) ? other : one;
}

function spread(dimension, found) {
  return new Set(found.map((clip) => clip.places[dimension]).filter((value) => value != null)).size;
}

function covers(dimension, found) {
  const values = new Set(found.map((clip) => clip.places[dimension] ?? null));
  const has = dimension === "take" ? (clip) => purchasesOf(clip) > 1 : (clip) => clip.places[dimension] != null;
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
  const cells = [];
  const box = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Matrix" },
    el("table", {},
      el("caption", { class: "unseen" }, rows === null ? `by ${columns}` : `${rows} by ${columns}`),
      el("thead", {}, el("tr", {},
        rows !== null && el("td", { class: "corner" }, `${rows} ↓  ${columns} →`),
        across.map((value) => el("th", { scope: "col" }, value ?? `no ${columns}`)))),
      el("tbody", {}, down.map((value) => el("tr", {},
        rows !== null && el("th", { scope: "row" }, value ?? `no ${rows}`),
        across.map((other) => cell(at.get(JSON.stringify([value, other])) ?? [], cells)))))));
  fill(cells, ([place, inside]) => fillCell(place, inside, [rows, columns]));
  return box;
}

/** A place for clips, which come when it is their turn. */
function cell(found, cells) {
  if (!found.length) return el("td", { class: "none" });
  const place = el("div", { class: "cell" });
  cells.push([place, found]);
  return el("td", {}, place);
}

function fillCell(place, found, without) {
  const shots = new Set(found.map((clip) => clip.shot)).size > 1;
  place.append(...found.map((clip) => {
    const rest = nameOf(clip, without);
    return tile(clip, shots && rest !== clip.shot ? `${clip.shot} · ${rest}` : rest);
  }));
}
