// What people decided about clips. Committed files are in the page; what its reader decides here
// stays in this browser, lies over what is committed, and is saved as the reader's own file.

const people = new Map(Object.entries(page.picks.people)
  .map(([name, lines]) => [name, new Map(lines.map((line) => [line.clip, line]))]));
const MARKS_KEY = `marks:${location.pathname}:${page.picks.beginning}`;
const marks = new Map();
const whenDecided = [];
let reader = memory.read("reader") ?? "";
takeMarks(memory.read(MARKS_KEY));
addEventListener("storage", (event) => {
  if (event.key !== memory.keyOf(MARKS_KEY)) return;
  takeMarks(event.newValue); // another window has the same page
  for (const tell of whenDecided) tell();
});

/** Marks by clip: `verdict` null takes the reader's line away; `saved` once it is in a file. */
function takeMarks(text) {
  try {
    for (const mark of JSON.parse(text ?? "[]")) if (typeof mark.clip === "string") marks.set(mark.clip, mark);
  } catch {
    // not written by this page
  }
}

function keepMarks() {
  dropCommitted();
  memory.write(MARKS_KEY, JSON.stringify([...marks.values()]));
}

/** Marks that were committed since are no marks any more. */
function dropCommitted() {
  for (const [clip, mark] of marks) {
    if (isSame(mark, people.get(reader)?.get(clip))) marks.delete(clip);
  }
}

function isSame(mark, line) {
  return mark.verdict === (line?.verdict ?? null) && (!line || (mark.note || "") === (line.note || ""));
}

/** The reader's own line about a clip, saved or not. */
function ownLine(clip) {
  const mark = marks.get(clip.id);
  if (mark) return mark.verdict ? mark : null;
  return people.get(reader)?.get(clip.id) ?? null;
}

function isUnsaved(clip) {
  return marks.has(clip.id) && !marks.get(clip.id).saved;
}

/** What everybody says of a clip; of the reader what this browser holds. */
function opinionsOf(clip) {
  const theirs = [...people].filter(([name]) => name !== reader)
    .flatMap(([name, lines]) => (lines.has(clip.id) ? [{ by: name, ...lines.get(clip.id) }] : []));
  const own = ownLine(clip);
  return own ? [...theirs, { ...own, by: reader || "you", own: true }] : theirs;
}

/** As `veogen picks` counts it. */
function decisionOf(clip) {
  const verdicts = new Set(opinionsOf(clip).map((one) => one.verdict));
  if (verdicts.size > 1) return "contested";
  if (!verdicts.size) return "unreviewed";
  if (verdicts.has("reject")) return "rejected";
  return clip.former ? "stale" : "picked";
}

function canDecide(clip) {
  return clip.run === page && clip.video !== null;
}

function decide(clip, verdict, note = ownLine(clip)?.note ?? "") {
  if (!canDecide(clip)) return;
  marks.set(clip.id, { of: clip.address, clip: clip.id, verdict, note: verdict ? note : "" });
  keepMarks();
  for (const tell of whenDecided) tell(clip);
}

/** The same verdict again takes it back. */
function toggleVerdict(clip, verdict) {
  const same = ownLine(clip)?.verdict === verdict;
  decide(clip, same ? null : verdict);
  announce(same ? "Taken back" : verdict === "pick" ? "Picked" : "Rejected");
}

function unreviewed() {
  return clips.filter((clip) => canDecide(clip) && decisionOf(clip) === "unreviewed");
}

/** To the next clip nobody has decided about, in the order that is shown. */
function nextUnreviewed(current) {
  const shown = shownClips().filter(canDecide);
  const start = shown.indexOf(current) + 1;
  const next = [...shown.slice(start), ...shown.slice(0, start)]
    .find((clip) => clip !== current && decisionOf(clip) === "unreviewed");
  if (!next) announce(unreviewed().length ? "Nothing unreviewed among these" : "Every clip is reviewed");
  return next ?? null;
}

const PERSON = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}_.-]{0,60}$/u;

function isPerson(name) {
  return PERSON.test(name) && !name.includes(".picks.");
}

function setReader(name) {
  reader = name;
  memory.write("reader", name);
  keepMarks();
  for (const tell of whenDecided) tell();
}

