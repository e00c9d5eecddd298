// One clip as a card.

const cards = new Map();

/** The card of a clip in the grid, made once. */
function cardOf(clip) {
  if (!cards.has(clip)) cards.set(clip, makeCard(clip));
  return cards.get(clip);
}

function makeCard(clip) {
  const card = el("article", { class: "card" },
    picture(clip),
    el("h3", { title: clip.address }, nameButton(clip, nameOf(clip))),
    el("p", { class: "sub" },
      el("span", {}, clip.shot, clip.credits && ` · ${clip.credits} credits`), tags(clip)),
    clip.prompt && el("p", { class: "prompt", dir: "auto" }, clip.prompt),
    trouble(clip),
    details(clip));
  return marked(card, clip);
}

function nameButton(clip, text) {
  return el("button", { type: "button", class: "name", "aria-label": `Open ${clip.label}`, click: () => view(clip) }, text);
}

const MEANINGS = {
  planned: "Nothing was sent yet.",
  submitted: "The gateway is at work on it.",
  failed: "There is no clip.",
  indeterminate: "It may or may not have been bought.",
  undelivered: "Made and paid for, but not here.",
};

/** What is to be seen of a clip. */
function picture(clip) {
  return el("div", { class: "frames" }, clip.video ? frame(clip)
    : el("div", { class: `blank ${clip.status}` }, el("strong", {}, clip.status),
      el("span", {}, MEANINGS[clip.status])));
}

/** Made when it is opened: a thousand cards are looked at, few are read. */
function details(clip) {
  const box = el("details", { toggle: () => {
    if (box.open && box.children.length === 1) box.append(el("div", { class: "more" }, everything(clip)));
  } }, el("summary", { "aria-label": `Details of ${clip.label}` }, "Details"));
  return box;
}

/** A clip in a few lines, for tables and rows. */
function tile(clip, caption) {
  const box = el("div", { class: "tile" }, picture(clip),
    el("p", { class: "line" }, nameButton(clip, caption ?? nameOf(clip)), tags(clip)),
    clip.status !== "completed" && clip.error && el("p", { class: "reason", dir: "auto" },
      clip.error.message || clip.error.code));
  return marked(box, clip);
}
