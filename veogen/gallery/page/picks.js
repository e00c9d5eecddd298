// Clips that somebody has chosen, by address: kept in this browser, saved as a list for --select.

const picks = new Set();
const whenPicked = [];
const PICKS_KEY = `picks:${location.pathname}`;

for (const address of (memory.read(PICKS_KEY) ?? "").split("\n")) {
  if (byAddress.has(address)) picks.add(address);
}

function setPicked(addresses, picked) {
  for (const address of addresses) {
    if (picked) picks.add(address);
    else picks.delete(address);
  }
  memory.write(PICKS_KEY, [...picks].join("\n"));
  for (const tell of whenPicked) tell();
}

function togglePick(clip) {
  setPicked([clip.address], !picks.has(clip.address));
}

/** One address a line, in the order of the plan. */
function picksText() {
  return clips.filter((clip) => picks.has(clip.address)).map((clip) => `${clip.address}\n`).join("");
}

function savePicks() {
  const url = URL.createObjectURL(new Blob([picksText()], { type: "text/plain" }));
  el("a", { href: url, download: "picks.txt" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  announce(`${counted(picks.size, "address", "addresses")} saved as picks.txt`);
}

async function loadPicks(file) {
  const lines = (await file.text()).split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
  const known = lines.filter((line) => byAddress.has(line));
  setPicked(known, true);
  const strange = lines.length - known.length;
  announce(`${counted(known.length, "clip")} picked${strange ? `, ${strange} not of this run` : ""}`);
}

/** Takes up the picks of somebody else. */
function picksOpener() {
  const file = el("input", { type: "file", accept: ".txt,text/plain", class: "unseen", tabindex: "-1",
    "aria-label": "A list of picks", change: async () => {
      if (file.files[0]) await loadPicks(file.files[0]);
      file.value = "";
    } });
  return [el("button", { type: "button", click: () => file.click() }, "Add picks from a file"), file];
}

/** The bar that comes up with the first pick. */
function picksBar() {
  const count = el("strong", {});
  const only = el("button", { type: "button", click: () => change({ picked: !state.picked }) }, "Only picks");
  whenChanged.push(() => only.setAttribute("aria-pressed", state.picked));
  const bar = el("section", { class: "picks", "aria-label": "Picks" },
    count,
    el("button", { type: "button", class: "main", click: savePicks }, "Save picks.txt"),
    el("button", { type: "button", click: () => copy(picksText(), "Picks") }, "Copy"),
    only,
    el("button", { type: "button", click: () => setPicked([...picks], false) }, "Clear"),
    el("code", {}, "veogen run SPEC --select @picks.txt"),
  );
  const show = () => {
    count.textContent = `${picks.size} picked`;
    bar.hidden = picks.size === 0;
    document.body.classList.toggle("picking", picks.size > 0);
  };
  whenPicked.push(show);
  show();
  return bar;
}

/** The mark on a clip. */
function pickButton(clip) {
  const button = el("button", { class: "pick", type: "button", "aria-label": `Pick ${clip.address}`,
    click: (event) => { event.stopPropagation(); togglePick(clip); } }, icon("check"));
  button.dataset.pick = clip.address;
  showPick(button);
  return button;
}

function showPick(button) {
  const picked = picks.has(button.dataset.pick);
  button.setAttribute("aria-pressed", picked);
  button.closest("[data-address]")?.classList.toggle("picked", picked);
}

whenPicked.push(() => document.querySelectorAll("[data-pick]").forEach(showPick));
