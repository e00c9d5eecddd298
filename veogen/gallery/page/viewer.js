// One clip, large, with sound and everything that is known of it.

const viewer = el("dialog", { class: "viewer", "aria-label": "Clip", close: () => {
  viewer.querySelectorAll("video").forEach((video) => video.pause());
  viewer.replaceChildren();
  focusClip(viewed);
}, click: (event) => event.target === viewer && viewer.close() });

let viewed = null;

/** Opens a clip. */
function view(clip) {
  hush();
  viewed = clip;
  const screen = el("div", { class: "screen" }, large(clip));
  viewer.replaceChildren(viewerHead(clip), el("div", { class: "split" },
    el("div", { class: "stack" }, screen, clip.video?.here && transport(playViewed, stepViewed)),
    el("div", { class: "side-text", tabindex: "0", role: "region", "aria-label": "About the clip" },
      marked(el("div", { class: "decision" }), clip),
      el("p", { class: "sub" }, tags(clip)), trouble(clip, true), everything(clip), relatives(clip))));
  if (viewer.open) viewer.querySelector("[autofocus]")?.focus();
  else viewer.showModal();
  const video = viewer.querySelector("video");
  if (!video) return;
  video.playbackRate = speed;
  start(video);
}

function viewerHead(clip) {
  const mine = clip.run === page;
  const round = (label, drawing, act) => el("button", { type: "button", "aria-label": label, class: "round", click: act }, icon(drawing));
  return el("header", { class: "line" },
    el("h2", {}, clip.label, !mine && el("span", { class: "quiet" }, ` in ${clip.run.run}`)),
    clip.video?.here && el("button", { type: "button", title: "B", click: () => besideViewed() }, "Beside another"),
    round("Previous clip", "left", () => stepClip(-1)), round("Next clip", "right", () => stepClip(1)),
    round("Close", "close", () => viewer.close()));
}

function large(clip) {
  if (!clip.video?.here) return picture(clip);
  return el("video", { controls: true, loop: true, playsinline: true, preload: "auto", poster: clip.video.poster ?? false,
    src: clip.video.url, "aria-label": clip.label });
}

/** Other takes of it, and what stood or stands under its address. */
function relatives(clip) {
  const found = [...formerOf(clip), ...(clip.former ? [successorOf(clip)] : takesOf(clip))]
    .filter((one) => one && one !== clip && one.video && clip.run === page);
  if (!found.length || !clip.video?.here) return null;
  return el("section", {}, el("h4", {}, "Beside"), el("ul", { class: "relatives" }, found.map((one) => el("li", {},
    el("button", { type: "button", class: "name", click: () => beside(one, clip) },
      one.former ? `the former clip ${one.id}` : clip.former ? "the clip of today" : takeName(one))))));
}

function playViewed() {
  const video = viewer.querySelector("video");
  if (!video) return;
  if (video.paused) start(video);
  else video.pause();
}

function stepViewed(by) {
  const video = viewer.querySelector("video");
  if (video) stepFrame(video, viewed.video.fps, by);
}

/** To the next clip of those that are shown. */
function stepClip(by) {
  const found = shownClips();
  const next = found[(found.indexOf(viewed) + by + found.length) % found.length];
  if (next) view(next);
}
