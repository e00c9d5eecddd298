// What is shown: one state, changed in one place, read by every view.

const state = { view: "grid", text: "", shot: "", axes: {}, flags: new Set(), picked: false,
  rows: null, columns: null, same: false };
const whenChanged = [];

function change(fields) {
  Object.assign(state, fields);
  for (const tell of whenChanged) tell();
  show();
}

/** Whether a clip passes the filters, those of the dimensions in `without` aside. */
function passes(clip, without = []) {
  return (!state.text || state.text.split(/\s+/).every((word) => clip.haystack.includes(word)))
    && (!state.shot || without.includes("shot") || clip.shot === state.shot)
    && Object.entries(state.axes).every(([axis, value]) =>
      value === "" || without.includes(axis) || clip.places[axis] === value)
    && (!state.flags.size || clip.flags.some((flag) => state.flags.has(flag)))
    && (!state.picked || picks.has(clip.address));
}

function filtered(without) {
  return clips.filter((clip) => passes(clip, without));
}

function isFiltered() {
  return Boolean(state.text || state.shot || state.flags.size || state.picked
    || Object.values(state.axes).some((value) => value !== ""));
}

function clearFilters() {
  change({ text: "", shot: "", axes: {}, flags: new Set(), picked: false });
}

/** The bar with everything that narrows the view. */
function filterBar() {
  const search = el("input", { type: "search", id: "search", placeholder: "Search addresses and prompts",
    "aria-label": "Search addresses and prompts", autocomplete: "off", spellcheck: "false",
    input: () => change({ text: search.value.trim().toLowerCase() }) });
  const selects = [...selectors()];
  const count = el("output", { class: "count" });
  const clear = el("button", { type: "button", class: "clear", click: clearFilters }, "Clear filters");
  const bar = el("div", { class: "filters", role: "search", "aria-label": "Filters" },
    el("details", { class: "fold", open: !matchMedia("(max-width: 40rem)").matches },
      el("summary", {}, "Filters"),
      el("div", { class: "row" }, search, selects.map(([label]) => label)),
      el("div", { class: "row", role: "group", "aria-label": "Status" }, flagButtons())),
    el("div", { class: "row found" }, count, clear));
  whenChanged.push(() => {
    if (search.value.trim().toLowerCase() !== state.text) search.value = state.text;
    for (const [, refresh] of selects) refresh();
    clear.hidden = !isFiltered();
    count.value = countText();
  });
  return bar;
}

function countText() {
  const [number, all] = state.view === "compare"
    ? [chosenPairs().length, page.pairs.length] : [shownClips().length, clips.length];
  return `${number.toLocaleString("en")} of ${counted(all, "request")}`;
}

/** One list for the shot and for each axis. */
function* selectors() {
  if (new Set(clips.map((clip) => clip.shot)).size > 1) {
    yield selector("shot", () => state.shot, (value) => change({ shot: value }));
  }
  for (const axis of axes) {
    yield selector(axis, () => state.axes[axis] ?? "",
      (value) => change({ axes: { ...state.axes, [axis]: value } }));
  }
}

function selector(dimension, read, write) {
  const values = valuesOf(dimension, clips).filter((value) => value !== null);
  const select = el("select", { "aria-label": dimension, change: () => write(select.value) },
    el("option", { value: "" }, "all"), values.map((value) => el("option", { value }, value)));
  const refresh = () => {
    select.value = read();
    select.parentElement.classList.toggle("on", read() !== "");
  };
  return [el("label", {}, el("span", {}, dimension), select), refresh];
}

/** One button for each status that occurs. */
function flagButtons() {
  const found = STATUSES.filter((flag) => clips.some((clip) => clip.flags.includes(flag)));
  if (found.length < 2) return [];
  return found.map((flag) => {
    const number = clips.filter((clip) => clip.flags.includes(flag)).length;
    const button = el("button", { type: "button", class: `flag ${flag.replace(" ", "-")}`, click: () => {
      const flags = new Set(state.flags);
      if (!flags.delete(flag)) flags.add(flag);
      change({ flags });
    } }, flag, " ", el("b", {}, String(number)));
    whenChanged.push(() => button.setAttribute("aria-pressed", state.flags.has(flag)));
    return button;
  });
}

/** What to say where nothing passes. */
function nothing() {
  return el("p", { class: "empty" }, clips.length ? "Nothing fits these filters. " : "This run has no requests. ",
    isFiltered() && el("button", { type: "button", click: clearFilters }, "Clear filters"));
}
