// One request as a card.

const cards = new Map();

/** The card of a clip in the grid, made once. */
function cardOf(clip) {
  if (!cards.has(clip)) cards.set(clip, makeCard(clip));
  return cards.get(clip);
}

function makeCard(clip) {
  const card = el("article", { class: "card" },
    frames(clip),
    el("h3", { title: clip.address }, el("button", { type: "button", class: "name",
      "aria-label": `Open ${clip.address}`, click: () => view(clip) }, nameOf(clip))),
    el("p", { class: "sub" },
      el("span", {}, clip.shot, clip.credits && ` · ${clip.credits} credits`), tags(clip)),
    clip.prompt && el("p", { class: "prompt", dir: "auto" }, clip.prompt),
    trouble(clip),
    details(clip));
  return marked(card, clip);
}

/** Makes an element stand for a clip: it can be picked and found by its keys. */
function marked(element, clip, button = pickButton(clip)) {
  element.dataset.address = clip.address;
  element.append(button);
  showPick(button);
  return element;
}

const MEANINGS = {
  planned: "Nothing was sent yet.",
  submitted: "The gateway is at work on it.",
  failed: "There is no clip.",
  indeterminate: "It may or may not have been bought.",
  undelivered: "Made and paid for, but not here.",
};

/** What is to be seen of a clip. */
function frames(clip) {
  const shown = clip.videos.map((video) => frame(clip, video));
  return el("div", { class: shown.length > 1 ? "frames several" : "frames" },
    shown.length ? shown : el("div", { class: `blank ${clip.status}` }, el("strong", {}, clip.status),
      el("span", {}, MEANINGS[clip.status])));
}

/** Made when it is opened: a thousand cards are looked at, few are read. */
function details(clip) {
  const box = el("details", { toggle: () => {
    if (box.open && box.children.length === 1) box.append(el("div", { class: "more" }, everything(clip)));
  } }, el("summary", { "aria-label": `Details of ${clip.address}` }, "Details"));
  return box;
}

/** A clip in a few lines, for tables and rows. */
function tile(clip, caption) {
  const name = caption ?? nameOf(clip);
  const box = el("div", { class: "tile" }, frames(clip),
    el("p", { class: "line" },
      el("button", { type: "button", class: "name", "aria-label": `Open ${clip.address}`,
        click: () => view(clip) }, name),
      tags(clip)),
    clip.status !== "completed" && clip.error && el("p", { class: "reason", dir: "auto" },
      clip.error.message || clip.error.code));
  return marked(box, clip);
}
