// The data of the page, and what follows from it.

const page = JSON.parse(document.getElementById("data").textContent);
const STATUSES = ["completed", "not here", "warnings", "submitted", "planned", "failed",
  "indeterminate", "undelivered"];

prepare(page);
if (page.other) prepare(page.other);

const clips = page.clips;
const axes = axisNames(clips);
const byAddress = new Map(clips.map((clip) => [clip.address, clip]));

function prepare(run) {
  for (const clip of run.clips) {
    clip.run = run;
    clip.places = { shot: clip.shot, ...clip.values, take: String(clip.take) };
    clip.flags = flagsOf(clip);
    clip.haystack = `${clip.address}\n${clip.prompt ?? ""}\n${clip.hash}`.toLowerCase();
  }
}

/** Its status, and what else one may look for. */
function flagsOf(clip) {
  const flags = [clip.status];
  if (clip.videos.some((video) => !video.here)) flags.push("not here");
  if (clip.videos.some((video) => video.warnings.length)) flags.push("warnings");
  return flags;
}

function axisNames(found) {
  return [...new Set(found.flatMap((clip) => Object.keys(clip.values)))];
}

/** What can be laid out as rows and columns. */
function dimensions() {
  const takes = clips.some((clip) => clip.take > 1);
  const shots = new Set(clips.map((clip) => clip.shot)).size > 1;
  return [...(shots ? ["shot"] : []), ...axes, ...(takes ? ["take"] : [])];
}

/** The values of a dimension in the order of the plan; `null` stands for clips without it. */
function valuesOf(dimension, found) {
  const values = [...new Set(found.map((clip) => clip.places[dimension] ?? null))];
  return [...values.filter((value) => value !== null), ...values.filter((value) => value === null)];
}

/** What tells a clip from others of its shot: its values, else its shot. */
function nameOf(clip, without = []) {
  const values = Object.entries(clip.values).filter(([axis]) => !without.includes(axis));
  const parts = values.map(([, value]) => value);
  if (takesOf(clip).length > 1 && !without.includes("take")) parts.push(`take ${clip.take}`);
  return parts.length ? parts.join(" · ") : clip.shot;
}

/** The address without the number of the take. */
function combination(clip) {
  return clip.take > 1 ? clip.address.slice(0, -`#${clip.take}`.length) : clip.address;
}

let byCombination = null;

/** All purchases of the same request. */
function takesOf(clip) {
  byCombination ??= Map.groupBy(clips, combination);
  return byCombination.get(combination(clip)) ?? [];
}

/** The shape that most clips have, so that most frames are filled. */
function usualShape() {
  const upright = clips.filter((clip) => shapeOf(clip) === "upright").length;
  return upright * 2 > clips.length ? "upright" : "wide";
}

function shapeOf(clip) {
  const [video] = clip.videos;
  if (video) return video.height > video.width ? "upright" : "wide";
  return clip.parameters.aspect_ratio === "9:16" ? "upright" : "wide";
}
