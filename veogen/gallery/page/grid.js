// All clips that pass, in the order of the plan.

function gridView() {
  const found = filtered();
  if (!found.length) return [nothing()];
  const list = el("ul", { class: "grid", "aria-label": "Clips" });
  fill(found, (clip) => list.append(el("li", {}, cardOf(clip))));
  return [list];
}
