// One clip, large, with sound and everything that is known of it.

const viewer = el("dialog", { class: "viewer", "aria-label": "Clip", close: () => {
  viewer.querySelectorAll("video").forEach((video) => video.pause());
  viewer.replaceChildren();
  document.querySelector(`[data-address="${CSS.escape(viewer.dataset.for)}"] .name`)?.focus();
}, click: (event) => event.target === viewer && viewer.close() });

let viewed = null;

/** Opens a clip. */
function view(clip) {
  hush();
  viewed = clip;
  viewer.dataset.for = clip.address;
  viewer.replaceChildren(viewerHead(clip), el("div", { class: "split" },
    el("div", { class: clip.videos.filter((video) => video.here).length > 1 ? "screen several" : "screen" }, large(clip)),
    el("div", { class: "side-text", tabindex: "0", role: "region", "aria-label": "About the clip" },
      el("p", { class: "sub" }, tags(clip)), trouble(clip, true), everything(clip))));
  if (!viewer.open) viewer.showModal();
  const first = viewer.querySelector("video");
  if (first) start(first);
}

function viewerHead(clip) {
  const mine = clip.run === page;
  const head = el("header", { class: "line" },
    el("h2", {}, clip.address, !mine && el("span", { class: "quiet" }, ` in ${clip.run.run}`)),
    el("button", { type: "button", "aria-label": "Previous clip", class: "round", click: () => step(-1) }, icon("left")),
    el("button", { type: "button", "aria-label": "Next clip", class: "round", click: () => step(1) }, icon("right")),
    el("button", { type: "button", "aria-label": "Close", class: "round", click: () => viewer.close() }, icon("close")));
  return mine ? marked(head, clip) : head;
}

function large(clip) {
  const here = clip.videos.filter((video) => video.here);
  if (!here.length) return frames(clip);
  return here.map((video) => el("video", { controls: true, loop: true, playsinline: true, preload: "auto",
    src: video.url, "aria-label": `${clip.address}, ${video.path}` }));
}

/** To the next clip of those that are shown. */
function step(by) {
  const found = shownClips();
  const next = found[(found.indexOf(viewed) + by + found.length) % found.length];
  if (next) view(next);
}
