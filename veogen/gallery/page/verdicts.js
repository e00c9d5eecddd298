// What stands on a clip that somebody may decide about: buttons, notes, what everybody says.

const noteField = el("textarea", { id: "note", rows: "3", maxlength: "2000" });
const noteTitle = el("h2", {});
const noteDialog = el("dialog", { class: "help", "aria-label": "Note" },
  el("form", { method: "dialog", class: "ask", submit: (event) => keepNote(event) },
    noteTitle, el("label", { for: "note" }, "Why, for those who come after you"), noteField,
    el("div", { class: "line" },
      el("button", { type: "button", click: () => noteDialog.close() }, "Cancel"),
      el("button", { value: "reject" }, icon("close"), " Reject"),
      el("button", { value: "pick", class: "main" }, icon("check"), " Pick"))));
let noted = null;

function keepNote(event) {
  decide(noted, event.submitter?.value ?? "pick", noteField.value.trim());
}

/** Asks for a note, which goes with a verdict. */
function askNote(clip) {
  if (!canDecide(clip)) return;
  noted = clip;
  noteTitle.textContent = clip.label;
  noteField.value = ownLine(clip)?.note ?? "";
  noteDialog.showModal();
  noteField.focus();
}

noteField.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  decide(noted, ownLine(noted)?.verdict ?? "pick", noteField.value.trim());
  noteDialog.close();
});

// What stands on a clip

function verdictButtons(clip) {
  return el("div", { class: "verdicts" },
    verdictButton(clip, "pick", "Pick", "check"),
    verdictButton(clip, "reject", "Reject", "close"),
    el("button", { class: "verdict note", type: "button", "aria-label": `Note on ${clip.label}`, title: "Note (E)",
      click: () => askNote(clip) }, icon("note")));
}

function verdictButton(clip, verdict, word, drawing) {
  return el("button", { class: `verdict ${verdict}`, type: "button", "aria-label": `${word} ${clip.label}`,
    title: `${word} (${verdict === "pick" ? "P" : "X"})`, click: () => toggleVerdict(clip, verdict) }, icon(drawing));
}

/** Makes an element stand for a clip: it can be decided about and found by its keys. */
function marked(element, clip) {
  element.dataset.address = clip.address;
  element.dataset.clip = clip.id;
  if (canDecide(clip)) {
    const opinions = el("ul", { class: "opinions", "aria-label": "Verdicts" });
    element.insertBefore(opinions, element.querySelector(":scope > .prompt, :scope > details"));
    element.append(verdictButtons(clip));
    showDecision(element, clip);
  }
  return element;
}

const DECISIONS = ["picked", "rejected", "contested", "stale", "unreviewed"];

function showDecision(element, clip) {
  const decision = decisionOf(clip);
  for (const name of DECISIONS) element.classList.toggle(name, name === decision);
  element.classList.toggle("unsaved", isUnsaved(clip));
  const own = ownLine(clip)?.verdict;
  element.querySelector(".verdict.pick").setAttribute("aria-pressed", own === "pick");
  element.querySelector(".verdict.reject").setAttribute("aria-pressed", own === "reject");
  const list = element.querySelector(".opinions");
  list.replaceChildren(...opinionsOf(clip).map((one) => opinion(one, clip)));
  list.hidden = !list.children.length;
}

function opinion(line, clip) {
  return el("li", { class: line.verdict }, icon(line.verdict === "pick" ? "check" : "close"),
    el("span", {}, el("b", {}, line.by), line.verdict === "pick" ? " picked" : " rejected",
      line.note && [": ", el("q", { dir: "auto" }, line.note)],
      line.own && isUnsaved(clip) && [" ", tag("not saved", "unsaved")]));
}

whenDecided.push((clip) => {
  const selector = clip ? `[data-clip="${CSS.escape(clip.id)}"]` : "[data-clip]";
  for (const element of document.querySelectorAll(selector)) {
    if (element.querySelector(".verdict")) showDecision(element, byId.get(element.dataset.clip));
  }
  for (const [one, card] of cards) {
    if ((!clip || one === clip) && !card.isConnected && canDecide(one)) showDecision(card, one);
  }
});

/** The bar of what is not saved, and how to save it. */
function picksBar() {
  const count = el("strong", {});
  const hint = el("span", { class: "quiet" });
  const inPlace = "showSaveFilePicker" in window && el("button", { type: "button", click: savePicksInPlace }, "Save into the file…");
  const bar = el("section", { class: "picks", "aria-label": "Your picks" }, count,
    el("button", { type: "button", class: "main", click: savePicks }, "Save picks"), inPlace,
    el("button", { type: "button", click: () => askName() }, "Your name"), hint);
  const show = () => {
    const unsaved = [...marks.values()].filter((mark) => !mark.saved).length;
    const waiting = marks.size - unsaved;
    count.textContent = unsaved ? `${unsaved} not saved` : `${waiting} saved, not yet in the page`;
    hint.textContent = waiting && !unsaved ? `veogen picks ${page.run} --import ${picksFile()}, then veogen gallery`
      : reader ? `as ${reader}` : "";
    bar.hidden = marks.size === 0;
    document.body.classList.toggle("picking", marks.size > 0);
  };
  whenDecided.push(show);
  show();
  return bar;
}
