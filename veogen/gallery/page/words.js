// What became of a text: words that are kept, gone or new, for any two texts.

const TOKEN = /\s+|(?:[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|(?:(?![\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])[\p{L}\p{M}\p{N}_])+|[^\s\p{L}\p{M}\p{N}_])\s*/gu;
const MOST_CELLS = 1_500_000;

/** Pairs of a sign and a text; `=` and `-` make up `old`, `=` and `+` `now`. */
function wordChanges(old, now) {
  const before = old.match(TOKEN) ?? [];
  const after = now.match(TOKEN) ?? [];
  const head = sharedLength(before, after);
  const tail = sharedLength(before.slice(head).reverse(), after.slice(head).reverse());
  return joinedPieces([
    ...before.slice(0, head).map((token) => ["=", token]),
    ...middlePieces(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map((token) => ["=", token]),
  ]);
}

function sharedLength(before, after) {
  let length = 0;
  while (length < before.length && length < after.length && before[length] === after[length]) length += 1;
  return length;
}

/** The longest common run of words, by a table of both; too large a table is a replacement. */
function middlePieces(before, after) {
  if (before.length * after.length > MOST_CELLS) {
    return [...before.map((token) => ["-", token]), ...after.map((token) => ["+", token])];
  }
  const width = after.length + 1;
  const lengths = new Uint16Array((before.length + 1) * width);
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] = before[i] === after[j]
        ? lengths[(i + 1) * width + j + 1] + 1
        : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    }
  }
  return walked(before, after, lengths, width);
}

function walked(before, after, lengths, width) {
  const pieces = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      pieces.push(["=", before[i]]);
      i += 1;
      j += 1;
    } else if (j === after.length || (i < before.length && lengths[(i + 1) * width + j] >= lengths[i * width + j + 1])) {
      pieces.push(["-", before[i]]);
      i += 1;
    } else {
      pieces.push(["+", after[j]]);
      j += 1;
    }
  }
  return pieces;
}

/** Neighbours of one sign as one; within a change what is gone stands before what is new. */
function joinedPieces(tokens) {
  const pieces = [];
  let [gone, come] = ["", ""];
  const close = () => {
    if (gone) pieces.push(["-", gone]);
    if (come) pieces.push(["+", come]);
    [gone, come] = ["", ""];
  };
  for (const [sign, token] of tokens) {
    if (sign === "-") gone += token;
    else if (sign === "+") come += token;
    else {
      close();
      if (pieces.at(-1)?.[0] === "=") pieces.at(-1)[1] += token;
      else pieces.push(["=", token]);
    }
  }
  close();
  return pieces;
}

/** What differs between two requests, ready to be read; nothing where nothing does. */
function changesBetween(old, now) {
  const texts = [["prompt", old.prompt, now.prompt], ["negative prompt", old.negative, now.negative]]
    .filter(([, before, after]) => (before ?? "") !== (after ?? ""))
    .map(([name, before, after]) => [name, wordChanges(before ?? "", after ?? "")]);
  const names = [...new Set([...Object.keys(old.parameters), ...Object.keys(now.parameters)])].sort();
  const fields = names.filter((name) => old.parameters[name] !== now.parameters[name])
    .map((name) => [name, old.parameters[name] ?? null, now.parameters[name] ?? null]);
  return { texts, fields };
}

function changeList(old, now) {
  const { texts, fields } = changesBetween(old, now);
  return [texts.map(([name, pieces]) => difference(name, pieces)), fieldChanges(fields)];
}

function difference(name, pieces) {
  const names = { "-": "del", "+": "ins" };
  return el("p", { class: "difference", dir: "auto" },
    name !== "prompt" && el("span", { class: "quiet" }, `${name}: `),
    pieces.map(([sign, text]) => (sign === "=" ? text : el(names[sign], {}, text))));
}

function fieldChanges(fields) {
  if (!fields.length) return null;
  return facts(fields.map(([name, old, now]) => [name,
    [old !== null && el("del", {}, old), " ", now !== null && el("ins", {}, now)]]));
}
