// Two clips, freely chosen, in step: side by side, or one over the other with a wipe.

const duel = { left: null, right: null, wiping: false, frame: 0 };
const besideDialog = el("dialog", { class: "viewer beside", "aria-label": "Two clips", close: endBeside,
  click: (event) => event.target === besideDialog && besideDialog.close() });

function playable() {
  return [...clips, ...former, ...others].filter((clip) => clip.video?.here);
}

/** Opens two clips; what was chosen first stands on the left. */
function beside(left, right) {
  hush();
  viewer.querySelectorAll("video").forEach((video) => video.pause());
  Object.assign(duel, { left, right });
  besideDialog.replaceChildren(besideHead(), besideStage(), besideFoot());
  if (besideDialog.open) besideDialog.querySelector("[autofocus]")?.focus();
  else besideDialog.showModal();
  playBeside();
}

let firstChosen = null;

/** The first of two is remembered until the second is chosen. */
function chooseBeside(clip) {
  if (!clip?.video?.here) return;
  if (!firstChosen || firstChosen === clip) {
    firstChosen = firstChosen === clip ? null : clip;
    announce(firstChosen ? "Chosen: press B on another clip to see both in step" : "Not chosen any more");
    return;
  }
  beside(firstChosen, clip);
  firstChosen = null;
}

/** The clip in the viewer beside the likeliest other. */
function besideViewed() {
  const [nearest] = [...formerOf(viewed), viewed.former && successorOf(viewed), ...takesOf(viewed), ...playable()]
    .filter((clip) => clip && clip !== viewed && clip.video?.here);
  if (nearest) beside(nearest, viewed);
  else announce("There is no other clip here");
}

function besideHead() {
  const swap = () => beside(duel.right, duel.left);
  const wipe = el("button", { type: "button", title: "W", "aria-pressed": duel.wiping, click: () => toggleWipe() }, "Wipe");
  return el("header", { class: "line" }, el("h2", {}, "In step"), wipe,
    el("button", { type: "button", click: swap }, "Swap"),
    el("button", { type: "button", "aria-label": "Close", class: "round", click: () => besideDialog.close() }, icon("close")));
}

function toggleWipe() {
  duel.wiping = !duel.wiping;
  besideDialog.querySelector(".duel").classList.toggle("wiping", duel.wiping);
  besideDialog.querySelector("[aria-pressed]").setAttribute("aria-pressed", duel.wiping);
  besideDialog.querySelector(".wipe").hidden = !duel.wiping;
}

function besideStage() {
  const video = (clip, side) => el("video", { class: side, playsinline: true, preload: "auto", muted: true,
    src: clip.video.url, poster: clip.video.poster ?? false, "aria-label": `${side}: ${clip.label}` });
  const stage = el("div", { class: `duel${duel.wiping ? " wiping" : ""}`,
    pointermove: (event) => event.buttons && wipeAt(event), pointerdown: wipeAt }, video(duel.left, "left"), video(duel.right, "right"));
  for (const one of stage.children) {
    one.muted = true;
    one.playbackRate = speed;
  }
  return stage;
}

function wipeAt(event) {
  if (!duel.wiping) return;
  const box = event.currentTarget.getBoundingClientRect();
  setWipe(Math.round((event.clientX - box.left) / box.width * 100));
}

function setWipe(percent) {
  const at = Math.min(Math.max(percent, 0), 100);
  besideDialog.querySelector(".duel").style.setProperty("--wipe", `${at}%`);
  besideDialog.querySelector(".wipe").value = at;
}

function besideFoot() {
  const wipe = el("input", { type: "range", class: "wipe", min: "0", max: "100", value: "50", "aria-label": "Wipe",
    input: () => setWipe(Number(wipe.value)) });
  wipe.hidden = !duel.wiping;
  const time = el("input", { type: "range", class: "time-line", min: "0", max: "1000", value: "0", "aria-label": "Time",
    input: () => seekBeside(Number(time.value) / 1000 * longest().duration) });
  return el("footer", {}, wipe, time, transport(playBeside, stepBeside),
    el("div", { class: "side two" }, ["left", "right"].map((side) => el("div", {},
      chooser(side), marked(el("div", { class: "decision" }), duel[side])))),
    el("div", { class: "words" }, sameWords() ? el("p", { class: "quiet" }, "Both were asked for in the same words.")
      : changeList(duel.left, duel.right)));
}

function sameWords() {
  const { texts, fields } = changesBetween(duel.left, duel.right);
  return !texts.length && !fields.length;
}

/** All clips that can be played, to choose another. */
function chooser(side) {
  const all = playable();
  const select = el("select", { "aria-label": `The ${side} clip`, change: () => {
    const chosen = all[Number(select.value)];
    if (side === "left") beside(chosen, duel.right);
    else beside(duel.left, chosen);
  } }, all.map((clip, index) => el("option", { value: String(index), selected: clip === duel[side] },
    `${clip.label}${clip.run === page ? "" : ` in ${clip.run.run}`}`)));
  return select;
}

function pairOfVideos() {
  return [...besideDialog.querySelectorAll(".duel video")];
}

function longest() {
  const [left, right] = pairOfVideos();
  return (right.duration || 0) > (left.duration || 0) ? right : left;
}

function playBeside() {
  const videos = pairOfVideos();
  const playing = videos.some((video) => !video.paused && !video.ended);
  for (const video of videos) {
    if (playing) video.pause();
    else start(video);
  }
  cancelAnimationFrame(duel.frame);
  if (!playing) keepInStep();
}

function stepBeside(by) {
  const lead = longest();
  stepFrame(lead, (duel.left.video.fps + duel.right.video.fps) / 2, by);
  seekBeside(lead.currentTime);
}

/** Both to one time; a shorter clip stays on its last picture. */
function seekBeside(seconds) {
  for (const video of pairOfVideos()) {
    video.pause();
    video.currentTime = Math.min(seconds, video.duration || 0);
  }
  showTime();
}

function showTime() {
  const lead = longest();
  besideDialog.querySelector(".time-line").value = lead.duration ? lead.currentTime / lead.duration * 1000 : 0;
}

const APART = 0.05;

/** The other follows the longer one, and both begin again together. */
function keepInStep() {
  if (!besideDialog.open || pairOfVideos().length < 2) return;
  const lead = longest();
  const [other] = pairOfVideos().filter((video) => video !== lead);
  if (lead.ended) {
    for (const video of [lead, other]) {
      video.currentTime = 0;
      start(video);
    }
  } else if (!lead.paused && !lead.seeking && !other.seeking && other.duration) {
    const wanted = Math.min(lead.currentTime, other.duration);
    if (Math.abs(other.currentTime - wanted) > APART) other.currentTime = wanted;
    if (other.paused && wanted < other.duration) start(other);
  }
  showTime();
  duel.frame = requestAnimationFrame(keepInStep);
}

function endBeside() {
  cancelAnimationFrame(duel.frame);
  besideDialog.replaceChildren();
  if (!viewer.open) focusClip(duel.right);
}
