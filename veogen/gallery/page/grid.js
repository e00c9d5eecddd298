// All clips that pass, in the order of the plan.

function gridView() {
  const found = filtered();
  if (!found.length) return [nothing()];
  return [el("ul", { class: "grid", "aria-label": "Clips" },
    found.map((clip) => el("li", {}, cardOf(clip))))];
}
