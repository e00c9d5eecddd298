// Several purchases of one request, side by side.

function hasTakes() {
  return clips.some((clip) => clip.take > 1);
}

function takesView() {
  const groups = [...Map.groupBy(severalTakes(), combination)];
  return groups.length ? groups.map(([address, found]) => takesRow(address, found)) : [nothing()];
}

function severalTakes() {
  return filtered().filter((clip) => takesOf(clip).length > 1);
}

function takesRow(address, found) {
  const row = el("div", { class: "side" }, found.map((clip) => tile(clip, `take ${clip.take}`)));
  return el("section", { class: "strip", "aria-label": address },
    stripHead(address, row), promptLine(found[0]), row);
}

function stripHead(title, row, ...more) {
  return el("div", { class: "line" }, el("h3", {}, title), more,
    el("button", { type: "button", click: () => playTogether([...row.querySelectorAll(".frame")]) },
      "Play together"));
}

function promptLine(clip) {
  return clip.prompt && el("p", { class: "prompt", dir: "auto" }, clip.prompt);
}