/** The reader's whole file: what is committed with the marks of this browser over it. */
function picksText() {
  const lines = new Map([...people.get(reader) ?? []].map(([clip, line]) => [clip, line]));
  for (const [clip, mark] of marks) {
    if (mark.verdict) lines.set(clip, mark);
    else lines.delete(clip);
  }
  const texts = [...lines.values()].sort(byLetters)
    .map((line) => `  - {of: ${quoted(line.of)}, clip: ${quoted(line.clip)}, verdict: ${line.verdict}`
      + `${line.note ? `, note: ${quoted(line.note)}` : ""}}\n`).join("");
  return `format: veogen.picks/1\npicks:${texts ? `\n${texts}` : " []\n"}`;
}

const UNSEEN = /[\0-\x09\x0b-\x1f\x7f-\xa0\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\uffff\u{110bd}\u{110cd}\u{13430}-\u{1345f}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;

/** A text in the quotes of JSON; what cannot be seen is escaped, as veogen itself does it. */
function quoted(text) {
  return JSON.stringify(text).replace(UNSEEN, (character) => {
    const code = character.codePointAt(0);
    return code <= 0xffff ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
  });
}

/** By address, then by clip: by code points, as everywhere else. */
function byLetters(one, other) {
  return compareText(one.of, other.of) || compareText(one.clip, other.clip);
}

function compareText(one, other) {
  const [a, b] = [[...one], [...other]];
  const at = a.findIndex((character, index) => character !== b[index]);
  if (at < 0) return a.length - b.length;
  return b[at] === undefined ? 1 : a[at].codePointAt(0) - b[at].codePointAt(0);
}

function picksFile() {
  return `${page.picks.beginning}.picks.${reader}.yaml`;
}

/** As a download; `veogen picks --import` puts it in its place. */
function savePicks() {
  withReader(() => {
    const url = URL.createObjectURL(new Blob([picksText()], { type: "text/yaml" }));
    el("a", { href: url, download: picksFile() }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    const gone = [...marks.values()].filter((mark) => !mark.verdict).length;
    saved(`Saved ${picksFile()}; now type: veogen picks ${page.run} --import ${picksFile()}`
      + (gone ? `, and delete by hand ${counted(gone, "line")} of verdicts that you took back` : ""));
  });
}

/** Into the file itself, where the browser lets a page do that. */
function savePicksInPlace() {
  withReader(async () => {
    try {
      const handle = await showSaveFilePicker({ suggestedName: picksFile(),
        types: [{ description: "Picks", accept: { "text/yaml": [".yaml"] } }] });
      const file = await handle.createWritable();
      await file.write(picksText());
      await file.close();
      saved(`Written into ${handle.name}; commit it`);
    } catch (error) {
      if (error.name !== "AbortError") announce(`Not saved: ${error.message}`);
    }
  });
}

function saved(text) {
  for (const mark of marks.values()) mark.saved = true;
  keepMarks();
  for (const tell of whenDecided) tell();
  announce(text, 8000);
}

/** Does it once the reader has a name. */
function withReader(act) {
  if (isPerson(reader)) act();
  else askName(act);
}

const nameField = el("input", { id: "reader", autocomplete: "off", spellcheck: "false", maxlength: "61", required: true });
const nameForm = el("form", { method: "dialog", class: "ask" },
  el("h2", {}, "Who decides?"),
  el("p", {}, "Your picks are a file of your own beside the spec, so that nobody writes into yours."),
  el("label", { for: "reader" }, "Your name, as it stands in the file's name"), nameField,
  el("p", { class: "reason", role: "alert" }),
  el("div", { class: "line" }, el("button", { type: "button", value: "cancel", click: () => nameDialog.close() }, "Cancel"),
    el("button", { class: "main" }, "Go on")));
const nameDialog = el("dialog", { class: "help", "aria-label": "Your name" }, nameForm);
let afterName = null;

nameForm.addEventListener("submit", (event) => {
  event.preventDefault();
  const name = nameField.value.trim();
  if (!isPerson(name)) {
    nameForm.querySelector(".reason").textContent = "Letters, digits, '.', '_' and '-', not first a mark.";
    return;
  }
  setReader(name);
  nameDialog.close();
  afterName?.();
});

function askName(act = null) {
  afterName = act;
  nameField.value = reader;
  nameForm.querySelector(".reason").textContent = "";
  nameDialog.showModal();
}
