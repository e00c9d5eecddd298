// Old and new of one address, with what became of the prompt.

const KINDS = { changed: "changed", new: "only in this run", gone: "only in the other run",
  renamed: "renamed", same: "the same" };

function compareView() {
  const chosen = chosenPairs();
  return [compareHead(), ...(chosen.length ? chosen.map(pairRow) : [nothingToCompare()])];
}

function chosenPairs() {
  return page.pairs.filter((pair) => (state.same || pair.kind !== "same") && passes(pairClip(pair)));
}

/** Old and new of each pair, so that one leads to the other. */
function comparedClips() {
  return chosenPairs().flatMap((pair) => [oldClip(pair), newClip(pair)]).filter(Boolean);
}

function oldClip(pair) {
  return pair.old === null ? null : page.other.clips[pair.old];
}

function newClip(pair) {
  return pair.new === null ? null : clips[pair.new];
}

function pairClip(pair) {
  return newClip(pair) ?? oldClip(pair);
}

function compareHead() {
  const numbers = Object.keys(KINDS)
    .map((kind) => [kind, page.pairs.filter((pair) => pair.kind === kind).length])
    .filter(([, number]) => number);
  const box = el("input", { type: "checkbox", change: () => change({ same: box.checked }) });
  box.checked = state.same;
  return el("div", { class: "choosers" },
    el("p", {}, el("strong", {}, page.other.run), " → ", el("strong", {}, page.run), ": ",
      numbers.map(([kind, number]) => `${number} ${KINDS[kind]}`).join(", ")),
    el("label", { class: "check" }, box, el("span", {}, "also those that are the same")));
}

function nothingToCompare() {
  return el("p", { class: "empty" }, "No request differs that fits these filters.");
}

function pairRow(pair) {
  const [old, now] = [oldClip(pair), newClip(pair)];
  const row = el("div", { class: "side two" },
    half("old", old, page.other.run), half("new", now, page.run));
  const clip = now ?? old;
  return el("section", { class: "strip", "aria-label": clip.address },
    stripHead(clip.address, row, tag(KINDS[pair.kind], pair.kind)),
    pair.kind === "renamed" && el("p", { class: "quiet" }, `It was ${old.address}.`),
    el("div", { class: "pair" }, row, el("div", { class: "words" },
      pair.texts.map(([name, pieces]) => difference(name, pieces)),
      fieldChanges(pair.fields),
      pair.texts.length === 0 && promptLine(clip))));
}

/** One side; what is of the other run cannot be picked here. */
function half(word, clip, run) {
  if (!clip) return el("div", { class: "tile" }, el("div", { class: "blank" }, el("span", {}, `not in ${run}`)));
  const caption = `${word}${clip.credits ? `, ${clip.credits} credits` : ""}`;
  if (word === "new") return tile(clip, caption);
  return el("div", { class: "tile" }, frames(clip), el("p", { class: "line" },
    el("button", { type: "button", class: "name", "aria-label": `Open old ${clip.address}`,
      click: () => view(clip) }, caption), tags(clip)));
}

function difference(name, pieces) {
  const names = { "-": "del", "+": "ins" };
  return el("p", { class: "difference", dir: "auto" },
    name !== "prompt" && el("span", { class: "quiet" }, `${name.replace("_", " ")}: `),
    pieces.map(([sign, text]) => (sign === "=" ? text : el(names[sign], {}, text))));
}

function fieldChanges(fields) {
  if (!fields.length) return null;
  return facts(fields.map(([name, old, now]) => [name,
    [old !== null && el("del", {}, old), " ", now !== null && el("ins", {}, now)]]));
}
