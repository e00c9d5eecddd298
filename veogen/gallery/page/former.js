// Clips that left the plan, each beside what stands in its place now, with what became of the words.

function formerView() {
  const found = shownFormer();
  if (!found.length) return [nothing()];
  const list = el("div", {});
  fill(found, (clip) => list.append(formerRow(clip)));
  return [list];
}

/** Newest first, those with a successor in the order of the plan. */
function shownFormer() {
  const order = new Map(clips.map((clip, index) => [clip, index]));
  const place = (clip) => order.get(successorOf(clip)) ?? clips.length;
  return former.filter((clip) => passesFormer(clip)).reverse().sort((a, b) => place(a) - place(b));
}

function formerRow(clip) {
  const now = successorOf(clip);
  const row = el("div", { class: "side two" }, tile(clip, caption("former", clip)),
    now ? tile(now, caption("now", now)) : absent("Nothing in the plan has this address any more."));
  return el("section", { class: "strip", "aria-label": clip.label },
    stripHead(clip.address, row, now && besideButton(clip, now)),
    el("div", { class: "pair" }, row, el("div", { class: "words" },
      now ? changeList(clip, now) : promptLine(clip))));
}

function caption(word, clip) {
  return `${word}${clip.credits ? `, ${clip.credits} credits` : ""}`;
}

function absent(text) {
  return el("div", { class: "tile" }, el("div", { class: "blank" }, el("span", {}, text)));
}

function besideButton(one, other) {
  return one.video?.here && other.video?.here
    && el("button", { type: "button", click: () => beside(one, other) }, "In step");
}
