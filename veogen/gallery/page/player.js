// Clips that play: under the pointer without sound, after a click with it. A frame shows its
// picture, which is in the page; a video is made only where one plays.

const START = 0.1;
const still = matchMedia("(prefers-reduced-motion: reduce)");
let loud = null;

/** A frame for a video: a button that plays it. */
function frame(clip) {
  const { video } = clip;
  if (!video.here) return missing(clip);
  const button = el("button", { class: "frame", type: "button", "aria-label": `Play ${clip.label}`,
    pointerenter: (event) => event.pointerType === "mouse" && !still.matches && preview(button),
    pointerleave: () => endPreview(button),
    click: () => toggleSound(button) });
  button.dataset.src = video.url;
  button.append(poster(clip), el("span", { class: "time" }, `${trimmed(video.seconds)} s`, video.audio && icon("sound")));
  return button;
}

/** The picture of a clip, from within the page. */
function poster(clip) {
  return clip.video.poster
    ? el("img", { src: clip.video.poster, alt: "", decoding: "async", draggable: "false" })
    : el("span", { class: "unlit" });
}

function missing(clip) {
  const where = clip.video.elsewhere ?? "The file is on another machine.";
  return el("div", { class: "blank" }, clip.video.poster && poster(clip), el("strong", {}, "not here"),
    el("span", {}, where), el("code", {}, clip.video.path));
}

function trimmed(number) {
  return String(Math.round(number * 100) / 100);
}

/** Gives a frame its video. */
function wake(button) {
  const there = button.querySelector("video");
  if (there) return there;
  const video = el("video", { preload: "auto", playsinline: true, loop: true, tabindex: "-1", "aria-hidden": "true",
    error: () => { button.classList.add("broken"); },
    timeupdate: () => {
      button.style.setProperty("--at", video.duration ? video.currentTime / video.duration : 0);
    } });
  video.muted = true;
  video.src = `${button.dataset.src}#t=${START}`;
  button.querySelector("img, .unlit").after(video);
  return video;
}

/** Takes a frame's video away, unless somebody listens to it. */
function rest(button) {
  const video = button.querySelector("video");
  if (button === loud || !video) return;
  video.pause();
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
  if (button !== loud) rest(button);
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
  if (button.matches(":hover") && button.isConnected) {
    const video = button.querySelector("video");
    video.pause();
    video.muted = true;
  } else rest(button);
}

/** A clip may be taken away before it begins; that is no error. */
function start(video) {
  video.play().catch(() => {});
}

/** Plays several from their beginning together, without sound. */
function playTogether(frames) {
  hush();
  const playing = frames.some((button) => button.querySelector("video")?.paused === false);
  for (const button of frames) {
    if (playing) {
      rest(button);
      continue;
    }
    const video = wake(button);
    video.muted = true;
    video.currentTime = 0;
    start(video);
  }
}

// Frame by frame, and slower or faster: of large clips.

const SPEEDS = [0.1, 0.25, 0.5, 1, 1.5, 2, 4];
let speed = 1;

/** To the frame `by` further on; what plays stops. */
function stepFrame(video, fps, by) {
  video.pause();
  const length = 1 / (fps || 24);
  const frame = Math.round(video.currentTime / length - 0.5) + by;
  video.currentTime = Math.min(Math.max((frame + 0.5) * length, 0), video.duration || 0);
}

function changeSpeed(by) {
  speed = SPEEDS[Math.min(Math.max(SPEEDS.indexOf(speed) + by, 0), SPEEDS.length - 1)];
  for (const video of document.querySelectorAll("dialog video")) video.playbackRate = speed;
  for (const output of document.querySelectorAll(".speed")) output.value = `${speed}×`;
}

/** The controls of one or two large clips. */
function transport(play, stepBy) {
  const button = (label, drawing, act, title, autofocus = false) => el("button", { type: "button", class: "round",
    "aria-label": label, title, autofocus, click: act }, icon(drawing));
  const rate = el("output", { class: "speed", "aria-label": "Speed" });
  rate.value = `${speed}×`;
  return el("div", { class: "transport", role: "group", "aria-label": "Playing" },
    button("Play or pause", "play", play, "Space", true),
    button("A frame back", "back", () => stepBy(-1), ","),
    button("A frame on", "forth", () => stepBy(1), "."),
    button("Slower", "minus", () => changeSpeed(-1), "["), rate,
    button("Faster", "plus", () => changeSpeed(1), "]"));
}
