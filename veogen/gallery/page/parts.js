// Parts that cards and the viewer share.

function tag(text, kind) {
  return el("span", { class: `tag ${kind.replace(" ", "-")}` }, text);
}

/** Everything about its state that is not just well; where there is no clip, the blank says it. */
function tags(clip) {
  return [
    clip.former && tag("former", "former"),
    clip.status !== "completed" && clip.video && tag(clip.status, clip.status),
    clip.video && !clip.video.here && tag("not here", "not-here"),
    ...(clip.video?.warnings ?? []).map((warning) => tag(`warning: ${warning}`, "warnings")),
  ];
}

/** Why it is not completed, and what to type. */
function trouble(clip, open = false) {
  if (!clip.error) return null;
  const steps = clip.steps.map(([command, why]) => el("li", {},
    el("code", {}, command), copyButton(command, "command"), el("span", {}, why)));
  return el("div", { class: `trouble ${clip.status}` },
    el("p", { dir: "auto" }, clip.error.message || "No reason was given.", " (", el("code", {}, clip.error.code), ")"),
    clip.error.cost && el("p", {}, sentence(clip.error.cost)),
    steps.length > 0 && el("details", { open }, el("summary", {}, "What to type"), el("ul", { class: "steps" }, steps)));
}

function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

/** A list of what is known: pairs of a term and a text or element. */
function facts(pairs) {
  return el("dl", { class: "facts" },
    pairs.filter(([, value]) => value != null && value !== "")
      .flatMap(([term, value]) => [el("dt", {}, term), el("dd", {}, value)]));
}

function copied(text, what) {
  return [el("code", {}, text), " ", copyButton(text, what)];
}

/** Prompt, parameters, identity and money of a clip. */
function everything(clip) {
  return [
    clip.prompt == null
      ? el("p", { class: "quiet" }, "The prompt is not known here: it is in the journal of the machine that bought the clip, and in the spec.")
      : el("section", {}, heading("Prompt", clip.prompt), el("p", { class: "whole", dir: "auto" }, clip.prompt)),
    clip.negative && el("section", {}, heading("Negative prompt", clip.negative),
      el("p", { class: "whole", dir: "auto" }, clip.negative)),
    facts([
      ["address", copied(clip.address, "address")],
      ...Object.entries(clip.parameters),
      ...(clip.video ? facets(clip.video) : []),
      ["credits", clip.credits],
      ["attempts", clip.attempts > 1 ? String(clip.attempts) : null],
      ["task", clip.task && copied(clip.task, "task")],
      ["hash", copied(clip.hash, "hash")],
    ]),
  ];
}

function heading(text, source) {
  return el("h4", {}, text, " ", copyButton(source, text.toLowerCase()));
}

function facets(video) {
  const size = `${video.width} × ${video.height}, ${trimmed(video.seconds)} s, ${trimmed(video.fps)} fps, `
    + `${video.audio ? "sound" : "no sound"}, ${(video.bytes / 1e6).toFixed(1)} MB`;
  return [["video", size], ["file", copied(video.path, "path")]];
}

// Long lists: what is seen first at once, the rest as the browser has time.

const AT_ONCE = 32;
const IN_ONE_GO = 24;
let filling = null;

/** Runs `make` for all items, the first at once; what was going on before is given up. */
function fill(items, make) {
  const job = { items, make, next: 0 };
  filling = job;
  advance(job, AT_ONCE);
  const goOn = (deadline) => {
    if (filling !== job) return;
    do advance(job, IN_ONE_GO); while (job.next < items.length && deadline.timeRemaining() > 8);
    if (job.next < items.length) soon(goOn);
    else filled(job);
  };
  if (job.next < items.length) soon(goOn);
  else filled(job);
}

function advance(job, most) {
  const end = Math.min(job.next + most, job.items.length);
  while (job.next < end) {
    job.make(job.items[job.next]);
    job.next += 1;
  }
}

/** The rest now, because somebody goes there. */
function fillAll() {
  if (!filling) return;
  advance(filling, filling.items.length);
  filled(filling);
}

function filled(job) {
  if (filling === job) filling = null;
  performance.mark("filled");
}

function soon(act) {
  if ("requestIdleCallback" in window) requestIdleCallback(act, { timeout: 300 });
  else setTimeout(() => act({ timeRemaining: () => 0 }), 16);
}
