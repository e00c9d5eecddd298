// Old and new of one address in two runs, with what became of the words.

const KINDS = { changed: "changed", new: "only in this run", gone: "only in the other run",
  renamed: "renamed", same: "the same" };

function compareView() {
  const chosen = chosenPairs();
  if (!chosen.length) return [compareHead(), nothingToCompare()];
  const list = el("div", {});
  fill(chosen, (pair) => list.append(pairRow(pair)));
  return [compareHead(), list];
}

function chosenPairs() {
  return page.pairs.filter((pair) => (state.same || pair.kind !== "same")
    && (newRequest(pair) ?? oldRequest(pair)).clips.some((clip) => passes(clip)));
}

/** Old and new of each pair, so that one leads to the other. */
function comparedClips() {
  return chosenPairs().flatMap((pair) => [...oldRequest(pair)?.clips ?? [], ...newRequest(pair)?.clips ?? []]);
}

function oldRequest(pair) {
  return pair.old === null ? null : page.other.clips[pair.old];
}

function newRequest(pair) {
  return pair.new === null ? null : page.clips[pair.new];
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
  const [old, now] = [oldRequest(pair), newRequest(pair)];
  const [before] = old?.clips ?? [];
  const [after] = now?.clips ?? [];
  const row = el("div", { class: "side two" },
    half("old", old, page.other.run), half("new", now, page.run));
  return el("section", { class: "strip", "aria-label": (now ?? old).address },
    stripHead((now ?? old).address, row, tag(KINDS[pair.kind], pair.kind),
      before && after && besideButton(before, after)),
    pair.kind === "renamed" && el("p", { class: "quiet" }, `It was ${old.address}.`),
    el("div", { class: "pair" }, row, el("div", { class: "words" },
      old && now ? changeList(old, now) : promptLine(now ?? old))));
}

/** One side; what is of the other run cannot be decided about here. */
function half(word, request, run) {
  if (!request) return absent(`not in ${run}`);
  return el("div", { class: "half" }, request.clips.map((clip) => {
    const text = `${caption(word, clip)}${clip.number ? `, video ${clip.number}` : ""}`;
    return word === "new" ? tile(clip, text) : el("div", { class: "tile" }, picture(clip), el("p", { class: "line" },
      el("button", { type: "button", class: "name", "aria-label": `Open old ${clip.label}`,
        click: () => view(clip) }, text), tags(clip)));
  }));
}
