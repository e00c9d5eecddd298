// Clips that play: under the pointer without sound, after a click with it. Only frames that are
// about to be seen hold a video, because browsers stop at some dozens.

const MOST_LIVE = 48;
const START = 0.1;
const live = new Set();
const still = matchMedia("(prefers-reduced-motion: reduce)");
let loud = null;

const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) wake(target);
    else rest(target);
  }
}, { rootMargin: "300px" });

/** A frame for a video: a button that plays it. */
function frame(clip, video) {
  const which = clip.videos.length > 1 ? `, video ${clip.videos.indexOf(video) + 1}` : "";
  if (!video.here) return missing(video);
  const button = el("button", { class: "frame", type: "button",
    "aria-label": `Play ${clip.address}${which}`,
    pointerenter: (event) => event.pointerType === "mouse" && !still.matches && preview(button),
    pointerleave: () => endPreview(button),
    click: () => toggleSound(button) });
  button.dataset.src = video.url;
  button.append(el("span", { class: "time" }, `${trimmed(video.seconds)} s`, video.audio && icon("sound")));
  watcher.observe(button);
  return button;
}

function missing(video) {
  return el("div", { class: "blank" }, el("strong", {}, "not here"),
    el("span", {}, "The file is on another machine."), el("code", {}, video.path));
}

function trimmed(number) {
  return String(Math.round(number * 100) / 100);
}

/** Gives a frame its video. */
function wake(button) {
  if (live.has(button)) return button.querySelector("video");
  for (const other of live) {
    if (live.size < MOST_LIVE) break;
    if (other !== loud) rest(other);
  }
  const video = el("video", { preload: "metadata", playsinline: true, loop: true, tabindex: "-1",
    "aria-hidden": "true",
    error: () => { button.classList.add("broken"); },
    timeupdate: () => {
      button.style.setProperty("--at", video.duration ? video.currentTime / video.duration : 0);
    } });
  video.muted = true;
  video.src = `${button.dataset.src}#t=${START}`;
  button.prepend(video);
  live.add(button);
  return video;
}

/** Takes a frame's video away, unless somebody listens to it. */
function rest(button) {
  if (button === loud) return;
  live.delete(button);
  const video = button.querySelector("video");
  if (!video) return;
  video.removeAttribute("src");
  video.load();
  video.remove();
}

function preview(button) {
  if (button === loud) return;
  const video = wake(button);
  video.muted = true;
  start(video);
}

function endPreview(button) {
  if (button === loud) return;
  const video = button.querySelector("video");
  if (!video) return;
  video.pause();
  video.currentTime = START;
}

/** Plays with sound, or stops; one clip is heard at a time. */
function toggleSound(button) {
  if (button === loud) {
    hush();
    return;
  }
  hush();
  const video = wake(button);
  loud = button;
  button.classList.add("loud");
  video.muted = false;
  start(video);
}

function hush() {
  if (!loud) return;
  const button = loud;
  loud = null;
  button.classList.remove("loud");
  const video = button.querySelector("video");
  video?.pause();
  if (video) video.muted = true;
}

/** A clip may be taken away before it begins; that is no error. */
function start(video) {
  video.play().catch(() => {});
}

/** Plays several from their beginning together, without sound. */
function playTogether(frames) {
  hush();
  const videos = frames.map(wake);
  const playing = videos.some((video) => !video.paused);
  for (const video of videos) {
    video.muted = true;
    if (playing) video.pause();
    else {
      video.currentTime = 0;
      start(video);
    }
  }
}
