// The page put together.

/** Of each view its title, its elements, and the clips in them. */
const VIEWS = {
  grid: ["Grid", gridView, filtered],
  matrix: ["Matrix", matrixView, filtered],
  takes: ["Takes", takesView, severalTakes],
  former: ["Former", formerView, shownFormer],
  compare: ["Compare", compareView, comparedClips],
};

/** The clips that are shown, in order. */
function shownClips() {
  return VIEWS[state.view][2]();
}

function views() {
  return ["grid", ...(dimensions().length ? ["matrix"] : []), ...(hasTakes() ? ["takes"] : []),
    ...(former.length ? ["former"] : []), ...(page.pairs ? ["compare"] : [])];
}

function show() {
  const [title, make] = VIEWS[state.view];
  document.body.dataset.view = state.view;
  const held = document.activeElement?.closest("#stage .choosers") ? document.activeElement : null;
  const place = held && [...document.querySelectorAll("#stage .choosers :is(select, input, button)")].indexOf(held);
  filling = null;
  document.getElementById("stage").replaceChildren(el("h2", { class: "unseen" }, title), ...make());
  if (loud && !loud.isConnected) hush();
  if (held) document.querySelectorAll("#stage .choosers :is(select, input, button)")[place]?.focus();
}

function headline() {
  const videos = clips.filter((clip) => clip.video).length;
  const open = el("span", {});
  const refresh = () => {
    const number = unreviewed().length;
    open.textContent = number ? `${number.toLocaleString("en")} unreviewed` : videos ? "all reviewed" : "";
    document.title = [number ? `${number.toLocaleString("en")} unreviewed` : "", page.name, "veogen"].filter(Boolean).join(" · ");
  };
  whenDecided.push(refresh);
  refresh();
  return el("div", { class: "title" },
    el("h1", {}, page.name),
    el("p", { class: "quiet" }, [
      counted(page.clips.length, "request"), counted(videos, "clip"), `${page.credits} credits`,
      former.length ? `${former.length} more left the plan` : null,
    ].filter(Boolean).join(" · "), " · ", open, " ", page.simulated && tag("simulated", "simulated")));
}

function viewButtons() {
  return el("nav", { class: "views", "aria-label": "Views" }, views().map((name) => {
    const button = el("button", { type: "button", click: () => change({ view: name }) }, VIEWS[name][0]);
    whenChanged.push(() => (state.view === name
      ? button.setAttribute("aria-current", "page") : button.removeAttribute("aria-current")));
    return button;
  }));
}

function tools() {
  const size = el("input", { type: "range", min: "10", max: "32", step: "1", "aria-label": "Size of the clips",
    value: memory.read("size") ?? "18", input: () => setSize(size.value) });
  setSize(size.value);
  return el("div", { class: "tools" }, size,
    el("button", { type: "button", class: "round", "aria-label": "Light or dark", click: turnTheme }, icon("theme")),
    el("button", { type: "button", class: "round", "aria-label": "Keys", click: () => help.showModal() }, "?"));
}

function setSize(value) {
  document.documentElement.style.setProperty("--card", `${Number(value) || 18}rem`);
  memory.write("size", value);
}

/** To the other one; what the system prefers holds until somebody decides. */
function turnTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  memory.write("theme", root.dataset.theme);
}

function begin() {
  dropCommitted(); // nothing is written: another window may just have decided
  const theme = memory.read("theme");
  if (theme) document.documentElement.dataset.theme = theme;
  document.body.classList.add(usualShape());
  document.getElementById("head").append(el("div", { class: "bar" }, headline(), viewButtons(), tools()));
  document.getElementById("head").after(filterBar());
  document.getElementById("foot").append(el("div", { class: "line quiet" }, page.run), picksBar());
  document.body.append(viewer, besideDialog, help, nameDialog, noteDialog, el("p", { id: "said", role: "status" }));
  document.addEventListener("keydown", onKey);
  change({ view: page.pairs ? "compare" : "grid" });
  performance.mark("ready");
}

begin();
