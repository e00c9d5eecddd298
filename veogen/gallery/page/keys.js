// Everything by keyboard.

const KEYS = [
  ["← ↑ → ↓", "from clip to clip"],
  ["Space", "play with sound, or stop"],
  ["O", "open the clip"],
  ["P", "pick, or take it back"],
  ["X", "reject, or take it back"],
  ["E", "a note"],
  ["N", "the next unreviewed clip"],
  ["B", "choose two clips to see in step"],
  [", .", "a frame back or on, of large clips"],
  ["[ ]", "slower or faster, of large clips"],
  ["W", "wipe, of two clips in step"],
  ["/", "search"],
  ["G M T F C", "grid, matrix, takes, former, compare"],
  ["Esc", "close, or clear the search"],
  ["?", "this list"],
];

const help = el("dialog", { class: "help", "aria-label": "Keys", click: (event) => event.target === help && help.close() },
  el("h2", {}, "Keys"), facts(KEYS), el("button", { type: "button", click: () => help.close() }, "Close"));

const VIEW_KEYS = { g: "grid", m: "matrix", t: "takes", f: "former", c: "compare" };
const ARROWS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: "up", ArrowDown: "down" };

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input:not([type=range]), select, textarea")) onFieldKey(event);
  else if (noteDialog.open || nameDialog.open) return;
  else if (besideDialog.open) onBesideKey(event);
  else if (viewer.open) onViewerKey(event);
  else if (!document.querySelector("dialog[open]")) onPageKey(event);
}

/** What is done to a clip; false where the key does nothing to it. */
function onClipKey(key, clip) {
  if (!clip) return false;
  if (key === "p") toggleVerdict(clip, "pick");
  else if (key === "x") toggleVerdict(clip, "reject");
  else if (key === "e") askNote(clip);
  else return false;
  return true;
}

/** What is done to large clips. */
function onPlayingKey(event, play, stepBy) {
  if (event.key === " " && !event.target.matches("button, summary, video")) play();
  else if (event.key === ",") stepBy(-1);
  else if (event.key === ".") stepBy(1);
  else if (event.key === "[") changeSpeed(-1);
  else if (event.key === "]") changeSpeed(1);
  else return false;
  return true;
}

function onViewerKey(event) {
  if (event.target.matches("video") && event.key.startsWith("Arrow")) return;
  if (event.key === "ArrowLeft") stepClip(-1);
  else if (event.key === "ArrowRight") stepClip(1);
  else if (event.key === "n") goTo(nextUnreviewed(viewed));
  else if (event.key === "b") besideViewed();
  else if (!onClipKey(event.key, viewed) && !onPlayingKey(event, playViewed, stepViewed)) return;
  event.preventDefault();
}

function onBesideKey(event) {
  const side = event.target.closest("[data-clip]");
  if (event.key === "w") toggleWipe();
  else if (!onClipKey(event.key, side && byId.get(side.dataset.clip))
    && !onPlayingKey(event, playBeside, stepBeside)) return;
  event.preventDefault();
}

function onFieldKey(event) {
  if (event.key === "Escape" && event.target.id === "search") {
    change({ text: "" });
    event.target.blur();
  }
}

function onPageKey(event) {
  const current = document.activeElement.closest("[data-clip]");
  const clip = current && byId.get(current.dataset.clip);
  const name = VIEW_KEYS[event.key];
  if (name && views().includes(name)) change({ view: name });
  else if (event.key === "/") focusSearch();
  else if (event.key === "?") help.showModal();
  else if (event.key === "n") goTo(nextUnreviewed(clip));
  else if (event.key in ARROWS && !event.target.matches(".scroll, input")) move(current, ARROWS[event.key]);
  else if (current && event.key === "o") current.querySelector(".name").click();
  else if (current && event.key === "b") chooseBeside(clip);
  else if (!onClipKey(event.key, clip)) return;
  event.preventDefault();
}

function focusSearch() {
  const search = document.getElementById("search");
  search.closest("details").open = true;
  search.focus();
  search.select();
}

/** To a clip: in the viewer if that is open, else on the page. */
function goTo(clip) {
  if (!clip) return;
  if (viewer.open) view(clip);
  else focusClip(clip);
}

function focusClip(clip) {
  if (!clip) return;
  const find = () => document.querySelector(`#stage [data-clip="${CSS.escape(clip.id)}"]`);
  if (!find()) fillAll();
  focusElement(find());
}

function focusElement(element) {
  element?.querySelector(".frame, .name")?.focus({ preventScroll: true });
  element?.scrollIntoView({ block: "nearest" });
}

/** To a neighbour as the eye sees it. */
function move(current, where) {
  fillAll();
  const all = [...document.querySelectorAll("#stage [data-clip]")];
  focusElement(current ? neighbour(all, current, where) : all[0]);
}

function neighbour(all, current, where) {
  const at = all.indexOf(current);
  if (typeof where === "number") return all[at + where];
  const from = current.getBoundingClientRect();
  const rows = (where === "down" ? all.slice(at + 1, at + 400) : all.slice(Math.max(at - 400, 0), at))
    .map((element) => [element, element.getBoundingClientRect()])
    .filter(([, box]) => (where === "down" ? box.top >= from.bottom - 4 : box.bottom <= from.top + 4));
  const distance = ([, box]) => Math.abs(box.top - from.top) * 3 + Math.abs(box.left - from.left);
  return rows.sort((a, b) => distance(a) - distance(b))[0]?.[0];
}
