// The data of the page, and what follows from it. A clip is one video, or a request without any.

const page = JSON.parse(document.getElementById("data").textContent);
const STATUSES = ["completed", "not here", "warnings", "submitted", "planned", "failed",
  "indeterminate", "undelivered"];

const clips = page.clips.flatMap((request) => clipsOf(request, page));
const former = page.former.flatMap((request) => clipsOf(request, page, true));
const others = (page.other?.clips ?? []).flatMap((request) => clipsOf(request, page.other));

/** All that can be decided about: the plan's clips, then those that left it. */
const decidable = [...clips, ...former];
const axes = axisNames(clips);
const byAddress = Map.groupBy(clips, (clip) => clip.address);
const byId = new Map(decidable.map((clip) => [clip.id, clip]));

function clipsOf(request, run, isFormer = false) {
  const videos = request.videos.length ? request.videos : [null];
  request.clips = videos.map((video, index) => clipOf(request, run, video, index, isFormer));
  return request.clips;
}

function clipOf(request, run, video, index, isFormer) {
  const several = request.videos.length > 1;
  return {
    ...request, request, run, video, former: isFormer,
    number: several ? index + 1 : 0,
    id: video?.clip ?? request.hash.slice(0, 10),
    label: `${request.address}${several ? `, video ${index + 1}` : ""}${isFormer ? ", former" : ""}`,
    places: { shot: request.shot, ...request.values, take: String(request.take) },
    flags: flagsOf(request, video, isFormer),
    haystack: `${request.address}\n${request.prompt ?? ""}\n${request.hash}`.toLowerCase(),
  };
}

/** Its status, and what else one may look for; what left the plan is looked for as that alone. */
function flagsOf(request, video, isFormer) {
  if (isFormer) return ["former"];
  const flags = [request.status];
  if (video && !video.here) flags.push("not here");
  if (video?.warnings.length) flags.push("warnings");
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
  if (purchasesOf(clip) > 1 && !without.includes("take")) parts.push(`take ${clip.take}`);
  if (clip.number) parts.push(`video ${clip.number}`);
  return parts.length ? parts.join(" · ") : clip.shot;
}

/** The address without the number of the take. */
function combination(clip) {
  return clip.take > 1 ? clip.address.slice(0, -`#${clip.take}`.length) : clip.address;
}

const byCombination = Map.groupBy(clips, combination);

/** All clips of the same request: its takes and their videos. */
function takesOf(clip) {
  return byCombination.get(combination(clip)) ?? [];
}

function purchasesOf(clip) {
  return new Set(takesOf(clip).map((one) => one.take)).size;
}

/** Clips of the same address that left the plan, newest first. */
function formerOf(clip) {
  return former.filter((one) => one.address === clip.address).reverse();
}

/** What stands in the plan now under the address of a clip that left it. */
function successorOf(clip) {
  const found = byAddress.get(clip.address) ?? [];
  return found[Math.min(Math.max(clip.number - 1, 0), found.length - 1)] ?? null;
}

/** The shape that most clips have, so that most frames are filled. */
function usualShape() {
  const upright = clips.filter((clip) => shapeOf(clip) === "upright").length;
  return upright * 2 > clips.length ? "upright" : "wide";
}

function shapeOf(clip) {
  if (clip.video) return clip.video.height > clip.video.width ? "upright" : "wide";
  return clip.parameters.aspect_ratio === "9:16" ? "upright" : "wide";
}
