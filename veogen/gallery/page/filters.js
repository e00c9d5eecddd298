// What is shown: one state, changed in one place, read by every view.

const state = { view: "grid", text: "", shot: "", axes: {}, flags: new Set(), rows: null,
  columns: null, same: false };
const whenChanged = [];

function change(fields) {
  Object.assign(state, fields);
  for (const tell of whenChanged) tell();
  show();
}

/** Whether a clip passes; what left the plan does only where its kind is asked for. */
function passes(clip, without = []) {
  return passesWords(clip, without)
    && (state.flags.size ? hasFlag(clip) : !clip.former);
}

function passesWords(clip, without = []) {
  return (!state.text || state.text.split(/\s+/).every((word) => clip.haystack.includes(word)))
    && (!state.shot || without.includes("shot") || clip.shot === state.shot)
    && Object.entries(state.axes).every(([axis, value]) =>
      value === "" || without.includes(axis) || clip.places[axis] === value);
}

function passesFormer(clip) {
  return passesWords(clip) && (!state.flags.size || hasFlag(clip));
}

function hasFlag(clip) {
  return allFlags(clip).some((flag) => state.flags.has(flag));
}

function allFlags(clip) {
  if (!canDecide(clip)) return clip.flags;
  const decision = decisionOf(clip);
  return [...clip.flags, ...(clip.former && decision === "unreviewed" ? [] : [decision]),
    ...(isUnsaved(clip) ? ["not saved"] : [])];
}

function filtered(without) {
  return (state.flags.size ? decidable : clips).filter((clip) => passes(clip, without));
}

function isFiltered() {
  return Boolean(state.text || state.shot || state.flags.size
    || Object.values(state.axes).some((value) => value !== ""));
}

function clearFilters() {
  change({ text: "", shot: "", axes: {}, flags: new Set() });
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
      el("div", { class: "row", role: "group", "aria-label": "Verdicts and status" },
        verdictFlags(), flagButtons(STATUSES.filter((flag) => clips.some((clip) => clip.flags.includes(flag)))),
        former.length > 0 && flagButton("former"))),
    el("div", { class: "row found" }, nextButton(), count, clear));
  whenChanged.push(() => {
    if (search.value.trim().toLowerCase() !== state.text) search.value = state.text;
    for (const [, refresh] of selects) refresh();
    clear.hidden = !isFiltered();
    count.value = countText();
  });
  return bar;
}

function nextButton() {
  const button = el("button", { type: "button", title: "N", click: () => goTo(nextUnreviewed(null)) });
  const refresh = () => {
    const number = unreviewed().length;
    button.replaceChildren(number ? `${number.toLocaleString("en")} unreviewed: next` : "All reviewed");
    button.disabled = !number;
  };
  whenDecided.push(refresh);
  refresh();
  return button;
}

function countText() {
  if (state.view === "compare") {
    return `${chosenPairs().length.toLocaleString("en")} of ${counted(page.pairs.length, "request")}`;
  }
  const all = state.view === "former" ? former.length : clips.length;
  return `${shownClips().length.toLocaleString("en")} of ${counted(all, "clip")}`;
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

function flagButtons(flags) {
  return flags.length < 2 ? [] : flags.map(flagButton);
}

/** A button for a flag, with how many clips have it; those of verdicts move as people decide. */
function flagButton(flag) {
  const number = el("b", {});
  const button = el("button", { type: "button", class: "flag", "data-flag": flag, click: () => {
    const flags = new Set(state.flags);
    if (!flags.delete(flag)) flags.add(flag);
    change({ flags });
  } }, flag, " ", number);
  const recount = () => {
    const found = decidable.filter((clip) => allFlags(clip).includes(flag)).length;
    number.textContent = found.toLocaleString("en");
    return found;
  };
  recount();
  button.recount = recount;
  whenChanged.push(() => button.setAttribute("aria-pressed", state.flags.has(flag)));
  return button;
}

function verdictFlags() {
  const buttons = [...DECISIONS, "not saved"].map(flagButton);
  const refresh = () => {
    for (const button of buttons) button.hidden = !button.recount() && button.getAttribute("aria-pressed") !== "true";
  };
  whenDecided.push(refresh);
  refresh();
  return buttons;
}

/** What to say where nothing passes. */
function nothing() {
  return el("p", { class: "empty" }, clips.length ? "Nothing fits these filters. " : "This run has no requests. ",
    isFiltered() && el("button", { type: "button", click: clearFilters }, "Clear filters"));
}
