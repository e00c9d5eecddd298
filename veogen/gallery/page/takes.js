// Several purchases of one request, and its several videos, side by side.

function hasTakes() {
  return clips.some((clip) => takesOf(clip).length > 1);
}

function takesView() {
  const groups = [...Map.groupBy(severalTakes(), combination)];
  if (!groups.length) return [nothing()];
  const list = el("div", {});
  fill(groups, ([address, found]) => list.append(takesRow(address, found)));
  return [list];
}

function severalTakes() {
  return filtered().filter((clip) => takesOf(clip).length > 1);
}

function takesRow(address, found) {
  const row = el("div", { class: "side" }, found.map((clip) => tile(clip, takeName(clip))));
  return el("section", { class: "strip", "aria-label": address },
    stripHead(address, row), promptLine(found[0]), row);
}

function takeName(clip) {
  return `take ${clip.take}${clip.number ? `, video ${clip.number}` : ""}`;
}

function stripHead(title, row, ...more) {
  return el("div", { class: "line" }, el("h3", {}, title), more,
    el("button", { type: "button", click: () => playTogether([...row.querySelectorAll(".frame")]) },
      "Play together"));
}

function promptLine(clip) {
  return clip.prompt && el("p", { class: "prompt", dir: "auto" }, clip.prompt);
}
